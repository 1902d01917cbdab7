//! No processes left, and no memory for one.

use std::fs;
use std::os::unix::fs::chown;

use callboard_tests::{Daemon, Flavour, clock, http::Address};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use serde_json::json;

use crate::support::{Before, Limit, assert_answers, assert_calm};

/// The user that owns nothing: limits of processes mean nothing to root.
const NOBODY: u32 = 65534;

const PROGRAMS: &str = "\
[program:early]
command=sleep 1000
startsecs=0
startretries=20
[program:late]
command=sleep 1000
autostart=false
startsecs=0
startretries=20
";

/// A listener that needs neither other programs nor files that an ordinary user may not read. Events have three lines.
const LISTENER: &str = "echo READY; while read header && read type && read data; do \
    echo $data >>record; echo RESULT 2; echo OKREADY; done";

/// A daemon of an ordinary user.
fn start(config: &str) -> Daemon {
    let is_root = Uid::effective().is_root();
    let user = if is_root { "user=nobody\n" } else { "" };
    let config = format!("{config}[supervisord]\nloglevel=info\n{user}");
    let mut daemon = Daemon::prepare(Flavour::under_test(), &config);
    if is_root {
        for path in [daemon.dir(), &daemon.path("logs")] {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("we are root");
        }
    }
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_state("early", "RUNNING");
    daemon
}

/// A program that crashes and one that is to start both wait, until `repair`.
fn outlive(daemon: &Daemon, complaint: impl Fn(&str) -> String, repair: impl FnOnce()) {
    let pid = daemon.process_pid("early");
    let fault = daemon.fault("startProcess", json!(["late"]));
    assert_eq!((fault.code, fault.text.as_str()), (50, "SPAWN_ERROR: late"));
    assert_eq!(daemon.info("late")["spawnerr"], complaint("late"));
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it lives");
    daemon.wait_log(&format!("spawnerr: {}", complaint("early")));
    assert_answers(daemon);
    assert_calm(daemon);
    repair();
    for program in ["early", "late"] {
        daemon.wait_state(program, "RUNNING");
    }
    daemon.call("stopProcess", json!(["late"]));
}

#[test]
fn without_processes_programs_wait_until_there_are_some() {
    if Flavour::under_test() == Flavour::Original {
        return; // The same.
    }
    let mut daemon = start(PROGRAMS);
    let before = Before::of(&daemon);
    let limit = Limit::set(daemon.pid(), "nproc", 0);
    let complaint = |name: &str| format!("Too many processes in process table to spawn '{name}'");
    outlive(&daemon, complaint, || drop(limit));
    before.wait();
    daemon.shut_down();
}

/// What is done beside the event loop takes threads, which count as processes: then it is done within it.
#[test]
fn without_threads_events_are_synced_and_passwords_compared_all_the_same() {
    if Flavour::under_test() == Flavour::Original {
        return; // It has neither.
    }
    // Of "chief".
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiBzaXh0ZWVuLg$lTQPh3S6Ur99My3c1IG5qyxY3NIRAVHUv54tkfCECLw";
    let daemon = start(&format!(
        "{PROGRAMS}[eventlistener:keep]\ncommand=sh -c '{LISTENER}'\ndirectory=%(here)s\n\
         events=REMOTE_COMMUNICATION\nstartsecs=0\nbuffer_file=%(here)s/events\nbuffer_file_sync=always\n\
         [inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n[user:ann]\npassword={hash}\nrole=admin\n"
    ));
    let _limit = Limit::set(daemon.pid(), "nproc", 0);
    let sent = daemon.call("sendRemoteCommEvent", json!(["t", "kept\n"]));
    assert_eq!(sent, json!(true));
    daemon.wait_file("record", "kept");
    for (login, status) in [("ann:chief", 200), ("ann:wrong", 401)] {
        let header = format!("Authorization: Basic {}", base64(login));
        let reply = Address::Port(daemon.port()).send("GET", "/", &[&header]);
        assert_eq!(reply.expect("an answer").status, status, "{login}");
    }
    assert_answers(&daemon);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn without_memory_for_a_process_programs_wait_until_there_is_some() {
    if Flavour::under_test() == Flavour::Original {
        return; // It turns in circles: the closed pipes are selected on.
    }
    let mut daemon = Daemon::prepare(
        Flavour::under_test(),
        &format!("{PROGRAMS}[supervisord]\nloglevel=info\n"),
    );
    let fault = daemon.path("no-memory");
    daemon.add_environment(clock::refusing_fork(&fault));
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_state("early", "RUNNING");
    let before = Before::of(&daemon);
    fs::write(&fault, "").expect("the directory is writable");
    let complaint = |name: &str| format!("unknown error during fork for '{name}': ENOMEM");
    outlive(&daemon, complaint, || {
        fs::remove_file(&fault).expect("it is there");
    });
    before.wait();
    daemon.shut_down();
}
