//! A listener that is stopped in the middle of a message. What listeners do wrong otherwise is in the suites e2e,
//! `events_failures`, and events, `chaos`.

use std::fs;

use callboard_tests::{Daemon, Flavour, procfs, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Before, assert_answers, assert_calm, wait_stopped};

/// Reads a byte of its first event, says so, and goes on when it is told to.
const HESITANT: &str = "\
import os, sys, time
os.write(1, b'READY\\n')
first = os.read(0, 1)
open('begun', 'w').close()
while not os.path.exists('go'):
    time.sleep(0.02)
stdin = os.fdopen(0, 'rb')
line = first + stdin.readline()
while line:
    length = int(line.split(b'len:')[1])
    payload = stdin.read(length)
    with open('record', 'ab') as record:
        record.write(payload[:20].split(b'\\n')[0] + b' %d\\n' % length)
    os.write(1, b'RESULT 2\\nOKREADY\\n')
    line = stdin.readline()
";

/// Many times what a pipe holds.
const LARGE: usize = 1_000_000;

fn start() -> Daemon {
    let config = "[eventlistener:hesitant]\ncommand=\"%(ENV_PYTHON)s\" hesitant.py\ndirectory=%(here)s\n\
                  events=REMOTE_COMMUNICATION\nstartsecs=0\nstopwaitsecs=1\nbuffer_size=100\n\
                  [supervisord]\nloglevel=info\n";
    let mut daemon = Daemon::prepare(Flavour::under_test(), config);
    fs::write(daemon.path("hesitant.py"), HESITANT).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_state("hesitant", "RUNNING");
    daemon
}

/// Stops the listener, an event of which it has read one byte behind it and another waiting.
fn stop_within_message(daemon: &Daemon) -> Pid {
    let large = "x".repeat(LARGE);
    for (kind, data) in [("first", large.as_str()), ("second", "small")] {
        daemon.call("sendRemoteCommEvent", json!([kind, data]));
    }
    wait::until_true("the first byte", || (daemon.path("begun").exists(), ()));
    let pid = Pid::from_raw(daemon.process_pid("hesitant"));
    kill(pid, Signal::SIGSTOP).expect("it lives");
    wait_stopped(pid.as_raw());
    fs::write(daemon.path("go"), "").expect("the directory is writable");
    pid
}

#[test]
fn a_listener_stopped_within_a_message_gets_the_rest_of_it_when_it_goes_on() {
    let mut daemon = start();
    let before = Before::of(&daemon);
    let pid = stop_within_message(&daemon);
    assert_answers(&daemon);
    assert_calm(&daemon);
    assert_eq!(daemon.state("hesitant"), "RUNNING");
    kill(pid, Signal::SIGCONT).expect("it lives");
    let length = LARGE + "type:first\n".len();
    let second = "type:second\nsmall".len();
    daemon.wait_file(
        "record",
        &format!("type:first {length}\ntype:second {second}\n"),
    );
    before.wait();
    daemon.shut_down();
}

#[test]
fn a_listener_stopped_within_a_message_is_killed_and_another_gets_the_message() {
    let mut daemon = start();
    let before = Before::of(&daemon);
    let pid = stop_within_message(&daemon);
    // It does not hear SIGTERM.
    daemon.call("stopProcess", json!(["hesitant"]));
    assert!(!procfs::is_alive(pid.as_raw()));
    daemon.wait_log("killing 'hesitant'");
    assert_answers(&daemon);
    daemon.call("startProcess", json!(["hesitant"]));
    let length = LARGE + "type:first\n".len();
    let second = "type:second\nsmall".len();
    daemon.wait_file(
        "record",
        &format!("type:first {length}\ntype:second {second}\n"),
    );
    before.wait();
    daemon.shut_down();
}
