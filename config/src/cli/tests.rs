use super::*;

fn run(line: &str) -> Result<Invocation, String> {
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    parse_in(&args, PathBuf::from("/usr"), Some("/tmp")).map_err(|error| error.to_string())
}

/// The file and the overrides of a line that runs the daemon.
fn overrides(line: &str) -> String {
    match run(line) {
        Ok(Invocation::Run(cmd)) => {
            let overrides = cmd
                .overrides
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            let file = cmd.config_file.iter().map(|file| format!("<{file}>"));
            file.chain(overrides).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn options_override_the_file() {
    let rows = [
        ("supervisord", ""),
        ("s -nc f", "<f> nodaemon=true"),
        (
            "s --conf=f --noc -kk",
            "Err(\"conflicting command line option '-k'\")",
        ),
        ("s -s -t -k", "nocleanup=true silent=true strip_ansi=true"),
        (
            "s -u nobody -m 077 -d bin -l syslog",
            "directory=bin logfile=syslog umask=077 user=nobody",
        ),
        (
            "s -y 1MB -z 3 -e WARN -j x.pid -i id",
            "identifier=id logfile_backups=3 logfile_maxbytes=1MB loglevel=WARN pidfile=x.pid",
        ),
        (
            "s -q /tmp -a 10 --minprocs 5",
            "childlogdir=/tmp minfds=10 minprocs=5",
        ),
        ("s --profile_options cumulative,calls", ""),
    ];
    for (line, want) in rows {
        assert_eq!(overrides(line), want, "{line}");
    }
}

#[test]
fn help_and_version_win_when_they_are_reached() {
    assert_eq!(run("s -v -h"), Ok(Invocation::Version));
    assert_eq!(run("s -n --version"), Ok(Invocation::Version));
    for line in ["s -h", "s -?", "s --he", "s -hn", "s -h -m 99"] {
        assert!(matches!(run(line), Ok(Invocation::Help(_))), "{line}");
    }
    assert!(run("s -m 99 -h").is_err() && run("s -h -x").is_err() && run("s -h x").is_err());
}

#[test]
fn checking_is_an_option_of_ours() {
    for (line, with_json) in [("s --check", false), ("s -c f --json -n --check", true)] {
        let Ok(Invocation::Check { json, .. }) = run(line) else {
            panic!("{line}");
        };
        assert_eq!(json, with_json, "{line}");
    }
    assert_eq!(overrides("s --ch /tmp"), "childlogdir=/tmp");
    assert_eq!(overrides("s -i --check"), "identifier=--check");
    let rows = [
        ("s --c f", "option --c not a unique prefix"),
        ("s --che", "option --che not recognized"),
        ("s --js", "option --js not recognized"),
        ("s --json", "option --json requires --check"),
        (
            "s --check --check",
            "conflicting command line option '--check'",
        ),
        ("s --check=1", "option --check not recognized"),
    ];
    for (line, want) in rows {
        assert_eq!(run(line), Err(want.to_owned()), "{line}");
    }
}

#[test]
fn refused_lines() {
    let rows = [
        ("s -x", "option -x not recognized"),
        ("s --foo", "option --foo not recognized"),
        ("s -c", "option -c requires argument"),
        (
            "s --configuration",
            "option --configuration requires argument",
        ),
        (
            "s --nodaemon=1",
            "option --nodaemon must not have an argument",
        ),
        ("s --m", "option --m not a unique prefix"),
        (
            "s foo -n bar",
            "positional arguments are not supported: ['foo', '-n', 'bar']",
        ),
        ("s -nn", "conflicting command line option '-n'"),
        (
            "s -n --nodaemon",
            "conflicting command line option '--nodaemon'",
        ),
        ("s -c a -c b", "conflicting command line option '-c'"),
        (
            "s -m 99",
            "invalid value for -m '99': 99 can not be converted to an octal type",
        ),
        (
            "s --uma 9",
            "invalid value for --umask '9': 9 can not be converted to an octal type",
        ),
        (
            "s -a x",
            "invalid value for -a 'x': invalid literal for int() with base 10: 'x'",
        ),
        (
            "s -e loud",
            "invalid value for -e 'loud': bad logging level name 'loud'",
        ),
        (
            "s -d /nope",
            "invalid value for -d '/nope': /nope is not an existing directory",
        ),
    ];
    for (line, want) in rows {
        assert_eq!(run(line), Err(want.to_owned()), "{line}");
    }
}

#[test]
fn every_option_has_a_line_of_help() {
    let Ok(Invocation::Help(text)) = run("/opt/supervisord -h") else {
        panic!("no help");
    };
    assert!(text.starts_with(
        "supervisord -- run a set of applications as daemons.\n\nUsage: /opt/supervisord [options]\n"
    ));
    for start in [
        "-c/--configuration FILENAME -- ",
        "-n/--nodaemon -- ",
        "-s/--silent -- ",
        "-h/--help -- ",
        "-v/--version -- ",
        "-u/--user USER -- ",
        "-m/--umask UMASK -- ",
        "-d/--directory DIRECTORY -- ",
        "-l/--logfile FILENAME -- use FILENAME as logfile path",
        "-y/--logfile_maxbytes BYTES -- ",
        "-z/--logfile_backups NUM -- ",
        "-e/--loglevel LEVEL -- ",
        "-j/--pidfile FILENAME -- ",
        "-i/--identifier STR -- ",
        "-q/--childlogdir DIRECTORY -- ",
        "-k/--nocleanup -- ",
        "-a/--minfds NUM -- ",
        "-t/--strip_ansi -- ",
        "--minprocs NUM -- ",
        "--profile_options OPTIONS -- ",
        "--check -- ",
        "--json -- ",
    ] {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start}");
    }
}
