//! Nothing leaks: neither in the daemon nor into programs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;

use callboard_tests::{wait, workspace};
use serde_json::json;

use crate::installed::{start, upgrade_well};

/// The open descriptors of a process and what they lead to, by kind.
fn open(pid: i32) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("it lives")
        .flatten()
    {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        if target.contains("/events.") {
            // Of a pool's files as many are open as it happens to read.
            continue;
        }
        let kind = target.split(':').next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

#[test]
fn no_descriptor_is_left_behind() {
    let server = workspace::fixtures().join("fcgi.py");
    let daemon = start(&format!(
        "[program:a]\ncommand=sleep 1000\nstartsecs=0\nnumprocs=3\nprocess_name=a%(process_num)d\n\
         [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_STATE\nstartsecs=0\n\
         buffer_file=%(here)s/events\n\
         [fcgi-program:f]\ncommand=python3 {}\nsocket=unix://%(here)s/f.sock\nstartsecs=0\n\
         numprocs=2\nprocess_name=f%(process_num)d\n\
         [inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n",
        server.display()
    ));
    for name in ["a:a0", "a:a1", "a:a2", "l", "f:f0", "f:f1"] {
        daemon.wait_state(name, "RUNNING");
    }
    // What the daemon was started with and does not need goes with the first one.
    upgrade_well(&daemon);
    let before = open(daemon.pid());
    for _ in 0..3 {
        upgrade_well(&daemon);
    }
    // Connections of our own may take a moment to go.
    wait::until("no more descriptors than before", || {
        let after = open(daemon.pid());
        let is_more = |(kind, count): (&String, &usize)| before.get(kind) < Some(count);
        match after.iter().any(is_more) {
            false => Ok(()),
            true => Err(after),
        }
    });
    let socket = daemon.path("f.sock");
    assert!(UnixStream::connect(&socket).is_ok());
    let closed = || daemon.log().matches("Closing socket").count();
    let before = closed();
    daemon.call("stopProcess", json!(["f:f0"]));
    assert_eq!(closed(), before);
    daemon.call("stopProcess", json!(["f:f1"]));
    assert_eq!(
        closed(),
        before + 1,
        "closed with the last one, also by a successor"
    );
    assert_eq!(daemon.call("startProcess", json!(["f:f0"])), true);
    let pipes = BTreeMap::from([("pipe".to_owned(), 3)]);
    assert_eq!(open(daemon.process_pid("a:a0")), pipes, "from before");
    daemon.call("stopProcess", json!(["a:a1"]));
    daemon.call("startProcess", json!(["a:a1"]));
    wait::until("the new child to be executed", || {
        match open(daemon.process_pid("a:a1")) {
            found if found == pipes => Ok(()),
            found => Err(found),
        }
    });
}
