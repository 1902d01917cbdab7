//! The daemon itself is stopped for a while, as by a debugger, a frozen container, or a suspended machine.

use std::thread::{self, sleep};
use std::time::Duration;

use callboard_tests::{Daemon, procfs, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Before, assert_answers, assert_calm, wait_stopped};

/// Programs that end meanwhile, one of which writes more than a pipe holds.
const CONFIG: &str = "\
[program:mortal]
command=sleep 1000
process_name=%(process_num)02d
numprocs=20
startsecs=0
autorestart=false
[program:loud]
command=sh -c 'while [ ! -e go ]; do sleep 0.02; done; seq -w 1 50000; echo end; exec sleep 1000'
directory=%(here)s
startsecs=0
stdout_logfile=%(here)s/loud.out
stdout_logfile_maxbytes=0
[program:young]
command=sleep 1000
startsecs=2
autostart=false
[eventlistener:recorder]
command=%(ENV_LISTENER)s %(here)s/events
events=PROCESS_STATE_EXITED
startsecs=0
buffer_size=100
[supervisord]
loglevel=info
";

const MORTALS: usize = 20;

/// Longer than `startsecs` of the youngest.
const PAUSE: Duration = Duration::from_secs(3);

#[test]
fn a_daemon_that_was_stopped_catches_up_and_loses_nothing() {
    let mut daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("recorder", "RUNNING");
    let pid = daemon.pid();
    let before = Before::of(&daemon);
    let mortals: Vec<_> = (0..MORTALS)
        .map(|number| daemon.process_pid(&format!("mortal:{number:02}")))
        .collect();
    daemon.call("startProcess", json!(["young", false]));
    daemon.signal(Signal::SIGSTOP);
    wait_stopped(pid);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| assert_answers(&daemon)))
            .collect();
        for mortal in &mortals {
            kill(Pid::from_raw(*mortal), Signal::SIGKILL).expect("it lives");
        }
        std::fs::write(daemon.path("go"), "").expect("the directory is writable");
        sleep(PAUSE);
        assert!(clients.iter().all(|client| !client.is_finished()));
        assert_eq!(procfs::zombies_of(pid).len(), MORTALS);
        daemon.signal(Signal::SIGCONT);
        for client in clients {
            client.join().expect("it is served");
        }
    });
    daemon.wait_file("loud.out", "end\n");
    assert_eq!(daemon.read("loud.out").lines().count(), 50_001);
    daemon.wait_state("young", "RUNNING");
    wait::until("all ends to be told", || match daemon.events("events") {
        events if events.len() == MORTALS => Ok(()),
        events => Err(events),
    });
    assert_calm(&daemon);
    daemon.call("stopProcess", json!(["young"]));
    before.wait();
    daemon.shut_down();
}
