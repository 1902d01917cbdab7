//! Servers with certificates, and their clients.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use callboard_tests::{CtlOutput, Daemon, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::port;

const CONFIG: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
certfile=%(here)s/cert.pem
keyfile=%(here)s/key.pem
[program:web]
command=cat
";

/// Writes a self-signed certificate of a name into files of this name, as manuals say one does.
pub(crate) fn certify(directory: &Path, file: &str, name: &str) {
    let output = Command::new("openssl")
        .current_dir(directory)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", &format!("/CN={name}")])
        .args(["-addext", &format!("subjectAltName=DNS:{name}")])
        .args([
            "-keyout",
            &format!("{file}.key"),
            "-out",
            &format!("{file}.pem"),
        ])
        .output()
        .expect("openssl runs");
    assert!(output.status.success(), "{output:?}");
}

/// Makes a certificate the daemon's; the new files are put in the places of the old ones.
fn install(daemon: &Daemon, file: &str) {
    for (from, to) in [
        (format!("{file}.pem"), "cert.pem"),
        (format!("{file}.key"), "key.pem"),
    ] {
        fs::copy(daemon.path(&from), daemon.path("new")).expect("it was made");
        fs::rename(daemon.path("new"), daemon.path(to)).expect("the directory is writable");
    }
}

fn prepared(config: &str) -> Daemon {
    let daemon = Daemon::prepare(Flavour::Ours, config);
    for (file, name) in [
        ("first", "localhost"),
        ("second", "localhost"),
        ("other", "other.example"),
    ] {
        certify(daemon.dir(), file, name);
    }
    install(&daemon, "first");
    daemon
}

fn started(config: &str) -> Daemon {
    let mut daemon = prepared(config);
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon
}

/// supervisorctl over TLS, trusting a certificate.
fn ctl(daemon: &Daemon, cafile: Option<&str>, words: &[&str]) -> CtlOutput {
    let cafile = cafile.map_or(String::new(), |file| {
        format!("cafile=%(here)s/{file}.pem\n")
    });
    let port = daemon.port();
    let config = format!("[supervisorctl]\nserverurl=https://localhost:{port}\n{cafile}");
    fs::write(daemon.path("ctl.conf"), config).expect("the directory is writable");
    let words = [&["-c", "ctl.conf"], words].concat();
    daemon.run(&Flavour::Ours.command("supervisorctl"), &words)
}

/// A page fetched by curl, trusting a certificate.
fn curl(daemon: &Daemon, trusted: &str, path: &str) -> CtlOutput {
    let url = format!("https://localhost:{}{path}", daemon.port());
    let trusted = format!("{trusted}.pem");
    daemon.run("curl".as_ref(), &["-sS", "-i", "--cacert", &trusted, &url])
}

#[test]
fn clients_that_trust_the_certificate_are_served() {
    let daemon = started(CONFIG);
    daemon.wait_state("web", "RUNNING");
    let out = ctl(&daemon, Some("first"), &["restart", "web"]);
    assert_eq!(out.stdout, "web: stopped\nweb: started\n", "{out:?}");
    let out = curl(&daemon, "first", "/?action=refresh");
    let location = format!(
        "Location: https://localhost:{}/?message=Page",
        daemon.port()
    );
    assert!(out.stdout.contains(&location), "{out:?}");
    let out = ctl(&daemon, Some("first"), &["tail", "-1000", "web"]);
    assert_eq!((out.stdout.as_str(), out.code), ("\n", 0), "{out:?}");
}

#[test]
fn logs_are_streamed_as_they_grow() {
    let daemon = started(CONFIG);
    daemon.wait_state("web", "RUNNING");
    let url = format!("https://localhost:{}/logtail/web", daemon.port());
    let mut curl = daemon.fixture_child(
        "curl",
        &["-sSN", "--cacert", "first.pem", "-o", "copy", &url],
    );
    for line in ["one\n", "two\n"] {
        daemon.call("sendProcessStdin", json!(["web", line]));
        daemon.wait_file("copy", line);
    }
    daemon.signal(Signal::SIGTERM);
    // The daemon ends its streams: curl sees a whole answer, and an orderly end of the encryption.
    assert!(curl.wait().expect("it was started").success());
}

#[test]
fn clients_say_what_is_wrong_and_what_helps() {
    let daemon = started(CONFIG);
    let expect = |out: CtlOutput, expected: &[&str]| {
        assert_ne!(out.code, 0, "{out:?}");
        for part in expected {
            assert!(out.stdout.contains(part), "{part}: {out:?}");
        }
    };
    expect(
        ctl(&daemon, None, &["pid"]),
        &["issuer that is not trusted", "cafile in [supervisorctl]"],
    );
    expect(
        ctl(&daemon, Some("second"), &["pid"]),
        &["issuer that is not trusted"],
    );
    expect(
        ctl(&daemon, Some("missing"), &["pid"]),
        &["missing.pem", "No such file"],
    );
    install(&daemon, "other");
    wait::until("the certificate of another name", || {
        let out = ctl(&daemon, Some("other"), &["pid"]);
        let found = out.stdout.contains("certificate is not for localhost");
        if found { Ok(()) } else { Err(out) }
    });
    let plain = format!("http://localhost:{}", daemon.port());
    expect(
        daemon.ctl(&["-s", &plain, "pid"]),
        &["error: http://localhost"],
    );
    daemon.wait_log("no TLS: ");
}

#[test]
fn a_server_without_tls_is_told_as_such() {
    let daemon = Daemon::start(
        Flavour::Ours,
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n",
    );
    let out = ctl(&daemon, None, &["pid"]);
    assert!(
        out.stdout.contains("does not speak TLS: use http://"),
        "{out:?}"
    );
    assert_eq!(
        port(&daemon)
            .send("GET", "/ok.html", &[])
            .expect("an answer")
            .text(),
        "OK"
    );
}

#[test]
fn new_files_are_taken_up_and_bad_ones_are_not() {
    let daemon = started(CONFIG);
    assert_eq!(curl(&daemon, "first", "/ok.html").code, 0);
    install(&daemon, "second");
    let served = |trusted: &'static str| {
        wait::until("the certificate to be served", || {
            let out = curl(&daemon, trusted, "/ok.html");
            if out.code == 0 { Ok(()) } else { Err(out) }
        });
    };
    served("second");
    assert!(
        daemon
            .log()
            .contains("Server 'inet_http_server' has a new certificate")
    );
    fs::write(daemon.path("cert.pem"), "nonsense").expect("the directory is writable");
    wait::until("the complaint", || {
        assert_eq!(curl(&daemon, "second", "/ok.html").code, 0);
        let log = daemon.log();
        if log.contains("the certificate of before is used on") {
            Ok(())
        } else {
            Err(log)
        }
    });
    install(&daemon, "first");
    served("first");
}

#[test]
fn files_that_cannot_be_used_are_refused_at_start() {
    let daemon = prepared(CONFIG);
    fs::write(daemon.path("empty.pem"), "").expect("the directory is writable");
    let start = |certificate: &str, key: &str| {
        let config = CONFIG
            .replace("/cert.pem", certificate)
            .replace("/key.pem", key);
        daemon.write_config(&config);
        let supervisord = Flavour::Ours.command("supervisord");
        daemon.run(&supervisord, &["-n", "-c", "supervisord.conf"])
    };
    let rows = [
        (
            "/missing.pem",
            "/key.pem",
            "certfile",
            "missing.pem: No such file",
        ),
        (
            "/cert.pem",
            "/missing.key",
            "keyfile",
            "missing.key: No such file",
        ),
        (
            "/empty.pem",
            "/key.pem",
            "certfile",
            "there is no certificate in it",
        ),
        (
            "/first.key",
            "/key.pem",
            "certfile",
            "there is no certificate in it",
        ),
        (
            "/cert.pem",
            "/cert.pem",
            "keyfile",
            "there is no private key in it",
        ),
        (
            "/cert.pem",
            "/second.key",
            "keyfile",
            "the key is not that of the certificate",
        ),
    ];
    for (certificate, key, option, problem) in rows {
        let out = start(certificate, key);
        assert_eq!(out.code, 2, "{out:?}");
        let place = format!("Section [inet_http_server] cannot be used: {option} ");
        assert!(
            out.stderr.contains(&place) && out.stderr.contains(problem),
            "{out:?}"
        );
        let line = line_of(&daemon, option);
        let place = format!("supervisord.conf, line {line}, option {option})");
        assert!(out.stderr.contains(&place), "{out:?}");
        let supervisord = Flavour::Ours.command("supervisord");
        let out = daemon.run(&supervisord, &["--check", "-c", "supervisord.conf"]);
        assert_eq!(out.code, 2, "{out:?}");
        let place = format!("supervisord.conf:{line}: error: [inet_http_server] {option}: ");
        assert!(
            out.stdout.contains(&place) && out.stdout.contains(problem),
            "{out:?}"
        );
    }
}

/// The line of the configuration in which an option is set.
fn line_of(daemon: &Daemon, option: &str) -> usize {
    let config = daemon.read("supervisord.conf");
    let index = config.lines().position(|line| line.starts_with(option));
    index.expect("the option is set") + 1
}

/// A reload would end everything only to find out that it cannot start again.
#[test]
fn reloads_that_could_not_serve_change_nothing() {
    let daemon = started(CONFIG);
    daemon.wait_state("web", "RUNNING");
    let (pid, web) = (daemon.pid(), daemon.info("web")["pid"].clone());
    let bad = [
        (CONFIG.replace("/key.pem", "/second.key"), "keyfile"),
        (CONFIG.replace("/cert.pem", "/second.key"), "certfile"),
        (
            format!("{CONFIG}[user:ann]\nrole=admin\npassword=$argon2id$v=19$m=8,t=1,p=1$oops\n"),
            "password",
        ),
    ];
    for (number, (config, option)) in bad.iter().enumerate() {
        daemon.write_config(config);
        for method in ["reloadConfig", "restart"] {
            let fault = daemon.fault(method, json!([]));
            assert_eq!(fault.code, 92, "{method}: {fault:?}");
            let place = format!("option {option})");
            assert!(fault.text.ends_with(&place), "{method}: {fault:?}");
        }
        daemon.signal(Signal::SIGHUP);
        wait::until("the refusal of the reload", || {
            let log = daemon.log();
            let refusals = log.matches("cannot be used").count();
            if refusals > number { Ok(()) } else { Err(log) }
        });
    }
    assert_eq!(daemon.info("web")["pid"], web);
    assert_eq!(daemon.pid(), pid);
    assert_eq!(curl(&daemon, "first", "/ok.html").code, 0);
}

#[test]
fn a_key_that_everybody_can_read_is_warned_of() {
    let daemon = prepared(CONFIG);
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(daemon.path("key.pem"), open).expect("it is ours");
    let supervisord = Flavour::Ours.command("supervisord");
    let out = daemon.run(&supervisord, &["--check", "-c", "supervisord.conf"]);
    assert_eq!(out.code, 0, "{out:?}");
    let line = line_of(&daemon, "keyfile");
    let place = format!("supervisord.conf:{line}: warning: [inet_http_server] keyfile: ");
    assert!(out.stdout.contains(&place), "{out:?}");
    assert!(out.stdout.contains("everybody can read"), "{out:?}");
}

#[test]
fn listeners_find_their_way_back_over_tls() {
    let config = format!(
        "{CONFIG}[eventlistener:memmon]\ncommand=memmon -p web=1GB\nevents=TICK_5\n\
         serverurl=https://localhost:%(ENV_TEST_PORT)s\nenvironment=SSL_CERT_FILE=\"%(here)s/cert.pem\"\n\
         stderr_logfile=%(here)s/memmon.err\n"
    );
    let daemon = started(&config);
    daemon.wait_file("memmon.err", "RSS of web");
}
