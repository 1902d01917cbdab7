//! `programs_on_death=kill`: nobody outlives the daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;

use callboard_tests::wait;
use nix::sys::signal::Signal;

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
