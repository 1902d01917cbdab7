//! No descriptors left: while programs start, while logs rotate, while clients come.

use std::thread;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Before, Limit, Regular, assert_answers, assert_calm, fill_gaps};

const CONFIG: &str = "\
[program:early]
command=sleep 1000
startsecs=0
[program:late]
command=sleep 1000
autostart=false
startsecs=0
startretries=20
[supervisord]
loglevel=info
";

#[test]
fn a_program_that_cannot_start_says_why_and_starts_when_there_are_some() {
    let mut daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("early", "RUNNING");
    let before = Before::of(&daemon);
    // A connection and the first pipe.
    let limit = Limit::descriptors(&daemon, 3);
    let fault = daemon.fault("startProcess", json!(["late"]));
    assert_eq!((fault.code, fault.text.as_str()), (50, "SPAWN_ERROR: late"));
    let info = daemon.info("late");
    assert_eq!(info["statename"], "BACKOFF");
    assert_eq!(info["spawnerr"], "too many open files to spawn 'late'");
    daemon.wait_log("spawnerr: too many open files to spawn 'late'");
    assert_eq!(daemon.state("early"), "RUNNING");
    assert_calm(&daemon);
    drop(limit);
    daemon.wait_state("late", "RUNNING");
    daemon.call("stopProcess", json!(["late"]));
    before.wait();
    daemon.shut_down();
}

#[test]
fn a_program_that_crashes_without_any_left_comes_back() {
    let mut daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("early", "RUNNING");
    let before = Before::of(&daemon);
    let pid = daemon.process_pid("early");
    let clients = fill_gaps(&daemon);
    let limit = Limit::descriptors(&daemon, 0);
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it lives");
    daemon.wait_log("exited: early (terminated by SIGKILL; not expected)");
    daemon.wait_log("spawnerr: too many open files to spawn 'early'");
    // Those of the dead program are free, and one is enough for a client.
    assert_answers(&daemon);
    drop((limit, clients));
    daemon.wait_state("early", "RUNNING");
    before.wait();
    daemon.shut_down();
}

/// Programs may not take the last descriptors: operators need some, and so do logs that rotate.
#[test]
fn programs_leave_some_for_clients() {
    if Flavour::under_test() == Flavour::Original {
        return; // Programs take all there are.
    }
    let config = "[program:many]\ncommand=sleep 1000\nprocess_name=%(process_num)02d\nnumprocs=30\nstartsecs=0\n\
                  autostart=false\nstartretries=0\n[supervisord]\nloglevel=info\n";
    let mut daemon = Daemon::under_test(config);
    let before = Before::of(&daemon);
    let limit = Limit::descriptors(&daemon, 60);
    daemon.call("startProcessGroup", json!(["many"]));
    let infos = daemon.call("getAllProcessInfo", json!([]));
    let infos = infos.as_array().expect("an array");
    let refused = infos.iter().filter(|info| info["state"] == 200).count();
    let running = infos.iter().filter(|info| info["state"] == 20).count();
    assert_eq!(running + refused, infos.len(), "{infos:?}");
    assert!(running >= 5 && refused >= 5, "{running} run");
    // Several clients at once, and a log.
    let _clients: Vec<_> = (0..4).map(|_| Regular::of(&daemon)).collect();
    assert!(
        daemon
            .call("readLog", json!([0, 0]))
            .as_str()
            .is_some_and(|log| log.contains("spawnerr: "))
    );
    drop((limit, _clients));
    daemon.call("stopProcessGroup", json!(["many"]));
    daemon.call("startProcessGroup", json!(["many"]));
    let infos = daemon.call("getAllProcessInfo", json!([]));
    let infos = infos.as_array().expect("an array");
    assert!(infos.iter().all(|info| info["state"] == 20), "{infos:?}");
    daemon.call("stopProcessGroup", json!(["many"]));
    before.wait();
    daemon.shut_down();
}

#[test]
fn a_log_that_cannot_rotate_grows_and_loses_nothing() {
    if Flavour::under_test() == Flavour::Original {
        return; // It logs that program no more.
    }
    let config = "[program:talk]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/talk.out\nstdout_logfile_maxbytes=100\n\
                  stdout_logfile_backups=20\n[supervisord]\nloglevel=info\n";
    let mut daemon = Daemon::under_test(config);
    daemon.wait_state("talk", "RUNNING");
    let mut client = Regular::of(&daemon);
    let before = Before::of(&daemon);
    let mut lines = (0..).map(|number| format!("{number:049}\n"));
    let mut said = String::new();
    let mut say = |client: &mut Regular, count: usize| {
        for line in lines.by_ref().take(count) {
            client.call("sendProcessStdin", &json!(["talk", line]));
            said.push_str(&line);
        }
        said.clone()
    };
    let limit = Limit::descriptors(&daemon, 0);
    let text = say(&mut client, 5);
    wait_written(&daemon, &text);
    daemon.wait_log("cannot rotate ");
    assert!(
        daemon.log().contains("Too many open files"),
        "{}",
        daemon.log()
    );
    assert_calm(&daemon);
    drop(limit);
    let text = say(&mut client, 5);
    wait_written(&daemon, &text);
    daemon.wait_log("talk.out, the log of stdout of 'talk', works again");
    assert_eq!(daemon.log().matches("cannot rotate ").count(), 1);
    before.wait();
    drop(client);
    daemon.shut_down();
}

/// Waits until log and backups hold exactly this, oldest first.
fn wait_written(daemon: &Daemon, text: &str) {
    wait::until("all lines in the logs", || {
        let backups = (1..=20)
            .rev()
            .map(|number| daemon.read(&format!("talk.out.{number}")));
        let all = backups.collect::<String>() + &daemon.read("talk.out");
        if all == text { Ok(()) } else { Err(all) }
    });
}

#[test]
fn who_connects_without_any_left_is_served_when_there_are_some() {
    if Flavour::under_test() == Flavour::Original {
        return; // It says nothing.
    }
    let mut daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("early", "RUNNING");
    let before = Before::of(&daemon);
    let mut regular = Regular::of(&daemon);
    let limit = Limit::descriptors(&daemon, 0);
    thread::scope(|scope| {
        let late = scope.spawn(|| assert_answers(&daemon));
        daemon.wait_log("cannot accept a connection: Too many open files");
        assert_calm(&daemon);
        let state = regular.call("getState", &json!([]));
        assert_eq!(state["statename"], "RUNNING");
        assert!(!late.is_finished());
        drop(limit);
        late.join().expect("it is served");
    });
    let log = daemon.log();
    assert_eq!(log.matches("cannot accept").count(), 1, "{log}");
    drop(regular);
    before.wait();
    daemon.shut_down();
}

#[test]
fn clients_leave_some_for_programs() {
    if Flavour::under_test() == Flavour::Original {
        return; // Clients take all there are.
    }
    let mut daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("early", "RUNNING");
    let before = Before::of(&daemon);
    let mut regular = Regular::of(&daemon);
    let limit = Limit::set(daemon.pid(), "nofile", 120);
    let clients: Vec<_> = (0..200).map(|_| daemon.address().connect()).collect();
    daemon.wait_log(
        "are open, and the remaining descriptors are for programs (raise minfds in [supervisord])",
    );
    assert_calm(&daemon);
    regular.call("startProcess", &json!(["late"]));
    assert_eq!(daemon.log().matches("refused a connection").count(), 1);
    drop(clients);
    assert_answers(&daemon);
    regular.call("stopProcess", &json!(["late"]));
    drop((limit, regular));
    before.wait();
    daemon.shut_down();
}
