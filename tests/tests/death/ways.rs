//! Ways a daemon with a keeper may be started.

use callboard_tests::{Daemon, Flavour, Namespace, procfs};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{kill_daemon, send, supervisord, with_mode};

const SLEEPER: &str = "[program:a]\ncommand=sleep 1000\nstartsecs=0\n";

#[test]
fn a_daemon_in_the_background_is_kept() {
    let config = with_mode(
        "keep",
        &format!("{SLEEPER}[supervisord]\ndirectory=/\numask=027\n"),
    );
    let daemon = Daemon::prepare(Flavour::Ours, &config);
    let path = daemon.config_path().display().to_string();
    let output = daemon.run(&daemon.flavour().command("supervisord"), &["-c", &path]);
    assert_eq!(output.code, 0, "{output:?}");
    daemon.wait_state("a", "RUNNING");
    let child = daemon.process_pid("a");
    let pid = kill_daemon(&daemon);
    assert_eq!(daemon.read("supervisord.pid"), format!("{pid}\n"));
    assert_eq!(daemon.process_pid("a"), child);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    assert!(status.contains("Umask:\t0027"), "{status}");
    let keeper = procfs::row(pid).map_or(0, |row| row.parent);
    assert_eq!(
        procfs::row(keeper).map(|row| row.name).as_deref(),
        Some("supervisor-keep")
    );
    send(keeper, Signal::SIGTERM);
    daemon.assert_nothing_left();
}

#[test]
fn the_first_process_of_a_container_is_a_keeper() {
    let daemon = Daemon::prepare(Flavour::Ours, &with_mode("keep", SLEEPER));
    let mut namespace = Namespace::start(&daemon);
    daemon.wait_log("supervisord started with pid 2");
    daemon.wait_state("a", "RUNNING");
    let child = daemon.process_pid("a");
    let inside = |pid: i32| {
        let row = daemon
            .processes()
            .into_iter()
            .find(|row| namespaced(row.pid) == Some(pid));
        row.map(|row| row.pid)
    };
    send(inside(2).expect("the daemon"), Signal::SIGKILL);
    let after = crate::support::successor(&daemon, 2);
    assert_ne!(after, 2);
    assert_eq!(daemon.process_pid("a"), child);
    send(inside(1).expect("the keeper"), Signal::SIGTERM);
    let status = namespace.wait_end();
    assert_eq!(status.code(), Some(0));
}

/// The pid that a process has in its own namespace.
fn namespaced(pid: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}

#[test]
fn a_socket_that_was_made_anew_is_made_once_more() {
    let daemon = crate::support::start("keep", SLEEPER);
    daemon.wait_state("a", "RUNNING");
    std::fs::remove_file(daemon.path("s.sock")).expect("it is there");
    daemon.wait_log("s.sock is there again");
    let child = daemon.process_pid("a");
    for _ in 0..2 {
        kill_daemon(&daemon);
        assert_eq!(daemon.process_pid("a"), child);
    }
}

#[test]
fn without_the_option_there_is_no_keeper() {
    let daemon = Daemon::start(Flavour::Ours, SLEEPER);
    daemon.wait_state("a", "RUNNING");
    assert_eq!(supervisord(&daemon), daemon.pid());
    daemon.write_config(&with_mode("keep", SLEEPER));
    assert_eq!(daemon.call("restart", json!([])), true);
    daemon.wait_log("WARN programs_on_death needs a daemon that is started with it");
}
