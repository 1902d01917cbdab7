//! `programs_on_death=kill`: nobody outlives the daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;

use callboard_tests::wait;
use nix::sys::signal::Signal;

use serde_json::json;

use crate::support::{send, start, supervisord};

/// Runs away in every way there is.
const RUNAWAY: &str = "#!/bin/sh
setsid sleep 1001 &
setsid sh -c 'sleep 1002 & sleep 1003' &
(setsid -f sh -c 'trap \"\" TERM HUP INT; sleep 1004 & wait')
sh -c 'sleep 1005 &'
exec sleep 1006
";

#[test]
fn everybody_is_killed_however_far_they_ran() {
    for signal in [Signal::SIGKILL, Signal::SIGABRT] {
        let mut daemon = start(
            "kill",
            "[program:a]\ncommand=%(here)s/runaway\nautostart=false\nstartsecs=0\n",
        );
        let path = daemon.path("runaway");
        fs::write(&path, RUNAWAY).expect("the directory is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        assert_eq!(daemon.ctl(&["start", "a"]).code, 0);
        wait::until_true("everybody to run", || {
            let rows = daemon.processes();
            (
                rows.iter().filter(|row| row.name == "sleep").count() == 6,
                rows,
            )
        });
        send(supervisord(&daemon), signal);
        assert_eq!(daemon.wait_exit().signal(), Some(signal as i32));
        assert_eq!(daemon.processes(), []);
    }
}

#[test]
fn an_upgrade_changes_nothing_about_that() {
    let mut daemon = start("kill", "[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    assert_eq!(daemon.call("callboard.upgrade", json!([])), true);
    daemon.wait_log("INFO upgraded in place from ");
    let pid = wait::until("the answer of the new one", || {
        match daemon.try_call("supervisor.getPID", &json!([])) {
            Ok(Ok(pid)) => pid.as_i64().ok_or_else(String::new),
            other => Err(format!("{other:?}")),
        }
    });
    send(i32::try_from(pid).expect("a pid"), Signal::SIGKILL);
    assert_eq!(daemon.wait_exit().signal(), Some(Signal::SIGKILL as i32));
    assert_eq!(daemon.processes(), []);
}
