//! The configuration file changes while it is read.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Before, assert_answers};

/// How often it is read while it changes.
const READINGS: usize = 60;

/// A program of each name besides the one that stays.
fn config(names: &[String]) -> String {
    let mut text = "[program:steady]\ncommand=sleep 1000\nstartsecs=0\n".to_owned();
    for name in names {
        text.push_str(&format!(
            "[program:{name}]\ncommand=sleep 1000\nautostart=false\n"
        ));
    }
    text
}

/// Many programs: a file that is not read at once.
fn many(letter: &str) -> Vec<String> {
    (0..500)
        .map(|number| format!("{letter}{number:03}"))
        .collect()
}

/// Reads the file again and again while `change` changes it; answers how often it was read and how often it was refused.
fn reread(daemon: &Daemon, change: impl Fn(usize) + Sync) -> (usize, usize) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let rounds = (0..).take_while(|_| !over.load(Ordering::Relaxed));
            rounds.for_each(&change);
        });
        let mut outcomes = (0, 0);
        for _ in 0..READINGS {
            match daemon.rpc("reloadConfig", json!([])) {
                Ok(changes) => {
                    outcomes.0 += 1;
                    assert_whole(&changes[0][0]);
                }
                Err(fault) => {
                    outcomes.1 += 1;
                    assert_eq!(fault.code, 92, "{fault:?}");
                }
            }
        }
        over.store(true, Ordering::Relaxed);
        outcomes
    })
}

/// All programs of one file or of the other, and of nothing in between.
fn assert_whole(added: &serde_json::Value) {
    let names: Vec<_> = added.as_array().expect("names").iter().collect();
    let names: Vec<_> = names.iter().filter_map(|name| name.as_str()).collect();
    let (some, other) = (many("a"), many("b"));
    assert!(
        names == some || names == other,
        "{} names: {names:?}",
        names.len()
    );
}

fn settle(daemon: &Daemon, pid: i32) {
    daemon.write_config(&config(&["last".to_owned()]));
    let changes = daemon.call("reloadConfig", json!([]));
    assert_eq!(changes, json!([[["last"], [], []]]));
    assert_answers(daemon);
    assert_eq!(daemon.process_pid("steady"), pid, "nothing was restarted");
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_the_old_or_the_new() {
    let mut daemon = Daemon::under_test(&config(&[]));
    daemon.wait_state("steady", "RUNNING");
    let pid = daemon.process_pid("steady");
    let before = Before::of(&daemon);
    let path = daemon.config_path();
    // The preamble is part of what is replaced.
    let files = ["a", "b"].map(|letter| {
        daemon.write_config(&config(&many(letter)));
        fs::read(&path).expect("it was just written")
    });
    let (read, refused) = reread(&daemon, |round| {
        let fresh = daemon.path("fresh.conf");
        fs::write(&fresh, &files[round % 2]).expect("the directory is writable");
        fs::rename(&fresh, &path).expect("the directory is writable");
    });
    assert_eq!((read, refused), (READINGS, 0));
    settle(&daemon, pid);
    before.wait();
    daemon.shut_down();
}

/// Missing, a directory, empty, without an end: each is refused with a reason, and the daemon is what it was.
#[test]
fn a_file_that_is_no_configuration_any_more_changes_nothing() {
    let mut daemon = Daemon::under_test(&config(&[]));
    daemon.wait_state("steady", "RUNNING");
    let pid = daemon.process_pid("steady");
    let before = Before::of(&daemon);
    let path = daemon.config_path();
    let whole = fs::read(&path).expect("it is there");
    let refused = |daemon: &Daemon, what: &str| {
        let fault = daemon.fault("reloadConfig", json!([]));
        assert_eq!(fault.code, 92, "{what}: {fault:?}");
        assert!(
            fault.text.len() > "CANT_REREAD: ".len(),
            "{what}: {fault:?}"
        );
        assert_answers(daemon);
    };
    fs::remove_file(&path).expect("it is there");
    refused(&daemon, "missing");
    fs::create_dir(&path).expect("it is gone");
    refused(&daemon, "a directory");
    fs::remove_dir(&path).expect("it is empty");
    fs::write(&path, "").expect("the directory is writable");
    refused(&daemon, "empty");
    fs::write(
        &path,
        [b"[program:x]\ncommand=".as_slice(), &[0xff, 0xfe, 0]].concat(),
    )
    .expect("the directory is writable");
    refused(&daemon, "binary");
    if daemon.flavour() == Flavour::Ours {
        // So does a restart, where the original ends.
        daemon.signal(Signal::SIGHUP);
        daemon.wait_log("CRIT ");
        assert_answers(&daemon);
    }
    fs::write(&path, whole).expect("the directory is writable");
    wait::until_true("it to be read", || {
        let changes = daemon.call("reloadConfig", json!([]));
        (changes == json!([[[], [], []]]), changes)
    });
    settle(&daemon, pid);
    before.wait();
    daemon.shut_down();
}
