//! Who may do what: every role against every action, by every door, and every way of saying who one is.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use callboard_tests::{Daemon, Flavour};
use serde_json::{Value, json};

use crate::support::{Login, call, get, post_json};

/// `reader`, `operator`, `chief`, and the user of the server's own section; their passwords in every form. The Argon2
/// hash is of `chief`, with little memory.
const CONFIG: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
username=boss
password=boss
[user:reader]
role=read-only
password={SHA}24b55fe81e9e7b11798d3a4e4677dd48ffc81559
[user:operator]
role=operator
password=oper:ator
programs=web
[user:chief]
role=admin
password=$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiBzaXh0ZWVuLg$lTQPh3S6Ur99My3c1IG5qyxY3NIRAVHUv54tkfCECLw
[program:web]
command=cat
[program:db]
command=cat
";

const READER: Login = ("reader", "reader");
const OPERATOR: Login = ("operator", "oper:ator");
const CHIEF: Login = ("chief", "chief");
const BOSS: Login = ("boss", "boss");

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Reader,
    Operator,
    Admin,
}

const PEOPLE: [(Login, Rank); 4] = [
    (READER, Rank::Reader),
    (OPERATOR, Rank::Operator),
    (CHIEF, Rank::Admin),
    (BOSS, Rank::Admin),
];

fn daemon() -> Daemon {
    let daemon = Daemon::start(Flavour::Ours, CONFIG);
    daemon.wait_state("web", "RUNNING");
    daemon.wait_state("db", "RUNNING");
    daemon
}

/// What `supervisorctl hash-password` makes of a line on standard input; there is no configuration to read.
fn hash_password(daemon: &Daemon, password: &str) -> String {
    let mut child = daemon
        .command("supervisorctl")
        .args(["-c", "/no/such/file", "hash-password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("supervisorctl starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{password}").expect("supervisorctl reads");
    drop(stdin);
    let output = child.wait_with_output().expect("supervisorctl ends");
    assert!(output.status.success(), "{output:?}");
    let hash = String::from_utf8(output.stdout).expect("a hash is text");
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    hash.trim_end().to_owned()
}

/// Every method but those that end the daemon: arguments, and who may.
fn methods() -> Vec<(&'static str, Value, Rank)> {
    use Rank::{Admin, Operator, Reader};
    vec![
        // First, as the log is looked at afterwards.
        ("supervisor.clearLog", json!([]), Admin),
        ("supervisor.getAPIVersion", json!([]), Reader),
        ("supervisor.getVersion", json!([]), Reader),
        ("supervisor.getSupervisorVersion", json!([]), Reader),
        ("supervisor.getIdentification", json!([]), Reader),
        ("supervisor.getState", json!([]), Reader),
        ("supervisor.getPID", json!([]), Reader),
        ("supervisor.readLog", json!([0, 0]), Reader),
        ("supervisor.readMainLog", json!([0, 0]), Reader),
        ("supervisor.getAllConfigInfo", json!([]), Reader),
        ("supervisor.getProcessInfo", json!(["db"]), Reader),
        ("supervisor.getAllProcessInfo", json!([]), Reader),
        ("supervisor.readProcessLog", json!(["db", 0, 0]), Reader),
        (
            "supervisor.readProcessStdoutLog",
            json!(["db", 0, 0]),
            Reader,
        ),
        (
            "supervisor.readProcessStderrLog",
            json!(["db", 0, 0]),
            Reader,
        ),
        ("supervisor.tailProcessLog", json!(["db", 0, 9]), Reader),
        (
            "supervisor.tailProcessStdoutLog",
            json!(["db", 0, 9]),
            Reader,
        ),
        (
            "supervisor.tailProcessStderrLog",
            json!(["db", 0, 9]),
            Reader,
        ),
        ("callboard.getAllEventPoolInfo", json!([]), Reader),
        ("callboard.getEventPoolInfo", json!(["x"]), Reader),
        ("system.listMethods", json!([]), Reader),
        ("system.methodHelp", json!(["system.listMethods"]), Reader),
        (
            "system.methodSignature",
            json!(["system.listMethods"]),
            Reader,
        ),
        ("system.multicall", json!([[]]), Reader),
        ("supervisor.sendProcessStdin", json!(["web", "x"]), Operator),
        ("supervisor.sendProcessStdin", json!(["db", "x"]), Admin),
        ("supervisor.signalProcess", json!(["web", "CONT"]), Operator),
        (
            "supervisor.signalProcess",
            json!(["web:*", "CONT"]),
            Operator,
        ),
        ("supervisor.signalProcess", json!(["db", "CONT"]), Admin),
        (
            "supervisor.signalProcessGroup",
            json!(["web", "CONT"]),
            Operator,
        ),
        (
            "supervisor.signalProcessGroup",
            json!(["db", "CONT"]),
            Admin,
        ),
        ("supervisor.signalAllProcesses", json!(["CONT"]), Admin),
        ("supervisor.stopProcess", json!(["web"]), Operator),
        ("supervisor.startProcess", json!(["web"]), Operator),
        ("supervisor.stopProcess", json!(["db"]), Admin),
        ("supervisor.startProcess", json!(["db"]), Admin),
        ("supervisor.stopProcessGroup", json!(["web"]), Operator),
        ("supervisor.startProcessGroup", json!(["web"]), Operator),
        ("supervisor.stopProcessGroup", json!(["db"]), Admin),
        ("supervisor.startProcessGroup", json!(["db"]), Admin),
        ("supervisor.stopAllProcesses", json!([]), Admin),
        ("supervisor.startAllProcesses", json!([]), Admin),
        ("supervisor.clearProcessLogs", json!(["web"]), Operator),
        ("supervisor.clearProcessLog", json!(["web"]), Operator),
        ("supervisor.clearProcessLogs", json!(["db"]), Admin),
        ("supervisor.clearAllProcessLogs", json!([]), Admin),
        ("supervisor.sendRemoteCommEvent", json!(["a", "b"]), Admin),
        ("supervisor.reloadConfig", json!([]), Admin),
        ("supervisor.addProcessGroup", json!(["nobody"]), Admin),
        ("supervisor.removeProcessGroup", json!(["nobody"]), Admin),
    ]
}

/// Those that end it, and are only refused here.
const ENDING: [&str; 2] = ["supervisor.shutdown", "supervisor.restart"];

#[test]
fn roles_are_held_against_every_method() {
    let daemon = daemon();
    let methods = methods();
    let mut log = String::new();
    for (login, role) in PEOPLE {
        for (method, params, from) in &methods {
            let answer = call(&daemon, Some(login), method, params).expect("a known user");
            let refused = matches!(&answer, Err(fault) if fault.code == 93);
            assert_eq!(
                refused,
                role < *from,
                "{login:?} {method}{params}: {answer:?}"
            );
        }
        if role < Rank::Admin {
            for method in ENDING {
                let fault = call(&daemon, Some(login), method, &json!([]))
                    .unwrap()
                    .unwrap_err();
                let name = method.split('.').nth(1).unwrap();
                let expected = format!("NOT_PERMITTED: {} may not call {name}", login.0);
                assert_eq!((fault.code, fault.text), (93, expected));
            }
        }
        log += &daemon.log();
    }
    let tried: BTreeSet<_> = methods.iter().map(|row| row.0).chain(ENDING).collect();
    let known = call(&daemon, Some(READER), "system.listMethods", &json!([]))
        .unwrap()
        .unwrap();
    for name in known.as_array().unwrap() {
        assert!(
            tried.contains(name.as_str().unwrap()),
            "{name} is not tried"
        );
    }
    each_call_of_many_is_looked_at(&daemon);
    checks_come_in_order(&daemon);
    for line in [
        "WARN reader may not call stopProcess for web",
        "WARN operator may not call shutdown",
        "INFO operator calls stopProcess for web",
        "INFO chief calls addProcessGroup",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

fn each_call_of_many_is_looked_at(daemon: &Daemon) {
    let calls = json!([[
        {"methodName": "supervisor.getState", "params": []},
        {"methodName": "supervisor.stopProcess", "params": ["db"]},
        {"methodName": "supervisor.signalProcess", "params": ["web", "CONT"]},
    ]]);
    let answers = call(daemon, Some(OPERATOR), "system.multicall", &calls)
        .unwrap()
        .unwrap();
    assert_eq!(answers[0]["statename"], "RUNNING");
    assert_eq!(answers[1]["faultCode"], 93);
    assert_eq!(
        answers[1]["faultString"],
        "NOT_PERMITTED: operator may not act on db"
    );
    assert_eq!(answers[2], true);
}

/// Arguments are counted before anybody is refused.
fn checks_come_in_order(daemon: &Daemon) {
    let fault = |method, params: Value| {
        let fault = call(daemon, Some(READER), method, &params)
            .unwrap()
            .unwrap_err();
        fault.code
    };
    assert_eq!(fault("supervisor.stopProcess", json!([])), 2);
    assert_eq!(fault("supervisor.stopProcess", json!(["nobody"])), 93);
    assert_eq!(fault("supervisor.noMethod", json!([])), 1);
}

#[test]
fn roles_hold_on_pages_and_in_json() {
    let daemon = daemon();
    use Rank::{Admin, Operator, Reader};
    let pages = [
        ("/?action=refresh", Reader),
        ("/?processname=web&action=restart", Operator),
        ("/?processname=web&action=stop", Operator),
        ("/?processname=web&action=start", Operator),
        ("/?processname=web&action=clearlog", Operator),
        ("/?processname=db&action=stop", Admin),
        ("/?processname=db&action=start", Admin),
        ("/?action=stopall", Admin),
        ("/?action=restartall", Admin),
    ];
    let json = [
        (
            "/api/v1/processes/web/signal",
            r#"{"signal":"CONT"}"#,
            Operator,
        ),
        ("/api/v1/processes/web/restart", "{}", Operator),
        ("/api/v1/processes/web/stop", "{}", Operator),
        ("/api/v1/processes/web/start", "{}", Operator),
        ("/api/v1/processes/web/clear-logs", "{}", Operator),
        ("/api/v1/processes/web/stdin", r#"{"chars":"x"}"#, Operator),
        ("/api/v1/processes/db/signal", r#"{"signal":"CONT"}"#, Admin),
        ("/api/v1/processes/db/restart", "{}", Admin),
        ("/api/v1/processes/signal", r#"{"signal":"CONT"}"#, Admin),
        ("/api/v1/processes/clear-logs", "{}", Admin),
        (
            "/api/v1/groups/web/signal",
            r#"{"signal":"CONT"}"#,
            Operator,
        ),
        ("/api/v1/groups/db/signal", r#"{"signal":"CONT"}"#, Admin),
        ("/api/v1/groups/nobody/add", "{}", Admin),
        ("/api/v1/groups/nobody/remove", "{}", Admin),
        ("/api/v1/remote-event", r#"{"type":"a","data":"b"}"#, Admin),
        ("/api/v1/daemon/reload-config", "{}", Admin),
        ("/api/v1/daemon/clear-log", "{}", Admin),
    ];
    for (login, role) in PEOPLE {
        for path in [
            "/",
            "/tail.html?processname=db",
            "/api/v1/processes",
            "/metrics",
        ] {
            assert_eq!(
                get(&daemon, Some(login), path).status,
                200,
                "{login:?} {path}"
            );
        }
        for (path, from) in pages {
            let reply = get(&daemon, Some(login), path);
            let location = reply.header("Location").unwrap_or_default();
            let refused = location.contains("message=Not%20permitted%3A%20");
            assert_eq!(
                (reply.status, refused),
                (301, role < from),
                "{login:?} {path} {location}"
            );
        }
        for (path, body, from) in json {
            let reply = post_json(&daemon, Some(login), path, &[], body);
            let refused = reply.status == 403;
            assert_eq!(refused, role < from, "{login:?} {path}: {}", reply.text());
            if refused {
                assert!(reply.text().contains("NOT_PERMITTED"), "{}", reply.text());
            }
        }
        for path in ["/api/v1/daemon/shutdown", "/api/v1/daemon/restart"] {
            if role < Admin {
                let reply = post_json(&daemon, Some(login), path, &[], "{}");
                assert_eq!(reply.status, 403, "{login:?} {path}");
            }
        }
    }
}

#[test]
fn nobody_gets_in_by_any_door() {
    let daemon = daemon();
    let paths = [
        "/",
        "/?action=stopall",
        "/ok.html",
        "/logtail/web",
        "/mainlogtail",
        "/api/v1/processes",
        "/metrics",
    ];
    let wrong = [
        None,
        Some(("reader", "chief")),
        Some(("nobody", "reader")),
        Some(("chief", "")),
    ];
    for path in paths {
        let reply = get(&daemon, None, path);
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(
            reply.header("WWW-Authenticate"),
            Some("Basic realm=\"default\"")
        );
    }
    for login in wrong {
        let answer = call(&daemon, login, "supervisor.getState", &json!([]));
        assert_eq!(answer, Err(401), "{login:?}");
    }
    daemon.wait_log("refused GET \"/\" from 127.0.0.1:");
    let log = daemon.log();
    assert!(
        !log.contains("running without any HTTP authentication checking"),
        "{log}"
    );
}

#[test]
fn failures_are_logged_with_the_name_and_never_the_password() {
    let daemon = daemon();
    let answer = call(
        &daemon,
        Some(("chief\n", "hunter2")),
        "supervisor.getState",
        &json!([]),
    );
    assert_eq!(answer, Err(401));
    daemon.wait_log(" as \"chief\\n\": 401 Unauthorized");
    assert!(!daemon.log().contains("hunter2"));
}

#[test]
fn owners_of_processes_are_known_on_unix_sockets() {
    let me = fs::metadata("/proc/self").expect("we live").uid();
    let config = format!(
        "[unix_http_server]\nchmod=0777\n[user:me]\nrole=read-only\nunix_users={me}\n[user:kim]\nrole=operator\n\
         programs=web\nunix_users=65534\npassword=kim\n[program:web]\ncommand=cat\n"
    );
    let daemon = Daemon::start(Flavour::Ours, &config);
    // Named, so that not even root is an admin.
    let fault = daemon.fault("shutdown", json!([]));
    assert_eq!(fault.text, "NOT_PERMITTED: me may not call shutdown");
    // Whoever gives a password is who it belongs to.
    let out = daemon.ctl(&["-u", "kim", "-p", "kim", "signal", "CONT", "web"]);
    assert_eq!(out.stdout, "web: signalled\n", "{out:?}");
    let out = daemon.ctl(&["shutdown"]);
    assert!(
        out.stdout
            .contains("me may not call shutdown: log in as a user who may"),
        "{out:?}"
    );
    if me == 0 {
        others_are_who_they_are(&daemon);
    }
}

/// Only root can be somebody else.
fn others_are_who_they_are(daemon: &Daemon) {
    fs::set_permissions(daemon.dir(), Permissions::from_mode(0o711)).expect("it is ours");
    let status = |uid: u32, path: &str| {
        let output = daemon
            .fixture_command("setpriv".as_ref())
            .args([&format!("--reuid={uid}"), "--regid=65534", "--clear-groups"])
            .args([
                "curl",
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code} %{redirect_url}",
            ])
            .args([
                "--unix-socket",
                "s.sock",
                &format!("http://localhost/{path}"),
            ])
            .output()
            .expect("setpriv runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(status(65_534, "ok.html"), "200 ");
    let refused = status(65_534, "?action=stopall");
    assert!(
        refused.contains("kim%20may%20not%20act%20on%20all"),
        "{refused}"
    );
    assert!(status(65_534, "?action=stop&processname=web").ends_with("web%20stopped"));
    assert_eq!(status(65_533, "ok.html"), "401 ");
}

#[test]
fn root_and_the_daemons_own_account_are_admins_unless_named() {
    let daemon = Daemon::start(
        Flavour::Ours,
        "[user:kim]\nrole=read-only\npassword=kim\n[program:web]\ncommand=cat\n",
    );
    daemon.wait_state("web", "RUNNING");
    assert_eq!(daemon.call("signalProcess", json!(["web", "CONT"])), true);
    let out = daemon.ctl(&["-u", "kim", "-p", "kim", "stop", "web"]);
    assert!(out.stdout.contains("may not"), "{out:?}");
    assert_eq!(daemon.state("web"), "RUNNING");
}

#[test]
fn the_hash_that_supervisorctl_makes_lets_in() {
    let mut daemon = Daemon::prepare(Flavour::Ours, "");
    let hash = hash_password(&daemon, "open % sesame: $1");
    daemon.write_config(&format!("[user:kim]\nrole=admin\npassword={hash}\n"));
    daemon.launch(&[]);
    daemon.wait_until_up();
    let pid = |password| daemon.ctl(&["-u", "kim", "-p", password, "pid"]).stdout;
    assert_eq!(pid("open % sesame: $1"), format!("{}\n", daemon.pid()));
    assert!(
        pid("open").contains("requires authentication"),
        "{}",
        pid("open")
    );
}

#[test]
fn what_an_operator_may_not_act_on_keeps_nobody_from_the_rest() {
    let daemon = Daemon::start(
        Flavour::Ours,
        "[user:kim]\nrole=operator\npassword=kim\nprograms=web, work\n[program:web]\ncommand=cat\n[program:db]\n\
         command=cat\n[program:work]\ncommand=cat\nnumprocs=2\nprocess_name=%(process_num)s\n",
    );
    for name in ["web", "db", "work:0", "work:1"] {
        daemon.wait_state(name, "RUNNING");
    }
    let kim = |words: &[&str]| {
        let words = [&["-u", "kim", "-p", "kim"], words].concat();
        daemon.ctl(&words)
    };
    const REFUSED: &str = "db: ERROR (kim may not act on db)\n";
    let pid = || daemon.info("db")["pid"].clone();
    let untouched = pid();
    for names in [["web", "db"], ["db", "web"]] {
        let out = kim(&["restart", names[0], names[1]]);
        assert_eq!(out.code, 1, "{out:?}");
        for line in ["web: stopped\n", "web: started\n", REFUSED] {
            assert!(out.stdout.contains(line), "{line} in {out:?}");
        }
        assert_eq!(daemon.state("web"), "RUNNING");
    }
    let out = kim(&["restart", "db:*", "work:*"]);
    assert_eq!(out.stdout.matches(REFUSED).count(), 2, "{out:?}");
    assert_eq!(out.stdout.matches("work:0: started").count(), 1, "{out:?}");
    assert_eq!(out.code, 1);
    for (verb, done) in [("signal", "web: signalled\n"), ("clear", "web: cleared\n")] {
        let words: &[&str] = match verb {
            "signal" => &["signal", "CONT", "db", "web"],
            _ => &["clear", "db", "web"],
        };
        let out = kim(words);
        assert_eq!(out.stdout, format!("{REFUSED}{done}"), "{out:?}");
        assert_eq!(out.code, 1);
    }
    assert_eq!(pid(), untouched);
}

/// Somebody who guesses keeps busy whoever comes from the same address, but shuts nobody out.
#[test]
fn guessing_does_not_lock_out_who_knows_the_password() {
    let mut daemon = Daemon::prepare(Flavour::Ours, "");
    let hash = hash_password(&daemon, CHIEF.1);
    daemon.write_config(&format!(
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=chief\npassword={hash}\n"
    ));
    daemon.launch(&[]);
    daemon.wait_until_up();
    let daemon = daemon;
    let begun = AtomicBool::new(false);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let reply = get(&daemon, Some(("chief", "guess")), "/ok.html");
                    assert_eq!(reply.status, 401, "there is room for twenty");
                    begun.store(true, Ordering::Relaxed);
                }
            });
        }
        while !begun.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        for _ in 0..3 {
            let reply = get(&daemon, Some(CHIEF), "/ok.html");
            assert_eq!(reply.status, 200);
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn who_is_refused_by_json_is_told_in_json() {
    let daemon = daemon();
    for path in ["/api/v1/daemon", "/metrics"] {
        let reply = get(&daemon, None, path);
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(
            reply.header("Content-Type"),
            Some("application/json"),
            "{path}"
        );
        assert!(reply.header("WWW-Authenticate").is_some(), "{path}");
        let said: Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(said["error"]["status"], 401, "{path}");
    }
}

#[test]
fn bad_hashes_are_refused_at_start() {
    let daemon = Daemon::prepare(
        Flavour::Ours,
        "[user:kim]\nrole=admin\npassword=$argon2id$v=19$oops\n",
    );
    let out = daemon.run(
        &Flavour::Ours.command("supervisord"),
        &["-n", "-c", "supervisord.conf"],
    );
    assert_eq!(out.code, 2, "{out:?}");
    assert!(
        out.stderr.contains("Section [user:kim] cannot be used"),
        "{out:?}"
    );
    assert!(out.stderr.contains("option password)"), "{out:?}");
}
