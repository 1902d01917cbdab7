//! Nothing leaks over deaths: neither in the daemon nor in its keeper.

use std::fs;
use std::os::unix::net::UnixStream;

use callboard_tests::{Daemon, wait, workspace};
use serde_json::json;

use crate::support::{kill_daemon, start, supervisord};

/// How many descriptors the keeper and the daemon have open.
fn open(daemon: &Daemon) -> [usize; 2] {
    [daemon.pid(), supervisord(daemon)].map(|pid| {
        let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives");
        entries.count()
    })
}

#[test]
fn shared_sockets_live_on_and_no_descriptor_is_left_behind() {
    let server = workspace::fixtures().join("fcgi.py");
    let daemon = start(
        "keep",
        &format!(
            "[program:a]\ncommand=sleep 1000\nstartsecs=0\nnumprocs=3\nprocess_name=a%(process_num)d\n\
             [fcgi-program:f]\ncommand=python3 {}\nsocket=unix://%(here)s/f.sock\nstartsecs=0\n\
             numprocs=2\nprocess_name=f%(process_num)d\n",
            server.display()
        ),
    );
    for name in ["a:a0", "a:a1", "a:a2", "f:f0", "f:f1"] {
        daemon.wait_state(name, "RUNNING");
    }
    kill_daemon(&daemon);
    let before = open(&daemon);
    for _ in 0..2 {
        kill_daemon(&daemon);
    }
    // What the start has needed, and connections of our own, may take a moment to go.
    wait::until_true("no more descriptors than before", || {
        let after = open(&daemon);
        let is_more = after
            .iter()
            .zip(before)
            .any(|(after, before)| *after > before);
        (!is_more, (after, before))
    });
    assert!(UnixStream::connect(daemon.path("f.sock")).is_ok());
    let closed = || daemon.log().matches("Closing socket").count();
    let before = closed();
    daemon.call("stopProcess", json!(["f:f0"]));
    assert_eq!(closed(), before);
    daemon.call("stopProcess", json!(["f:f1"]));
    assert_eq!(closed(), before + 1, "closed with the last one");
    // By the keeper as well.
    wait::until_true("nobody to listen", || {
        let connected = UnixStream::connect(daemon.path("f.sock"));
        (connected.is_err(), connected)
    });
}
