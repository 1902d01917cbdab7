//! Listeners begin again: where in the protocol they were, nobody knows.

use std::collections::HashSet;

use callboard_tests::{Daemon, wait};
use serde_json::json;

use crate::support::{kill_daemon, start};

fn sections(options: &str) -> String {
    format!(
        "[eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_STATE_RUNNING,SUPERVISOR_STATE_CHANGE\n\
         startsecs=0\n{options}\n\
         [program:p]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n"
    )
}

fn greetings(daemon: &Daemon) -> usize {
    let events = daemon.events("record");
    let greetings = events.iter();
    greetings
        .filter(|event| event.name() == "SUPERVISOR_STATE_CHANGE_RUNNING")
        .count()
}

fn run_once(daemon: &Daemon) {
    daemon.call("startProcess", json!(["p"]));
    daemon.call("stopProcess", json!(["p"]));
}

#[test]
fn a_listener_is_started_anew_and_no_number_is_given_twice() {
    let daemon = start("keep", &sections(""));
    daemon.wait_state("l", "RUNNING");
    for deaths in 1..=3 {
        run_once(&daemon);
        let before = daemon.process_pid("l");
        kill_daemon(&daemon);
        wait::until_true("another listener", || {
            let pid = daemon.process_pid("l");
            (pid != 0 && pid != before, pid)
        });
        // The first daemon has greeted as well, if the listener came to hear it.
        wait::until_true("the greeting of each daemon", || {
            let count = greetings(&daemon);
            (count >= deaths, count)
        });
    }
    run_once(&daemon);
    let events = daemon.events("record");
    let numbers: HashSet<_> = events.iter().map(|event| event.number("serial")).collect();
    assert_eq!(numbers.len(), events.len());
    assert!(!daemon.log().contains("UNKNOWN"), "{}", daemon.log());
}

#[test]
fn events_on_disk_are_delivered() {
    let daemon = start("keep", &sections("buffer_file=%(here)s/events"));
    daemon.wait_state("l", "RUNNING");
    daemon.call("stopProcess", json!(["l"]));
    for _ in 0..5 {
        run_once(&daemon);
    }
    kill_daemon(&daemon);
    assert_eq!(
        daemon.state("l"),
        "STOPPED",
        "stopped on request it stays so"
    );
    daemon.call("startProcess", json!(["l"]));
    wait::until_true("every event", || {
        let events = daemon.events("record");
        let count = events.iter().filter(|event| event.process() == "p").count();
        (count >= 5, count)
    });
}
