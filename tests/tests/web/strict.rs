//! `strict=true`: no server that everybody could control the daemon by.

use callboard_tests::{Daemon, Flavour};

use crate::tls::certify;

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
fn empty_passwords_are_no_passwords() {
    let server = "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=a\npassword=\n";
    let user = "[user:ann]\nrole=admin\npassword=\n";
    for (section, config) in [("inet_http_server", server), ("user:ann", user)] {
        let (code, stderr) = refusal(&format!("[supervisord]\nstrict=true\n{config}"));
        assert_eq!(code, 2, "{stderr}");
        let message =
            format!("Section [{section}] has an empty password, which strict=true forbids");
        assert!(stderr.contains(&message), "{stderr}");
        assert!(stderr.contains("option password)"), "{stderr}");
    }
}

/// What `--check` says of a configuration that can be used.
fn warnings(config: &str) -> String {
    let daemon = Daemon::prepare(Flavour::Ours, config);
    let supervisord = Flavour::Ours.command("supervisord");
    let out = daemon.run(&supervisord, &["--check", "-c", "supervisord.conf"]);
    assert_eq!(out.code, 0, "{out:?}");
    out.stdout
}

#[test]
fn what_is_not_forbidden_is_warned_of() {
    let rows = [
        (
            "[inet_http_server]\nport=*:9001\n",
            "warning: [inet_http_server] port: Server 'inet_http_server' lets everybody who can reach it control",
        ),
        (
            "[unix_http_server]\nfile=%(here)s/s.sock\nchmod=0777\n",
            "warning: [unix_http_server] chmod: Server 'unix_http_server' lets every user of this machine",
        ),
        (
            "[inet_http_server]\nport=127.0.0.1:9001\nusername=a\npassword=\n",
            "warning: [inet_http_server] password: password of [inet_http_server] is empty",
        ),
        (
            "[user:ann]\nrole=admin\npassword=$2b$12$abcdefghijklmnopqrstuv\n",
            "warning: [user:ann] password: password of [user:ann] begins with $2b$ and is taken as it is",
        ),
        (
            "[user:ann]\nrole=admin\npassword={SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=\n",
            "has no 40 hexadecimal digits behind {SHA}",
        ),
        (
            "[user:ann]\nrole=operator\npassword=x\nprograms=web, dbb\n[program:web]\ncommand=cat\n",
            "warning: [user:ann] programs: user 'ann' may act on dbb, but there is no such process",
        ),
        (
            "[user:ann]\nrole=read-only\npassword=x\nprograms=web\n",
            "programs of user 'ann' mean nothing",
        ),
        (
            "[user:ann]\nrole=read-only\nunix_users=7\n[user:bob]\nrole=admin\nunix_users=8,7\n",
            "uid 7 is user 'ann' already and never 'bob'",
        ),
    ];
    for (config, expected) in rows {
        let said = warnings(&format!("[supervisord]\n{config}"));
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let fine = "[user:ann]\nrole=operator\npassword=x\nprograms=w*, work:, work:*\n[program:web]\ncommand=cat\n\
                [program:work]\ncommand=cat\n[inet_http_server]\nport=*:9001\n";
    let said = warnings(&format!("[supervisord]\n{fine}"));
    assert!(said.ends_with("0 errors, 0 warnings\n"), "{said}");
}

#[test]
fn a_user_needs_a_name() {
    let (code, stderr) = refusal("[user:]\nrole=admin\npassword=x\n");
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("Section [user:] names nobody"), "{stderr}");
}

#[test]
fn open_servers_are_told_of_at_start() {
    let daemon = Daemon::start(
        Flavour::Ours,
        "[unix_http_server]\nchmod=0777\n[inet_http_server]\nport=:%(ENV_TEST_PORT)s\n",
    );
    let log = daemon.log();
    for (section, whom) in [
        ("inet_http_server", "everybody who can reach it"),
        ("unix_http_server", "every user of this machine"),
    ] {
        let line = format!("Server '{section}' lets {whom} control the daemon");
        let found = log.lines().find(|text| text.contains(&line));
        let found = found.unwrap_or_else(|| panic!("{line} in {log}"));
        assert!(
            found.contains(" CRIT ") && found.contains("supervisord.conf:"),
            "{found}"
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
    std::fs::copy(example, daemon.config_path()).expect("it is there");
    certify(daemon.dir(), "cert", "localhost");
    std::fs::rename(daemon.path("cert.key"), daemon.path("key.pem")).expect("it was made");
    let supervisord = Flavour::Ours.command("supervisord");
    let out = daemon.run(&supervisord, &["--check", "-c", "supervisord.conf"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert!(out.stdout.ends_with("0 errors, 0 warnings\n"), "{out:?}");
}
