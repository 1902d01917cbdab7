//! Clients get their answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::installed::{last, start, upgrade, upgrade_well};

#[test]
fn a_call_that_waits_gets_its_answer_first() {
    let daemon = start("[program:slow]\ncommand=sleep 1000\nstartsecs=2\nautostart=false\n");
    thread::scope(|scope| {
        let answer = scope.spawn(|| daemon.rpc("startProcess", json!(["slow"])));
        daemon.wait_state("slow", "STARTING");
        upgrade_well(&daemon);
        assert_eq!(answer.join().expect("an answer"), Ok(json!(true)));
    });
    assert_eq!(daemon.state("slow"), "RUNNING");
}

#[test]
fn a_call_that_waits_for_too_long_is_told_so_and_what_it_asked_for_goes_on() {
    let daemon = start("[program:slow]\ncommand=sleep 1000\nstartsecs=14\nautostart=false\n");
    thread::scope(|scope| {
        let answer = scope.spawn(|| daemon.rpc("startProcess", json!(["slow"])));
        daemon.wait_state("slow", "STARTING");
        upgrade_well(&daemon);
        let fault = answer.join().expect("an answer").expect_err("a fault");
        let text = "FAILED: the daemon is being upgraded; what was asked for goes on";
        assert_eq!((fault.code, fault.text.as_str()), (30, text));
    });
    assert_eq!(daemon.state("slow"), "STARTING");
    daemon.wait_state("slow", "RUNNING");
}

#[test]
fn clients_that_come_meanwhile_are_served() {
    let daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = 0;
                    while !over.load(Ordering::Relaxed) {
                        let answer = daemon.try_call("supervisor.getState", &json!([]));
                        let state = answer.expect("every call is answered").expect("no fault");
                        assert_eq!(state["statename"], "RUNNING");
                        answers += 1;
                    }
                    answers
                })
            })
            .collect();
        let pid = daemon.process_pid("a");
        for _ in 0..5 {
            upgrade_well(&daemon);
        }
        over.store(true, Ordering::Relaxed);
        let answers = clients
            .into_iter()
            .map(|client| client.join().expect("no client fails"));
        assert!(answers.sum::<i32>() > 20);
        assert_eq!(daemon.process_pid("a"), pid);
    });
}

#[test]
fn signals_that_come_meanwhile_are_obeyed() {
    let mut daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    let before = last(&daemon);
    upgrade(&daemon);
    assert_ne!(last(&daemon), before);
    daemon.signal(Signal::SIGUSR1);
    daemon.signal(Signal::SIGTERM);
    let status = daemon.wait_exit();
    assert_eq!(status.code(), Some(0), "{}", daemon.log());
    daemon.assert_nothing_left();
}
