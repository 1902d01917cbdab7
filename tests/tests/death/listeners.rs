//! Listeners begin again: where in the protocol they were, nobody knows.

use std::collections::HashSet;

use callboard_tests::{Daemon, Event, wait};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{kill_daemon, send, start};

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

/// The daemon dies when it has begun to deal with many ends, and what it has told of them is not in the file yet.
#[test]
fn events_on_their_way_to_the_disk_are_delivered() {
    const PROGRAMS: usize = 40;
    let daemon = start(
        "keep",
        &format!(
            "[eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_STATE_EXITED\nstartsecs=0\n\
             buffer_file=%(here)s/events\n\
             [program:p]\ncommand=sleep 1000\nprocess_name=p%(process_num)d\nnumprocs={PROGRAMS}\nstartsecs=0\nautorestart=true\n"
        ),
    );
    let mut killed = Vec::new();
    for deaths in 1..=5 {
        let pids: Vec<i64> = wait::until("all programs to run", || {
            let infos = daemon.call("getAllProcessInfo", json!([]));
            let infos = infos.as_array().expect("a list").iter();
            let programs = infos.filter(|info| info["group"] == "p");
            let pids = programs.filter_map(|info| info["pid"].as_i64());
            let pids: Vec<_> = pids
                .filter(|pid| *pid != 0 && !killed.contains(pid))
                .collect();
            if pids.len() == PROGRAMS {
                Ok(pids)
            } else {
                Err(pids)
            }
        });
        let ends = || daemon.log().matches("exited: p").count();
        let before = ends();
        for pid in &pids {
            send(i32::try_from(*pid).expect("a pid"), Signal::SIGKILL);
        }
        killed.extend(pids);
        wait::until_true("some ends", || (ends() > before + deaths, ends()));
        kill_daemon(&daemon);
    }
    wait::until_true("an event for each end", || {
        let events = daemon.events("record");
        let pid = |event: &Event| event.payload.split_once(" pid:")?.1.trim().parse().ok();
        let told: HashSet<i64> = events.iter().filter_map(pid).collect();
        let missing: Vec<_> = killed.iter().filter(|pid| !told.contains(pid)).collect();
        (missing.is_empty(), format!("{missing:?}"))
    });
}
