//! Mistakes of the operator: a clear word, exit status 2, and nothing harmed.

use std::net::TcpListener;

use callboard_tests::{CtlOutput, Daemon, Flavour};

/// Runs supervisord until it refuses.
fn refused(config: &str, arguments: &[&str]) -> (Daemon, CtlOutput) {
    let daemon = Daemon::prepare(Flavour::under_test(), config);
    let path = daemon.config_path().display().to_string();
    let words = [&["-n", "-c", &path], arguments].concat();
    let output = daemon.run(&daemon.flavour().command("supervisord"), &words);
    (daemon, output)
}

/// The two lines of every refusal.
fn assert_refused(output: &CtlOutput, message: &str) {
    assert_eq!(output.code, 2, "{output:?}");
    assert!(
        output
            .stderr
            .contains(&format!("Error: {message}\nFor help, use ")),
        "{message} is not in {output:?}"
    );
}

#[test]
fn bad_values_name_section_and_file() {
    for (section, message) in [
        (
            "[program:a]\ncommand=x\nstartsecs=soon\n",
            "invalid literal for int() with base 10: 'soon' in section 'program:a' (file: '<file>')",
        ),
        (
            "[program:a]\ncommand=x\nautostart=perhaps\n",
            "not a valid boolean value: 'perhaps' in section 'program:a' (file: '<file>')",
        ),
        (
            "[program:a]\nautostart=true\n",
            "program section program:a does not specify a command in section 'program:a' (file: '<file>')",
        ),
        (
            "[program:a]\ncommand=x\nstopsignal=FOO\n",
            "value 'FOO' is not a valid signal name in section 'program:a' (file: '<file>')",
        ),
        (
            "[eventlistener:a]\ncommand=x\nevents=FOO\n",
            "Unknown event type FOO in [eventlistener:a] events",
        ),
        (
            "[eventlistener:a]\ncommand=x\n",
            "[eventlistener:a] section requires an \"events\" line",
        ),
        (
            "[group:g]\nprograms=zz\n",
            "[group:g] names unknown program or fcgi-program zz",
        ),
        (
            "[supervisord]\nloglevel=loud\n",
            "bad logging level name 'loud'",
        ),
        (
            "[program:a]\ncommand=%(nothing)s\n",
            "Format string '%(nothing)s' for 'program:a.command' contains names ('nothing') which cannot be expanded.",
        ),
    ] {
        let (daemon, output) = refused(section, &[]);
        let message = message.replace("<file>", &daemon.config_path().display().to_string());
        assert_eq!(output.code, 2, "{output:?}");
        assert!(
            output.stderr.contains(&format!("Error: {message}")),
            "{message} is not in {}",
            output.stderr
        );
        assert!(
            !daemon.path("supervisord.log").exists(),
            "nothing is started for {section}"
        );
    }
}

#[test]
fn a_bad_value_is_found_by_file_line_and_option() {
    if Flavour::under_test() == Flavour::Original {
        return; // It names the file at best.
    }
    for (section, option) in [
        (
            "[program:a]\ncommand=x\n; a comment\nstartsecs=soon\n",
            "startsecs=soon",
        ),
        ("[supervisord]\nloglevel=loud\n", "loglevel=loud"),
        ("[eventlistener:l]\ncommand=x\nevents=FOO\n", "events=FOO"),
    ] {
        let (daemon, output) = refused(section, &[]);
        let config = daemon.read("supervisord.conf");
        let line = 1 + config
            .lines()
            .position(|line| line == option)
            .expect("the option is there");
        let name = option.split('=').next().unwrap_or_default();
        assert!(
            output
                .stderr
                .contains(&format!("line {line}, option {name})\n")),
            "{output:?}"
        );
        assert!(
            output
                .stderr
                .contains(&daemon.config_path().display().to_string()),
            "{output:?}"
        );
    }
}

#[test]
fn a_line_that_is_no_option_is_named() {
    let (daemon, output) = refused("[program:a]\ncommand=x\nnonsense here\n", &[]);
    let line = std::fs::read_to_string(daemon.config_path())
        .expect("it was written")
        .lines()
        .count();
    let file = daemon.config_path().display().to_string();
    assert_refused(
        &output,
        &format!("Source contains parsing errors: '{file}'\n\t[line {line:2}]: 'nonsense here\\n'"),
    );
}

#[test]
fn command_line_mistakes_are_refused() {
    for (arguments, message) in [
        (&["-x"][..], "option -x not recognized"),
        (&["--foo"][..], "option --foo not recognized"),
        (
            &["-e", "loud"][..],
            "invalid value for -e 'loud': bad logging level name 'loud'",
        ),
        (
            &["stray"][..],
            "positional arguments are not supported: ['stray']",
        ),
        (&["-n"][..], "conflicting command line option '-n'"),
    ] {
        assert_refused(&refused("", arguments).1, message);
    }
}

#[test]
fn a_missing_file_is_named() {
    let daemon = Daemon::prepare(Flavour::under_test(), "");
    let output = daemon.run(
        &daemon.flavour().command("supervisord"),
        &["-c", "/nonexistent/file.conf"],
    );
    assert_refused(&output, "could not find config file /nonexistent/file.conf");
}

const TAKEN: &str = "Another program is already listening on a port that one of our HTTP servers is configured to use.  \
                     Shut this program down first before starting supervisord.";

#[test]
fn a_taken_port_is_refused() {
    let config = "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n[program:a]\ncommand=touch %(here)s/started\n";
    let daemon = Daemon::prepare(Flavour::under_test(), config);
    let _holder = TcpListener::bind(("127.0.0.1", daemon.port())).expect("the port is free");
    let output = daemon.run(
        &daemon.flavour().command("supervisord"),
        &["-n", "-c", "supervisord.conf"],
    );
    assert_refused(&output, TAKEN);
    assert!(!daemon.path("started").exists());
}

#[test]
fn a_second_daemon_is_refused_and_leaves_the_first_alone() {
    let mut daemon = Daemon::under_test("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    let pid = daemon.process_pid("a");
    let output = daemon.run(
        &daemon.flavour().command("supervisord"),
        &["-n", "-c", "supervisord.conf"],
    );
    assert_refused(&output, TAKEN);
    assert_eq!(daemon.process_pid("a"), pid);
    assert_eq!(
        daemon.read("supervisord.pid"),
        format!("{}\n", daemon.pid())
    );
    daemon.shut_down();
}

#[test]
fn a_stale_socket_is_replaced() {
    let mut daemon = Daemon::prepare(Flavour::under_test(), "");
    drop(
        std::os::unix::net::UnixListener::bind(daemon.path("s.sock"))
            .expect("the directory is writable"),
    );
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_file("stderr", "Unlinking stale socket ");
    daemon.shut_down();
}

#[test]
fn an_unknown_command_is_an_error() {
    let daemon = Daemon::under_test("");
    let output = daemon.ctl(&["frobnicate", "all"]);
    assert_eq!(
        (output.stdout.as_str(), output.code),
        ("*** Unknown syntax: frobnicate all\n", 1)
    );
    let output = daemon.ctl(&["start", "nobody"]);
    assert_eq!(
        (output.stdout.as_str(), output.code),
        ("nobody: ERROR (no such process)\n", 1)
    );
}
