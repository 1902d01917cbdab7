//! Stopping: signals, escalation, process groups, order.

use callboard_tests::{Daemon, procfs, wait};
use nix::sys::signal::Signal;
use serde_json::json;

#[test]
fn the_stop_signal_is_the_configured_one() {
    let mut daemon = Daemon::under_test(
        "[program:int]\ncommand=sleep 1000\nstopsignal=INT\nstartsecs=0\n\
         [program:usr1]\ncommand=sleep 1000\nstopsignal=USR1\nstartsecs=0\n\
         [program:polite]\ncommand=sh -c 'trap \"exit 0\" TERM; touch %(here)s/armed; while :; do sleep 0.05; done'\nstartsecs=0\n",
    );
    wait::until_true("the trap to be set", || (daemon.path("armed").exists(), ()));
    for (name, line) in [
        ("int", "WARN stopped: int (terminated by SIGINT)"),
        ("usr1", "WARN stopped: usr1 (terminated by SIGUSR1)"),
        ("polite", "INFO stopped: polite (exit status 0)"),
    ] {
        daemon.call("stopProcess", json!([name]));
        daemon.wait_log(line);
    }
    daemon.shut_down();
}

#[test]
fn a_deaf_program_is_killed_after_stopwaitsecs() {
    let daemon = Daemon::under_test(
        "[program:deaf]\ncommand=sh -c 'trap \"\" TERM; touch %(here)s/armed; while :; do sleep 0.05; done'\n\
         startsecs=0\nstopwaitsecs=1\n",
    );
    wait::until_true("the trap to be set", || (daemon.path("armed").exists(), ()));
    let pid = daemon.process_pid("deaf");
    daemon.call("stopProcess", json!(["deaf", false]));
    assert_eq!(daemon.state("deaf"), "STOPPING");
    let fault = daemon.fault("stopProcess", json!(["deaf"]));
    assert_eq!(
        fault.text, "NOT_RUNNING: deaf",
        "a stopping program is not stopped twice"
    );
    daemon.wait_state("deaf", "STOPPED");
    assert!(!procfs::is_alive(pid));
    daemon.wait_log(&format!("WARN killing 'deaf' ({pid}) with SIGKILL"));
    daemon.wait_log("WARN stopped: deaf (terminated by SIGKILL)");
    assert_eq!(daemon.info("deaf")["exitstatus"], -1);
}

/// A shell with a child of its own, whose pid it writes to `<name>.child`.
fn family(name: &str, options: &str) -> String {
    format!(
        "[program:{name}]\ncommand=sh -c 'sleep 1000 & echo $! > %(here)s/{name}.new; \
         mv %(here)s/{name}.new %(here)s/{name}.child; wait'\nstartsecs=0\n{options}\n"
    )
}

fn grandchild(daemon: &Daemon, name: &str) -> i32 {
    wait::until("the grandchild", || {
        daemon
            .read(&format!("{name}.child"))
            .trim()
            .parse()
            .map_err(|error| format!("{error}"))
    })
}

#[test]
fn stopasgroup_reaches_grandchildren_and_its_absence_does_not() {
    let daemon =
        Daemon::under_test(&[family("whole", "stopasgroup=true"), family("single", "")].concat());
    let (whole, single) = (grandchild(&daemon, "whole"), grandchild(&daemon, "single"));
    for name in ["whole", "single"] {
        assert_eq!(daemon.call("stopProcess", json!([name])), json!(true));
    }
    wait::until_true("the group to be gone", || {
        (!procfs::is_alive(whole), procfs::row(whole))
    });
    assert!(procfs::is_alive(single));
}

#[test]
fn killasgroup_takes_the_grandchildren_too() {
    let deaf = "[program:deaf]\ncommand=sh -c 'trap \"\" TERM; sleep 1000 & echo $! > %(here)s/deaf.new; \
                mv %(here)s/deaf.new %(here)s/deaf.child; while :; do wait; done'\nstartsecs=0\nstopwaitsecs=1\nkillasgroup=true\n";
    let daemon = Daemon::under_test(deaf);
    let child = grandchild(&daemon, "deaf");
    assert_eq!(daemon.call("stopProcess", json!(["deaf"])), json!(true));
    wait::until_true("the group to be gone", || {
        (!procfs::is_alive(child), procfs::row(child))
    });
}

/// The names in the log lines that start with `what`, in order.
fn order(daemon: &Daemon, what: &str) -> Vec<String> {
    let log = daemon.log();
    let lines = log
        .lines()
        .filter_map(|line| line.split_once(what).map(|(_, rest)| rest));
    lines
        .map(|rest| {
            rest.trim_matches('\'')
                .split(['\'', ' '])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

#[test]
fn priorities_order_the_start_and_reverse_the_shutdown() {
    let program = |name: &str, priority: i32| {
        format!("[program:{name}]\ncommand=sleep 1000\npriority={priority}\nstartsecs=0\n")
    };
    let mut daemon = Daemon::under_test(
        &[
            program("b", 20),
            program("c", 10),
            program("a", 30),
            program("d", 20),
        ]
        .concat(),
    );
    for name in ["a", "b", "c", "d"] {
        daemon.wait_state(name, "RUNNING");
    }
    assert_eq!(order(&daemon, "INFO spawned: "), ["c", "b", "d", "a"]);
    daemon.shut_down();
    assert_eq!(order(&daemon, "WARN stopped: "), ["a", "d", "b", "c"]);
}

#[test]
fn a_group_waits_for_the_one_of_higher_priority_at_shutdown() {
    let mut daemon = Daemon::under_test(
        "[program:late]\ncommand=sh -c 'trap \"sleep 1; exit 0\" TERM; touch %(here)s/armed; while :; do sleep 0.05; done'\n\
         priority=50\nstartsecs=0\n[program:early]\ncommand=sleep 1000\npriority=1\nstartsecs=0\n",
    );
    wait::until_true("the trap to be set", || (daemon.path("armed").exists(), ()));
    daemon.signal(Signal::SIGTERM);
    daemon.wait_log("waiting for early, late to die");
    daemon.wait_exit();
    let log = daemon.log();
    let at = |text: &str| {
        log.find(text)
            .unwrap_or_else(|| panic!("{text} is not in {log}"))
    };
    assert!(at("stopped: late") < at("killing early"), "{log}");
    daemon.assert_nothing_left();
}

#[test]
fn a_backoff_is_stopped_without_a_signal() {
    let daemon = Daemon::under_test("[program:a]\ncommand=false\nstartretries=100\n");
    daemon.wait_state("a", "BACKOFF");
    assert_eq!(daemon.call("stopProcess", json!(["a"])), json!(true));
    assert_eq!(daemon.state("a"), "STOPPED");
}

#[test]
fn redirect_stderr_puts_both_streams_into_one_log() {
    let daemon = Daemon::under_test(
        "[program:a]\ncommand=sh -c 'echo out; echo err >&2; sleep 1000'\nredirect_stderr=true\n\
         stdout_logfile=%(here)s/a.out\nstderr_logfile=%(here)s/a.err\nstartsecs=0\n",
    );
    daemon.wait_file("a.out", "out\nerr\n");
    assert!(!daemon.path("a.err").exists());
    assert_eq!(daemon.info("a")["stderr_logfile"], "");
    daemon.wait_log("For [program:a], redirect_stderr=true but stderr_logfile has also been set to a filename, the filename has been ignored");
}
