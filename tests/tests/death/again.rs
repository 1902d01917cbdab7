//! A daemon that dies again and again, and one whose program has been replaced.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Instant;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{kill_daemon, send, supervisord, with_mode};

const SLEEPER: &str = "[program:a]\ncommand=sleep 1000\nstartsecs=0\n\
    [program:later]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n";

/// A daemon that is called by a link.
fn start_by_link() -> Daemon {
    let mut daemon = Daemon::prepare(Flavour::Ours, &with_mode("keep", SLEEPER));
    install(&daemon, &Flavour::Ours.command("supervisord"));
    let link = daemon.path("link");
    daemon.launch_program(&link, &[]);
    daemon.wait_until_up();
    daemon.wait_state("a", "RUNNING");
    daemon
}

fn install(daemon: &Daemon, program: &std::path::Path) {
    let new = daemon.path("new");
    symlink(program, &new).expect("the directory is writable");
    fs::rename(new, daemon.path("link")).expect("the directory is writable");
}

fn upgrade(daemon: &Daemon) {
    let last = || {
        let answer = daemon.try_call("callboard.getLastUpgrade", &json!([]));
        match answer {
            Ok(Ok(last)) => last,
            other => json!({"failure": format!("{other:?}")}),
        }
    };
    let before = last()["number"].clone();
    send(supervisord(daemon), Signal::SIGUSR1);
    wait::until_true("the upgrade", || {
        let last = last();
        (last["number"] != before && last["failure"] == "", last)
    });
}

#[test]
fn upgrades_and_deaths_go_together() {
    let daemon = start_by_link();
    let program = daemon.process_pid("a");
    let first = supervisord(&daemon);
    upgrade(&daemon);
    assert_eq!(supervisord(&daemon), first);
    let second = kill_daemon(&daemon);
    assert_ne!(first, second);
    upgrade(&daemon);
    assert_eq!(supervisord(&daemon), second);
    assert_eq!(daemon.process_pid("a"), program);
    // The keeper hears of what is done after an upgrade.
    daemon.call("startProcess", json!(["later"]));
    let later = daemon.process_pid("later");
    kill_daemon(&daemon);
    assert_eq!(daemon.process_pid("a"), program);
    assert_eq!(daemon.process_pid("later"), later);
    assert!(!daemon.log().contains("the keeper was killed"));
    send(program, Signal::SIGKILL);
    wait::until_true("another one", || {
        let pid = daemon.process_pid("a");
        (pid != program && pid != 0, pid)
    });
}

#[test]
fn the_wait_grows_when_it_dies_again_and_again() {
    let daemon = start_by_link();
    let program = daemon.process_pid("a");
    kill_daemon(&daemon);
    let begun = Instant::now();
    kill_daemon(&daemon);
    let once = begun.elapsed().as_secs_f64();
    kill_daemon(&daemon);
    let twice = begun.elapsed().as_secs_f64() - once;
    assert!((1.0..2.0).contains(&once) && twice >= 2.0, "{once} {twice}");
    assert_eq!(daemon.process_pid("a"), program);
}

#[test]
fn a_program_that_is_broken_is_passed_over() {
    let daemon = start_by_link();
    let program = daemon.process_pid("a");
    let script = daemon.path("script");
    fs::write(&script, "#!/bin/sh\nkill -SEGV $$\n").expect("the directory is writable");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
    install(&daemon, &script);
    kill_daemon(&daemon);
    assert_eq!(daemon.process_pid("a"), program);
    fs::remove_file(daemon.path("link")).expect("it is there");
    kill_daemon(&daemon);
    assert_eq!(daemon.process_pid("a"), program);
}
