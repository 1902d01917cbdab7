//! Programs that fork in circles or close their outputs. One that ignores SIGTERM is in the suite e2e, `stopping`.

use std::fs;

use callboard_tests::{Daemon, procfs, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Before, assert_answers, assert_calm};

/// Each generation lives for a moment and is gone when the next one does its work, all in the group of the first.
const CIRCLE: &str = "\
circle() {
    echo \"generation $1\" >>generations
    (sleep 0.02; circle $(($1 + 1))) &
}
circle 1
exec sleep 1000
";

#[test]
fn a_program_that_forks_in_circles_is_stopped_with_all_its_offspring() {
    let config = "[program:circle]\ncommand=sh %(here)s/circle.sh\ndirectory=%(here)s\nstartsecs=0\n\
                  stopasgroup=true\nkillasgroup=true\n";
    let mut daemon = Daemon::prepare(callboard_tests::Flavour::under_test(), config);
    fs::write(daemon.path("circle.sh"), CIRCLE).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    let before = Before::of(&daemon);
    for round in 1..4 {
        daemon.wait_file("generations", "generation 10\n");
        let pid = daemon.process_pid("circle");
        assert_answers(&daemon);
        if round == 1 {
            assert_calm(&daemon);
        }
        // It starts anew after a death, and there is one circle only after a stop.
        match round {
            2 => kill(Pid::from_raw(-pid), Signal::SIGKILL).expect("it lives"),
            _ => drop(daemon.call("stopProcess", json!(["circle"]))),
        }
        wait::until("the group to be gone", || {
            let rows = procfs::processes().into_iter();
            let left: Vec<_> = rows
                .filter(|row| row.group == pid && row.state != 'Z')
                .collect();
            if left.is_empty() { Ok(()) } else { Err(left) }
        });
        fs::write(daemon.path("generations"), "").expect("the directory is writable");
        if round != 2 {
            daemon.call("startProcess", json!(["circle"]));
        }
        daemon.wait_state("circle", "RUNNING");
    }
    before.wait();
    daemon.shut_down();
}

/// What is written to the closed outputs is nobody's.
#[test]
fn a_program_that_closes_its_streams_lives_on_and_costs_nothing() {
    let close = "exec sh -c 'touch %(here)s/closed; exec sleep 1000' ";
    let config = format!(
        "[program:outputs]\ncommand=sh -c \"{close} >&- 2>&-\"\nstartsecs=0\n\
         [program:all]\ncommand=sh -c \"{close} <&- >&- 2>&-\"\nstartsecs=0\nredirect_stderr=true\n"
    );
    let mut daemon = Daemon::under_test(&config);
    let before = Before::of(&daemon);
    wait::until_true("it to close them", || (daemon.path("closed").exists(), ()));
    for program in ["outputs", "all"] {
        daemon.wait_state(program, "RUNNING");
        assert_calm(&daemon);
        // Nobody reads it, or it is refused; it ends nobody.
        let _ = daemon.rpc("sendProcessStdin", json!([program, "words\n"]));
        let pid = daemon.process_pid(program);
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it lives");
        let exited = format!("exited: {program} (terminated by SIGKILL; not expected)");
        daemon.wait_log(&exited);
        daemon.wait_state(program, "RUNNING");
        assert_ne!(daemon.process_pid(program), pid);
    }
    assert_answers(&daemon);
    before.wait();
    daemon.shut_down();
}
