//! Children stay what they are, and what the daemon has begun with them goes on.

use std::fs;
use std::time::Duration;

use callboard_tests::{Daemon, procfs, wait};
use serde_json::json;

use crate::installed::{start, upgrade_well};

fn count(daemon: &Daemon, text: &str) -> usize {
    daemon.log().matches(text).count()
}

#[test]
fn the_daemon_and_its_children_stay_the_same_processes() {
    let daemon = start(
        "[program:a]\ncommand=sleep 1000\nstartsecs=0\n\
         [program:never]\ncommand=sleep 1000\nautostart=false\n\
         [group:g]\nprograms=x,y\n[program:x]\ncommand=sleep 1000\nstartsecs=0\n\
         [program:y]\ncommand=false\nstartsecs=0\nautorestart=false\n",
    );
    daemon.wait_state("a", "RUNNING");
    daemon.wait_state("g:x", "RUNNING");
    daemon.wait_state("g:y", "EXITED");
    let infos = || {
        let mut infos = daemon.call("getAllProcessInfo", json!([]));
        for info in infos.as_array_mut().expect("an array") {
            for changing in ["now", "description"] {
                info[changing] = json!(null);
            }
        }
        infos
    };
    let (pid, before) = (daemon.call("getPID", json!([])), infos());
    let configs = daemon.call("getAllConfigInfo", json!([]));
    for _ in 0..3 {
        upgrade_well(&daemon);
        assert_eq!(daemon.call("getPID", json!([])), pid);
        assert_eq!(infos(), before);
        assert_eq!(daemon.call("getAllConfigInfo", json!([])), configs);
    }
    assert_eq!(daemon.call("startProcess", json!(["never"])), true);
    assert_eq!(daemon.call("stopProcess", json!(["a"])), true);
    assert_eq!(daemon.state("a"), "STOPPED");
    let environment = procfs::environment(daemon.process_pid("never"));
    let ours = environment
        .keys()
        .find(|name| name.starts_with("CALLBOARD_STATE"));
    assert_eq!(ours, None);
}

/// The seconds of the day in a line's stamp.
fn seconds(line: &str) -> f64 {
    let (_, time) = line.split_once(' ').expect("a stamp");
    let parts = time[.."11:19:25,374".len()].split([':', ',']);
    let parts: Vec<f64> = parts.map(|part| part.parse().expect("digits")).collect();
    parts[0] * 3600.0 + parts[1] * 60.0 + parts[2] + parts[3] / 1000.0
}

/// Seconds between the log's first lines with these texts.
fn seconds_between(daemon: &Daemon, first: &str, second: &str) -> f64 {
    let log = daemon.log();
    let at = |text: &str| {
        let line = log.lines().find(|line| line.contains(text));
        seconds(line.unwrap_or_else(|| panic!("no {text:?} in {log}")))
    };
    (at(second) - at(first)).rem_euclid(86400.0)
}

#[test]
fn timers_go_on() {
    let daemon = start(
        "[program:slow]\ncommand=sleep 1000\nstartsecs=3\n\
         [program:deaf]\ncommand=sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.1; done'\nstartsecs=0\n\
         stopwaitsecs=3\n",
    );
    wait::until_true("the deaf program to be up", || {
        let text = daemon.call("readProcessStdoutLog", json!(["deaf", 0, 0]));
        (text == "up\n", text)
    });
    assert_eq!(daemon.call("stopProcess", json!(["deaf", false])), true);
    assert_eq!(daemon.state("slow"), "STARTING");
    upgrade_well(&daemon);
    upgrade_well(&daemon);
    assert_eq!(daemon.state("slow"), "STARTING");
    assert_eq!(daemon.state("deaf"), "STOPPING");
    daemon.wait_state("slow", "RUNNING");
    daemon.wait_state("deaf", "STOPPED");
    let starting = seconds_between(&daemon, "spawned: 'slow'", "success: slow");
    assert!((2.9..5.0).contains(&starting), "{starting}");
    daemon.wait_log("killing 'deaf'");
    let stopping = seconds_between(&daemon, "killing deaf (pid", "killing 'deaf'");
    assert!((2.9..5.0).contains(&stopping), "{stopping}");
}

#[test]
fn failed_starts_are_counted_on() {
    let daemon = start("[program:no]\ncommand=false\nstartretries=2\n");
    daemon.wait_state("no", "BACKOFF");
    upgrade_well(&daemon);
    wait::until("the second attempt", || {
        match count(&daemon, "spawned: 'no'") {
            2.. => Ok(()),
            count => Err(count),
        }
    });
    upgrade_well(&daemon);
    daemon.wait_state("no", "FATAL");
    assert_eq!(count(&daemon, "spawned: 'no'"), 3, "{}", daemon.log());
    let info = daemon.info("no");
    assert_eq!(
        info["spawnerr"],
        "Exited too quickly (process log may have details)"
    );
}

#[test]
fn exits_around_upgrades_are_reaped_with_their_status() {
    let daemon = start(
        "[program:brief]\ncommand=sh -c 'sleep 0.1%(process_num)d; exit 7'\nstartsecs=0\nautorestart=true\n\
         process_name=b%(process_num)d\nnumprocs=5\n\
         [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_STATE_EXITED\nstartsecs=0\n",
    );
    let exits = || count(&daemon, "(exit status 7; not expected)");
    wait::until_true("exits around upgrades", || {
        upgrade_well(&daemon);
        (exits() > 20, exits())
    });
    let stopped = daemon.call("stopProcessGroup", json!(["brief"]));
    assert_eq!(stopped.as_array().map(Vec::len), Some(5), "{stopped}");
    let exits = exits();
    assert_eq!(count(&daemon, "reaped unknown pid"), 0, "{}", daemon.log());
    let stops = count(&daemon, "stopped: b");
    assert_eq!(exits + stops, count(&daemon, "spawned: 'b"));
    let told = || daemon.events("record").len();
    wait::until_true("every exit to be told", || (told() == exits, told()));
    let serials: Vec<_> = daemon
        .events("record")
        .iter()
        .map(|event| event.number("poolserial"))
        .collect();
    let expected: Vec<_> = (0..).take(exits).collect();
    assert_eq!(serials, expected);
}

#[test]
fn an_older_configuration_of_a_group_stays_in_force() {
    let section = |command: &str| format!("[program:a]\ncommand={command}\nstartsecs=0\n");
    let daemon = start(&section("sleep 1000"));
    daemon.wait_state("a", "RUNNING");
    daemon.write_config(&(section("sleep 2000") + "[program:b]\ncommand=sleep 3\n"));
    let changes = json!([[["b"], ["a"], []]]);
    assert_eq!(daemon.call("reloadConfig", json!([])), changes);
    upgrade_well(&daemon);
    assert_eq!(daemon.call("stopProcess", json!(["a"])), true);
    assert_eq!(daemon.call("startProcess", json!(["a"])), true);
    let pid = daemon.process_pid("a");
    let command = wait::until("the program to be executed", || {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if command.contains("sleep") {
            Ok(command)
        } else {
            Err(command)
        }
    });
    assert_eq!(command, "sleep\x001000\x00");
    assert_eq!(daemon.call("addProcessGroup", json!(["b"])), true);
    assert_eq!(
        daemon.call("reloadConfig", json!([])),
        json!([[[], ["a"], []]])
    );
}

#[test]
fn a_shutdown_after_an_upgrade_leaves_nothing() {
    let mut daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    upgrade_well(&daemon);
    daemon.shut_down();
    let mut daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    upgrade_well(&daemon);
    let before = daemon.process_pid("a");
    assert_eq!(daemon.call("restart", json!([])), true);
    wait::until("another child after the restart", || {
        match daemon.try_call("supervisor.getProcessInfo", &json!(["a"])) {
            Ok(Ok(info)) if info["pid"] != before && info["pid"] != 0 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    assert!(daemon.address().connect_for(Duration::from_secs(5)).is_ok());
    daemon.shut_down();
}
