//! Signals to the daemon.

use callboard_tests::{Daemon, wait};
use nix::sys::signal::Signal;
use serde_json::json;

const PROGRAM: &str = "[program:a]\ncommand=sleep 1000\nstartsecs=0\n";

#[test]
fn term_int_and_quit_end_it_cleanly() {
    for (signal, name) in [
        (Signal::SIGTERM, "SIGTERM"),
        (Signal::SIGINT, "SIGINT"),
        (Signal::SIGQUIT, "SIGQUIT"),
    ] {
        let mut daemon = Daemon::under_test(PROGRAM);
        daemon.wait_state("a", "RUNNING");
        daemon.signal(signal);
        assert_eq!(daemon.wait_exit().code(), Some(0), "{name}");
        daemon.assert_nothing_left();
        let log = daemon.log();
        for line in [
            format!("WARN received {name} indicating exit request"),
            "INFO waiting for a to die".to_owned(),
            "WARN stopped: a (terminated by SIGTERM)".to_owned(),
        ] {
            assert!(log.contains(&line), "{line} is not in {log}");
        }
    }
}

#[test]
fn hup_restarts_within_the_same_process_and_reads_the_file_again() {
    let mut daemon = Daemon::under_test(PROGRAM);
    daemon.wait_state("a", "RUNNING");
    let (pid, program) = (daemon.pid(), daemon.process_pid("a"));
    daemon.write_config("[program:b]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_log("WARN received SIGHUP indicating restart request");
    wait::until_true("the old program to end", || {
        (!callboard_tests::procfs::is_alive(program), ())
    });
    wait::until("the second start", || {
        let log = daemon.log();
        if log.matches("supervisord started with pid").count() == 2 {
            Ok(())
        } else {
            Err(log)
        }
    });
    daemon.wait_until_up();
    daemon.wait_state("b", "RUNNING");
    assert_eq!(daemon.call("getPID", json!([])), pid);
    assert_eq!(daemon.read("supervisord.pid"), format!("{pid}\n"));
    assert_eq!(
        daemon.fault("getProcessInfo", json!(["a"])).text,
        "BAD_NAME: a"
    );
    daemon.shut_down();
}

#[test]
fn a_program_that_exits_is_never_left_a_zombie() {
    let mut daemon = Daemon::under_test(
        "[program:quick]\ncommand=true\nstartsecs=0\nautorestart=false\nnumprocs=50\nprocess_name=q_%(process_num)d\n",
    );
    for number in 0..50 {
        daemon.wait_state(&format!("quick:q_{number}"), "EXITED");
    }
    assert_eq!(callboard_tests::procfs::zombies_of(daemon.pid()), []);
    daemon.shut_down();
}
