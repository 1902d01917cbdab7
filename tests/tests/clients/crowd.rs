//! Two hundred clients at once, fifty of whom follow logs and never read.

use std::fs;
use std::io::Write;
use std::thread;

use callboard_tests::http::Connection;
use callboard_tests::{Daemon, wait};
use serde_json::json;

const FOLLOWERS: usize = 50;
const CALLERS: usize = 150;

/// How often each caller calls.
const ROUNDS: usize = 4;

/// The most the daemon may grow, in KiB: what it keeps for a follower may not depend on what is written.
const MAX_GROWTH: u64 = 64 * 1024;

/// Writes 32 MB when told to, a third of which would fill every socket's buffer, and then says so.
const CONFIG: &str = "\
[program:loud]
command=sh -c 'while [ ! -e %(here)s/go ]; do sleep 0.02; done; yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c 32000000; touch %(here)s/done; exec sleep 1000'
startsecs=0
stdout_logfile=%(here)s/loud.out
stdout_logfile_maxbytes=0
[program:quiet]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=5
startsecs=0
[supervisord]
logfile_maxbytes=0
";

fn descriptors(daemon: &Daemon) -> usize {
    let entries = fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("the daemon lives");
    entries.count()
}

/// Resident memory in KiB.
fn resident(daemon: &Daemon) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("the daemon lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a number of KiB")
}

/// A client that asks for a log and reads nothing of it; a third of them ask for the main log.
fn follower(daemon: &Daemon, number: usize) -> Box<dyn Connection> {
    let path = match number % 3 {
        0 => "/mainlogtail",
        _ => "/logtail/loud",
    };
    let mut connection = daemon.address().connect().expect("the daemon listens");
    // supervisorctl sends a line too many as well.
    write!(connection, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n\r\n").expect("it reads");
    connection
}

/// Calls and checks every answer.
fn caller(daemon: &Daemon) {
    for _ in 0..ROUNDS {
        let state = daemon.call("getState", json!([]));
        assert_eq!(state["statename"], "RUNNING");
        let infos = daemon.call("getAllProcessInfo", json!([]));
        let infos = infos.as_array().expect("an array");
        assert_eq!(infos.len(), 6);
        assert!(
            infos.iter().all(|info| info["statename"] == "RUNNING"),
            "{infos:?}"
        );
    }
}

#[test]
fn followers_that_never_read_hold_up_nobody_and_leave_nothing() {
    let daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("loud", "RUNNING");
    caller(&daemon);
    let baseline = descriptors(&daemon);
    let before = resident(&daemon);
    let followers: Vec<_> = (0..FOLLOWERS)
        .map(|number| follower(&daemon, number))
        .collect();
    wait::until_true("all followers to be served", || {
        let open = descriptors(&daemon);
        (open >= baseline + FOLLOWERS, open)
    });
    fs::write(daemon.path("go"), "").expect("the directory is writable");
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| caller(&daemon));
        }
    });
    wait::until_true("all to be written", || (daemon.path("done").exists(), ()));
    caller(&daemon);
    let growth = resident(&daemon).saturating_sub(before);
    assert!(
        growth < MAX_GROWTH,
        "{growth} KiB for {FOLLOWERS} followers"
    );
    drop(followers);
    // The baseline may have counted the end of a connection.
    wait::until_true("the followers to be forgotten", || {
        let open = descriptors(&daemon);
        (open <= baseline, (open, baseline))
    });
}
