//! supervisord's command line: its syntax, what each option does, where the configuration is looked for.

use super::bench::{Bench, Row, compare};

/// A socket that cannot be: what the command line does not refuse ends there.
const NEVER_STARTS: &str = "[unix_http_server]\nfile=/nonexistent/s.sock\n";

/// Command lines after the program's name.
const SYNTAX: &[&str] = &[
    "-c supervisord.conf -x",
    "-c supervisord.conf -nx",
    "-c supervisord.conf --foo",
    "-c supervisord.conf --foo=1",
    "-c",
    "-nc",
    "--configuration",
    "--conf",
    "-n -l",
    "-n -m",
    "--logfile",
    "--user",
    "--minprocs",
    "--profile_options",
    "--nodaemon=1",
    "--nodaemon=",
    "--he=1",
    "--m",
    "--logf x -n --l",
    "--c",
    "--ch",
    "--ch x",
    "--u",
    "--n",
    "--nocleanup=yes",
    "-h",
    "-?",
    "--help",
    "--he",
    "-nh",
    "-v",
    "--version",
    "--vers",
    "-sv",
    "-hv",
    "-vh",
    "-vn -n",
    "-n -n -v",
    "-v -c /nonexistent",
    "-c /nonexistent -v",
    "-m 99 -v",
    "-v -m 99",
    "-v -x",
    "-h --foo",
    "-h stray",
    "stray -h",
    "-c supervisord.conf foo bar",
    "-c supervisord.conf -- foo",
    "-c supervisord.conf -- -n",
    "-c supervisord.conf --",
    "-c supervisord.conf ''",
    "-c supervisord.conf -",
    "-c supervisord.conf \"it's\" '\"' 'tab\there'",
    "-c supervisord.conf -nn",
    "-c supervisord.conf -n --nodaemon",
    "-c supervisord.conf --nodaemon -n",
    "-c supervisord.conf --nod --nodaemon",
    "-c supervisord.conf -c supervisord.conf",
    "-c supervisord.conf --conf=supervisord.conf",
    "-c supervisord.conf -s -s",
    "-c supervisord.conf -k --nocleanup",
    "-c supervisord.conf -t -t",
    "-c supervisord.conf -l a -l b",
    "-c supervisord.conf -e info --loglevel debug",
    "-c supervisord.conf --logf a --loglevel=info -l b",
];

/// Words after `-n -s -c supervisord.conf`.
const VALUES: &[&str] = &[
    "",
    "-m 99",
    "-m ''",
    "-m -1",
    "-m 0o22",
    "-m 1_0",
    "--umask 8",
    "--uma=9",
    "-m 022",
    "-y 1.5GB",
    "-y -1",
    "-y ''",
    "-y '1 KB'",
    "-y 1kb",
    "--logfile_maxbytes=x",
    "-z many",
    "-z -1",
    "-z ''",
    "--logfile_backups=1.0",
    "-e loud",
    "-e WARN",
    "-e ''",
    "--loglevel=warning",
    "-a x",
    "-a ''",
    "--minfds 1.0",
    "--minprocs x",
    "--minprocs=",
    "-d /nonexistent",
    "-d supervisord.conf",
    "-d ''",
    "--directory=/nonexistent",
    "-q /nonexistent",
    "-q supervisord.conf",
    "--childlogdir=/nonexistent",
    "-l /nonexistent/x",
    "-l nowhere/x",
    "--logfile=/nonexistent/x",
    "-j /nonexistent/x",
    "--pidfile nowhere/x",
    "-u nobody-at-all",
    "-u 54321",
    "-u -1",
    "-u ''",
    "--user=nobody-at-all",
    "-i ''",
    "-i 'two words'",
    "-l '%(here)s/x'",
    "-d '%(here)s'",
    "-u '%(ENV_HOME)s'",
    "-c /nonexistent",
];

/// Runs every command line and notes what it says, of the help only the options of the original: the wording is
/// free, and so is the order.
fn every(bench: &mut Bench, before: &str, lines: &[&str]) {
    for line in lines {
        let about_help = line.contains('h') && line.starts_with('-') || line.contains("-?");
        let filter = if about_help { HEAD_OF_HELP } else { "" };
        bench.sh(&format!("supervisord {before}{line}{filter}"));
    }
}

/// Keeps the exit status visible behind a pipe.
const HEAD_OF_HELP: &str = " >text; code=$?; head -n 4 text; exit $code";

const SYNTAX_ROWS: &[Row] = &[
    Row {
        name: "syntax, first half",
        config: NEVER_STARTS,
        steps: |bench| every(bench, "", &SYNTAX[..SYNTAX.len() / 2]),
    },
    Row {
        name: "syntax, second half",
        config: NEVER_STARTS,
        steps: |bench| every(bench, "", &SYNTAX[SYNTAX.len() / 2..]),
    },
    Row {
        name: "values, first half",
        config: NEVER_STARTS,
        steps: |bench| {
            every(
                bench,
                "-n -s -c supervisord.conf ",
                &VALUES[..VALUES.len() / 2],
            )
        },
    },
    Row {
        name: "values, second half",
        config: NEVER_STARTS,
        steps: |bench| {
            every(
                bench,
                "-n -s -c supervisord.conf ",
                &VALUES[VALUES.len() / 2..],
            )
        },
    },
    Row {
        name: "the options in the help",
        config: "",
        // Ours has two of its own.
        steps: |bench| {
            bench.sh(
                "supervisord -h | sed -n 's/^\\(-[^ ]*\\( [A-Z]*\\)\\{0,1\\}\\) *-- .*/\\1/p' \
                 | grep -v -e '^--check *$' -e '^--json *$' | sort",
            );
        },
    },
];

#[test]
fn syntax_and_values_agree() {
    compare("cli: syntax", SYNTAX_ROWS);
}

/// A file that is told apart by its mistake.
const MISTAKE: &str = "printf '[supervisord]\\nlogfile_backups=%s\\n'";

const SEARCH_ROWS: &[Row] = &[
    Row {
        name: "no file anywhere",
        config: "",
        steps: |bench| {
            bench.sh("mkdir empty && cd empty && supervisord -n 2>&1 | sed 's/(.*)/(...)/'");
            bench.sh("cd empty && supervisord -v");
        },
    },
    Row {
        name: "the current directory, then its etc",
        config: "",
        steps: |bench| {
            bench.sh(&format!(
                "mkdir -p etc && {MISTAKE} in-etc >etc/supervisord.conf"
            ));
            bench.sh("supervisord -n -v");
            bench.sh(&format!(
                "rm supervisord.conf; {MISTAKE} in-cwd >supervisord.conf"
            ));
            bench.sh("supervisord -n");
            bench.sh("rm supervisord.conf; supervisord -n");
        },
    },
    Row {
        name: "files that cannot be read",
        config: "",
        steps: |bench| {
            bench.sh("supervisord -n -c /nonexistent");
            bench.sh("supervisord -n -c '~/none.conf'");
            bench.sh("supervisord -n -c '%(here)s/supervisord.conf'");
            bench.sh("supervisord -n -c logs");
            bench.sh("supervisord -n -c /dev/null");
            bench.sh("touch empty; supervisord -n -c empty");
        },
    },
];

#[test]
fn the_search_for_the_file_agrees() {
    compare("cli: search", SEARCH_ROWS);
}

/// What every option of the command line has to beat.
const OTHERWISE: &str = "\
[supervisord]
nodaemon=false
umask=077
directory=/usr
logfile=%(here)s/wrong.log
logfile_maxbytes=100MB
logfile_backups=9
loglevel=critical
pidfile=%(here)s/wrong.pid
identifier=wrong
childlogdir=/usr
minfds=10
minprocs=10
strip_ansi=false
[program:a]
command=sh -c 'umask; pwd; printf \"\\033[31mred\\n\"; exec sleep 1000'
startsecs=0
stderr_logfile=NONE
";

/// What options do to a daemon in the background.
fn effects(bench: &mut Bench, start: &str) {
    bench.quietly("mkdir deep; touch 'logs/x-stdout---board-12345678.log'");
    bench.start(start);
    bench.daemon.wait_state("a", "RUNNING");
    for method in ["getIdentification", "getState"] {
        let answer = bench.daemon.call(method, serde_json::json!([]));
        bench.note(&format!("{method} -> {answer}"));
    }
    let log = bench.daemon.info("a")["stdout_logfile"].clone();
    let log = log.as_str().expect("a path").to_owned();
    let name = log.rsplit('/').next().unwrap_or_default().to_owned();
    bench.note(&log);
    bench.daemon.wait_file(&format!("logs/{name}"), "red\n");
    bench.file(&format!("logs/{name}"));
    bench.sh("pid=$(cat supervisord.pid); readlink /proc/$pid/cwd; grep Umask /proc/$pid/status");
    bench.sh("grep -e 'open files' -e processes /proc/$(cat supervisord.pid)/limits | cut -c 1-40");
    bench.sh("stat -c '%A %U %G' supervisord.pid; ls logs | sed 's/-........\\.log$//'");
    bench.stop();
    bench.sh("ls; ls main.log* | wc -l");
}

const EFFECT_ROWS: &[Row] = &[Row {
    name: "short options beat the file",
    config: OTHERWISE,
    steps: |bench| {
        effects(
            bench,
            "supervisord -c supervisord.conf -l supervisord.log -y 300 -z 2 -e info -j supervisord.pid \
                 -i board -q logs -k -a 700 --minprocs 300 -t -m 027 -d deep -u \"$(id -un)\"",
        );
    },
}];

#[test]
fn what_options_do_agrees() {
    compare("cli: effects", EFFECT_ROWS);
}
