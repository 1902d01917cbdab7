//! The keeper: passes signals on, ends as the daemon does, and may be killed itself.

use callboard_tests::{Daemon, procfs, wait};
use nix::sys::signal::Signal;
use serde_json::json;
use std::os::unix::process::ExitStatusExt as _;

use crate::support::{begin_gap, kill_daemon, send, start, supervisord, wait_end};

const SLEEPER: &str = "[program:a]\ncommand=sleep 1000\nstartsecs=0\n";

#[test]
fn signals_are_passed_on_and_the_exit_code_is_the_daemons() {
    for mode in ["keep", "kill"] {
        let mut daemon = start(mode, SLEEPER);
        daemon.wait_state("a", "RUNNING");
        assert_ne!(supervisord(&daemon), daemon.pid());
        daemon.signal(Signal::SIGUSR2);
        daemon.wait_log("INFO received SIGUSR2 indicating log reopen request");
        daemon.signal(Signal::SIGHUP);
        daemon.wait_log("WARN received SIGHUP indicating restart request");
        wait::until("the next round", || {
            match daemon.try_call("supervisor.getState", &json!([])) {
                Ok(Ok(state)) if state["statename"] == "RUNNING" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
        daemon.wait_state("a", "RUNNING");
        daemon.shut_down();
    }
}

#[test]
fn a_daemon_that_cannot_start_says_so() {
    let mut daemon = Daemon::prepare(
        callboard_tests::Flavour::Ours,
        &crate::support::with_mode("keep", "[unix_http_server]\nfile=/no/such/s.sock\n"),
    );
    daemon.launch(&[]);
    assert_eq!(daemon.wait_exit().code(), Some(2), "{}", daemon.log());
}

#[test]
fn a_shutdown_while_there_is_no_daemon_stops_the_programs() {
    let mut daemon = start("keep", SLEEPER);
    daemon.wait_state("a", "RUNNING");
    let program = daemon.process_pid("a");
    let gap = begin_gap(&daemon);
    daemon.signal(Signal::SIGTERM);
    drop(gap);
    assert_eq!(daemon.wait_exit().code(), Some(0));
    assert!(!procfs::is_alive(program));
    assert_eq!(daemon.processes(), []);
}

#[test]
fn a_daemon_that_dies_while_it_stops_its_programs_has_them_stopped() {
    let deaf = "[program:deaf]\ncommand=sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.1; done'\n\
                startsecs=0\nstopwaitsecs=60\n";
    for (restarts, method) in [(true, "restart"), (false, "shutdown")] {
        let mut daemon = start("keep", &format!("{SLEEPER}{deaf}"));
        wait::until_true("the deaf program to be up", || {
            let text = daemon.call("readProcessStdoutLog", json!(["deaf", 0, 0]));
            (text == "up\n", text)
        });
        let programs = ["a", "deaf"].map(|name| daemon.process_pid(name));
        let before = supervisord(&daemon);
        daemon.call(method, json!([]));
        daemon.wait_log("killing deaf (pid");
        send(before, Signal::SIGKILL);
        if restarts {
            send(programs[1], Signal::SIGKILL);
            crate::support::successor(&daemon, before);
            daemon.wait_log(
                "its programs were stopped and begin anew: it was beginning or ending at the time",
            );
            daemon.wait_state("a", "RUNNING");
            assert_ne!(daemon.process_pid("a"), programs[0]);
            daemon.wait_state("deaf", "RUNNING");
            let deaf = daemon.process_pid("deaf");
            daemon.call("shutdown", json!([]));
            send(deaf, Signal::SIGKILL);
            assert_eq!(daemon.wait_exit().code(), Some(0));
        } else {
            send(programs[1], Signal::SIGKILL);
            assert_eq!(daemon.wait_exit().signal(), Some(9));
        }
        programs.into_iter().for_each(wait_end);
    }
}

#[test]
fn without_its_keeper_a_daemon_goes_on() {
    let daemon = start("keep", SLEEPER);
    daemon.wait_state("a", "RUNNING");
    kill_daemon(&daemon);
    let program = daemon.process_pid("a");
    send(daemon.pid(), Signal::SIGKILL);
    daemon.wait_log(
        "CRIT the keeper was killed: from now on programs are left alone if the daemon dies",
    );
    assert_eq!(
        (daemon.state("a"), daemon.process_pid("a")),
        ("RUNNING".to_owned(), program)
    );
    // It is nobody's child any more, and its end is noticed all the same.
    send(program, Signal::SIGKILL);
    wait::until_true("another one", || {
        let pid = daemon.process_pid("a");
        (pid != program && pid != 0, pid)
    });
    daemon.wait_state("a", "RUNNING");
    assert_eq!(daemon.call("shutdown", json!([])), true);
    daemon.assert_nothing_left();
}

#[test]
fn without_its_keeper_a_daemon_that_is_to_leave_nobody_shuts_down() {
    let daemon = start("kill", SLEEPER);
    daemon.wait_state("a", "RUNNING");
    send(daemon.pid(), Signal::SIGKILL);
    daemon.wait_log("CRIT the keeper was killed: shutting down");
    daemon.assert_nothing_left();
}

#[test]
fn a_keeper_that_is_stopped_holds_nobody_up_and_hears_everything_later() {
    let daemon = start(
        "keep",
        "[program:p]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\nnumprocs=20\n\
         process_name=p%(process_num)02d\n",
    );
    send(daemon.pid(), Signal::SIGSTOP);
    for _ in 0..60 {
        daemon.call("startProcessGroup", json!(["p"]));
        daemon.call("stopProcessGroup", json!(["p", false]));
        wait::until_true("all to be stopped", || {
            let infos = daemon.call("getAllProcessInfo", json!([]));
            let infos = infos.as_array().into_iter().flatten();
            let stopped = infos.filter(|info| info["statename"] == "STOPPED").count();
            (stopped == 20, stopped)
        });
    }
    for number in (0..20).step_by(2) {
        daemon.call("startProcess", json!([format!("p:p{number:02}")]));
    }
    let pids = || {
        let infos = daemon.call("getAllProcessInfo", json!([]));
        let infos = infos.as_array().into_iter().flatten();
        infos.map(|info| info["pid"].clone()).collect::<Vec<_>>()
    };
    let before = pids();
    send(daemon.pid(), Signal::SIGCONT);
    // It waits until nothing is on its way any more.
    assert_eq!(daemon.call("callboard.upgrade", json!([])), true);
    daemon.wait_log("INFO upgraded in place from ");
    kill_daemon(&daemon);
    assert_eq!(pids(), before);
    assert_eq!(before.iter().filter(|pid| **pid != 0).count(), 10);
}
