//! Whatever the new program is, the daemon goes on, and says why.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use callboard_tests::{Daemon, Flavour, originals};
use serde_json::json;

use crate::installed::{install, install_script, link, start, upgrade, upgrade_well};

const CONFIG: &str = "[program:a]\ncommand=sh -c 'while :; do echo tick; sleep 0.05; done'\nstartsecs=0\n\
    [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=REMOTE_COMMUNICATION\nstartsecs=0\n";

fn daemon() -> Daemon {
    let daemon = start(CONFIG);
    daemon.wait_state("a", "RUNNING");
    daemon.wait_state("l", "RUNNING");
    daemon
}

/// Everything works as if nothing had been tried.
fn assert_goes_on(daemon: &Daemon, pids: [i32; 2]) {
    assert_eq!(["a", "l"].map(|name| daemon.process_pid(name)), pids);
    let size = || fs::metadata(log(daemon)).map_or(0, |metadata| metadata.len());
    let before = size();
    callboard_tests::wait::until_true("output that is read", || (size() > before, size()));
    let known = daemon.events("record").len();
    assert_eq!(daemon.call("sendRemoteCommEvent", json!(["t", "x"])), true);
    callboard_tests::wait::until_true("the event", || {
        let events = daemon.events("record").len();
        (events == known + 1, events)
    });
}

fn log(daemon: &Daemon) -> String {
    let info = daemon.info("a");
    info["stdout_logfile"].as_str().expect("a path").to_owned()
}

#[test]
fn a_program_that_is_none_is_refused() {
    let daemon = daemon();
    let pids = ["a", "l"].map(|name| daemon.process_pid(name));
    let plain = daemon.path("plain");
    fs::write(&plain, "x").expect("the directory is writable");
    let crash = "#!/bin/sh\nkill -SEGV $$\n";
    let complaint = "#!/bin/sh\necho I will not >&2\nexit 3\n";
    type Prepare<'a> = Box<dyn Fn() + 'a>;
    let rows: [(&str, Prepare<'_>); 7] = [
        (
            "ENOENT",
            Box::new(|| install(&daemon, Path::new("/no/such/program"))),
        ),
        ("EACCES", Box::new(|| install(&daemon, &plain))),
        (
            "it is something else",
            Box::new(|| install(&daemon, Path::new("/bin/true"))),
        ),
        (
            "terminated by SIGSEGV",
            Box::new(|| install_script(&daemon, crash)),
        ),
        (
            "I will not (exit status 3)",
            Box::new(|| install_script(&daemon, complaint)),
        ),
        (
            "resume-check",
            Box::new(|| install(&daemon, &originals::command("supervisord"))),
        ),
        (
            "ENOENT",
            Box::new(|| fs::remove_file(link(&daemon)).expect("it is there")),
        ),
    ];
    for (number, (reason, prepare)) in (1..).zip(rows) {
        prepare();
        let last = upgrade(&daemon);
        let failure = last["failure"].as_str().expect("a text");
        assert!(failure.contains(reason), "{failure:?}: {reason:?}");
        assert_eq!(last["number"], number);
        daemon.wait_log(&format!(
            "CRIT not upgraded, the daemon goes on: {}",
            failure.lines().next().unwrap_or("")
        ));
        assert_goes_on(&daemon, pids);
    }
    install(&daemon, &Flavour::Ours.command("supervisord"));
    upgrade_well(&daemon);
    assert_goes_on(&daemon, pids);
}

#[test]
fn a_program_that_vanishes_at_the_last_moment_is_no_loss() {
    let daemon = daemon();
    let pids = ["a", "l"].map(|name| daemon.process_pid(name));
    let script = "#!/bin/sh\ncat >/dev/null\nrm -f \"$0\"\necho ready to go on as version 9\n";
    for _ in 0..2 {
        install_script(&daemon, script);
        let last = upgrade(&daemon);
        let failure = last["failure"].as_str().expect("a text");
        assert!(failure.starts_with("cannot execute "), "{failure}");
        assert_goes_on(&daemon, pids);
    }
    install(&daemon, &Flavour::Ours.command("supervisord"));
    upgrade_well(&daemon);
    assert_goes_on(&daemon, pids);
}

/// A program that can go on, as it says, and then hands ours a state with another beginning.
fn successor(edit: &str) -> String {
    let python = originals::python();
    let ours = Flavour::Ours.command("supervisord");
    format!(
        "#!{}\nimport os, sys\n\
         if sys.argv[1] == '--resume-check':\n    print('ready to go on as version 9'); sys.exit(0)\n\
         fd = os.environ['CALLBOARD_STATE']\n\
         state = open('/proc/self/fd/' + fd).read()\n\
         {edit}\n\
         new = os.memfd_create('state', 0)\n\
         os.write(new, state.encode())\n\
         os.environ['CALLBOARD_STATE'] = str(new)\n\
         os.execv({ours:?}, sys.argv)\n",
        python.display(),
    )
}

#[test]
fn a_program_that_cannot_go_on_after_all_becomes_the_one_before() {
    let daemon = daemon();
    let pids = ["a", "l"].map(|name| daemon.process_pid(name));
    let rows = [
        (
            "state = state.replace('\"format\":1', '\"format\":99', 1)",
            "the state is of format 99",
        ),
        (
            "state = state[:len(state) // 2]",
            "this is no state of a daemon",
        ),
        (
            "state = state.replace('\"start_dir\":', '\"started\":', 1)",
            "missing field `start_dir`",
        ),
    ];
    for (edit, reason) in rows {
        install_script(&daemon, &successor(edit));
        let last = upgrade(&daemon);
        let failure = last["failure"].as_str().expect("a text");
        assert!(failure.contains(reason), "{failure}");
        daemon.wait_log("CRIT not upgraded, went back to ");
        assert_goes_on(&daemon, pids);
    }
}

#[test]
fn what_a_later_version_knows_besides_is_passed_over() {
    let daemon = daemon();
    let pids = ["a", "l"].map(|name| daemon.process_pid(name));
    let edit =
        "state = state.replace('\"start_dir\":', '\"novelty\":{\"x\":[1]},\"start_dir\":', 1)";
    install_script(&daemon, &successor(edit));
    upgrade_well(&daemon);
    assert_goes_on(&daemon, pids);
    // The script is what is installed, and has become the program that will be asked again.
    let mode = fs::metadata(link(&daemon))
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111);
    upgrade_well(&daemon);
    assert_goes_on(&daemon, pids);
}
