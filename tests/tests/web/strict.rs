//! `strict=true`: no server that everybody could control the daemon by.

use callboard_tests::{Daemon, Flavour};

/// Runs a daemon that is expected not to start: exit status and what it says.
fn refusal(config: &str) -> (i32, String) {
    let daemon = Daemon::prepare(Flavour::Ours, config);
    let supervisord = Flavour::Ours.command("supervisord");
    let out = daemon.run(&supervisord, &["-n", "-c", "supervisord.conf"]);
    (out.code, out.stderr)
}

#[test]
fn open_servers_are_refused_with_their_place() {
    let rows = [
        (
            "[supervisord]\nstrict=true\n[inet_http_server]\nport=0.0.0.0:%(ENV_TEST_PORT)s\n",
            "Section [inet_http_server] would let everybody who can reach it control the daemon",
            "option port)",
        ),
        (
            "[supervisord]\nstrict=true\n[inet_http_server]\nport=:%(ENV_TEST_PORT)s\n",
            "Section [inet_http_server] would",
            "option port)",
        ),
        (
            "[supervisord]\nstrict=true\n[unix_http_server]\nchmod=0702\n",
            "Section [unix_http_server] would let every user of this machine control the daemon",
            "option chmod)",
        ),
    ];
    for (config, message, place) in rows {
        let (code, stderr) = refusal(config);
        assert_eq!(code, 2, "{stderr}");
        let line = stderr.lines().next().unwrap_or_default();
        assert!(line.contains(message), "{stderr}");
        assert!(
            line.contains("supervisord.conf, line ") && line.ends_with(place),
            "{stderr}"
        );
    }
}

#[test]
fn closed_servers_are_not() {
    let daemon = Daemon::start(
        Flavour::Ours,
        "[supervisord]\nstrict=true\n[unix_http_server]\nchmod=0770\n[inet_http_server]\n\
         port=localhost:%(ENV_TEST_PORT)s\n[inet_http_server:all]\nport=:%(ENV_SECOND)s\nusername=a\npassword=b\n"
            .replace("%(ENV_SECOND)s", &callboard_tests::free_port().to_string())
            .as_str(),
    );
    assert!(
        daemon
            .log()
            .contains("Server 'inet_http_server' running without any HTTP authentication")
    );
    assert!(
        !daemon
            .log()
            .contains("Server 'inet_http_server:all' running without")
    );
}

#[test]
fn the_example_is_strict_and_right() {
    let example = callboard_tests::workspace::root().join("examples/secure/supervisord.conf");
    let daemon = Daemon::prepare(Flavour::Ours, "");
    let supervisord = Flavour::Ours.command("supervisord");
    let arguments = ["--check".as_ref(), "-c".as_ref(), example.as_os_str()];
    let out = daemon.run(&supervisord, &arguments);
    assert_eq!(out.code, 0, "{out:?}");
    assert!(out.stdout.ends_with("0 errors, 0 warnings\n"), "{out:?}");
}
