//! Disks that are full or read-only for a while, and directories that go away.

use std::fs;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::mounts::{OnSmallDisk, Start};
use crate::support::{Before, assert_answers, assert_calm};

/// A program that says what it is told.
const TALK: &str = "[program:talk]\ncommand=cat\nstartsecs=0\nstartretries=20\n";

/// More than is left in the last page of a file on a full disk.
const LONG: usize = 6000;

fn say(daemon: &Daemon, text: &str) {
    daemon.call("sendProcessStdin", json!(["talk", text]));
}

/// The number before a text, in the last line of the log that has it.
fn number_before(log: &str, text: &str) -> usize {
    let found = log.rsplit_once(text).map(|(head, _)| head);
    let number = found.and_then(|head| head.rsplit(' ').next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no number before {text:?} in {log}"))
}

#[test]
fn a_full_disk_costs_a_program_what_it_says_meanwhile_and_no_more() {
    if Flavour::under_test() == Flavour::Original {
        return; // It says nothing of it in its log.
    }
    let config =
        format!("{TALK}stdout_logfile=%(here)s/small/talk.out\n[supervisord]\nloglevel=info\n");
    let mut disk = OnSmallDisk::start(&config, Start::Empty);
    let daemon = &disk.daemon;
    daemon.wait_state("talk", "RUNNING");
    let before = Before::of(daemon);
    say(daemon, "before\n");
    disk.wait_file("talk.out", "before\n");
    disk.fill();
    for _ in 0..3 {
        say(daemon, &("x".repeat(LONG - 1) + "\n"));
    }
    daemon.wait_log("No space left on device");
    assert_calm(daemon);
    assert_answers(daemon);
    disk.free();
    say(daemon, "after\n");
    disk.wait_file("talk.out", "after\n");
    daemon.wait_log(" bytes were lost");
    let log = daemon.log();
    assert_eq!(
        log.matches("cannot write stdout of 'talk' to ").count(),
        1,
        "{log}"
    );
    let lost = number_before(&log, " bytes were lost");
    let kept = disk.read("talk.out").len() - "before\nafter\n".len();
    assert_eq!(lost + kept, 3 * LONG);
    before.wait();
    disk.daemon.shut_down();
}

#[test]
fn a_full_disk_costs_lines_of_the_activity_log_and_it_says_so() {
    // At this level everything that the program says is logged.
    let config = format!(
        "{TALK}stdout_logfile=NONE\n[supervisord]\nlogfile=%(here)s/small/daemon.log\nloglevel=debug\n"
    );
    let mut disk = OnSmallDisk::start(&config, Start::Empty);
    let daemon = &disk.daemon;
    daemon.wait_state("talk", "RUNNING");
    let before = Before::of(daemon);
    disk.fill();
    for _ in 0..3 {
        say(daemon, &"x".repeat(LONG));
    }
    daemon.wait_file("stderr", "No space left on device");
    assert_calm(daemon);
    assert_answers(daemon);
    disk.free();
    say(daemon, "after");
    disk.wait_file("daemon.log", "'talk' stdout output:\nafter");
    if daemon.flavour() == Flavour::Ours {
        let complaints = daemon.read("stderr");
        assert_eq!(
            complaints.matches("cannot write log ").count(),
            1,
            "{complaints}"
        );
        let lost = number_before(&complaints, " bytes are lost");
        assert!((LONG..4 * LONG).contains(&lost), "{lost}");
        let text = format!("CRIT writing this log works again; {lost} bytes were lost\n");
        disk.wait_file("daemon.log", &text);
        // The line that was cut is no part of the next one.
        let log = disk.read("daemon.log");
        let line = log.lines().find(|line| line.contains(text.trim_end()));
        assert!(line.is_some_and(|line| line.starts_with("20")), "{log}");
    }
    before.wait();
    disk.daemon.shut_down();
}

#[test]
fn a_daemon_starts_on_a_full_disk() {
    if Flavour::under_test() == Flavour::Original {
        return; // It leaves an empty pidfile.
    }
    let config = format!(
        "{TALK}[supervisord]\nlogfile=%(here)s/small/daemon.log\npidfile=%(here)s/small/pid\n\
         childlogdir=%(here)s/small\nloglevel=info\n"
    );
    let mut disk = OnSmallDisk::start(&config, Start::Full);
    let daemon = &disk.daemon;
    daemon.wait_state("talk", "RUNNING");
    let path = daemon.path("small/pid").display().to_string();
    daemon.wait_file("stdout", &format!("CRIT could not write pidfile {path}"));
    assert_answers(daemon);
    assert_calm(daemon);
    assert!(
        !disk.names().contains(&"pid".to_owned()),
        "no empty pidfile"
    );
    let before = Before::of(daemon);
    disk.free();
    say(daemon, "after\n");
    wait::until_true("the AUTO log", || {
        let names = disk.names();
        let logs = names
            .iter()
            .filter(|name| name.starts_with("talk-stdout---"));
        let texts: Vec<_> = logs.map(|name| disk.read(name)).collect();
        (texts == ["after\n"], texts)
    });
    // The next line shows it.
    daemon.call("stopProcess", json!(["talk"]));
    disk.wait_file("daemon.log", "stopped: talk ");
    disk.wait_file("daemon.log", "writing this log works again");
    before.wait();
    disk.daemon.shut_down();
}

#[test]
fn without_a_place_for_auto_logs_programs_run_and_get_them_with_their_next_start() {
    if Flavour::under_test() == Flavour::Original {
        return; // It ends with a traceback.
    }
    let config = format!("{TALK}[supervisord]\nchildlogdir=%(here)s/small\nloglevel=info\n");
    let mut disk = OnSmallDisk::start(&config, Start::ReadOnly);
    let daemon = &disk.daemon;
    daemon.wait_state("talk", "RUNNING");
    daemon.wait_log("cannot create a log for stdout of 'talk' in ");
    assert!(
        daemon.log().contains("Read-only file system"),
        "{}",
        daemon.log()
    );
    assert_answers(daemon);
    assert_calm(daemon);
    disk.make_writable();
    daemon.call("stopProcess", json!(["talk"]));
    daemon.call("startProcess", json!(["talk"]));
    say(daemon, "after\n");
    wait::until("the log", || {
        match daemon.rpc("readProcessStdoutLog", json!(["talk", 0, 0])) {
            Ok(text) if text == "after\n" => Ok(()),
            other => Err(other),
        }
    });
    disk.daemon.shut_down();
}

#[test]
fn where_nothing_can_be_created_logs_grow_and_restarts_wait() {
    if Flavour::under_test() == Flavour::Original {
        return; // It logs that program no more, and ends at SIGUSR2.
    }
    let config = format!(
        "{TALK}stdout_logfile=%(here)s/small/talk.out\nstdout_logfile_maxbytes=1000\nstdout_logfile_backups=2\n\
         [supervisord]\nlogfile=%(here)s/small/daemon.log\nlogfile_maxbytes=0\nloglevel=info\n"
    );
    let mut disk = OnSmallDisk::start(&config, Start::Empty);
    let daemon = &disk.daemon;
    daemon.wait_state("talk", "RUNNING");
    let before = Before::of(daemon);
    disk.forbid_changes();
    for _ in 0..3 {
        say(daemon, &("x".repeat(700) + "\n"));
    }
    daemon.wait_file("stdout", "cannot rotate ");
    daemon.signal(Signal::SIGUSR2);
    daemon.wait_file("stdout", "Read-only file system");
    daemon.call("stopProcess", json!(["talk"]));
    let fault = daemon.fault("startProcess", json!(["talk"]));
    assert_eq!(fault.text, "SPAWN_ERROR: talk");
    let spawnerr = "unknown error making dispatchers for 'talk': EROFS";
    assert_eq!(daemon.info("talk")["spawnerr"], spawnerr);
    assert_answers(daemon);
    assert_calm(daemon);
    disk.allow_changes();
    daemon.wait_state("talk", "RUNNING");
    assert_eq!(
        disk.read("talk.out"),
        "x".repeat(700) + "\n" + &"x".repeat(700) + "\n" + &"x".repeat(700) + "\n"
    );
    say(daemon, "after\n");
    disk.wait_file("talk.out.1", "x\nafter\n");
    before.wait();
    disk.daemon.shut_down();
}

#[test]
fn a_daemon_whose_log_cannot_be_written_does_not_start_and_says_why() {
    if Flavour::under_test() == Flavour::Original {
        return; // A traceback.
    }
    let config = "[supervisord]\nlogfile=%(here)s/small/daemon.log\n";
    let mut disk = OnSmallDisk::launch(config, Start::ReadOnly);
    let status = disk.daemon.wait_exit();
    let complaint = disk.daemon.read("stderr");
    assert_eq!(status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("small/daemon.log"), "{complaint}");
    assert!(complaint.contains("Read-only file system"), "{complaint}");
    disk.daemon.assert_nothing_left();
}

#[test]
fn logs_whose_directories_are_removed_come_back_with_them() {
    if Flavour::under_test() == Flavour::Original {
        return; // It ends.
    }
    let config = format!(
        "{TALK}[supervisord]\nlogfile=%(here)s/gone/daemon.log\nlogfile_maxbytes=2000\nchildlogdir=%(here)s/gone\n\
         loglevel=debug\n"
    );
    let mut daemon = Daemon::prepare(Flavour::under_test(), &config);
    let directory = daemon.path("gone");
    fs::create_dir(&directory).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_state("talk", "RUNNING");
    let before = Before::of(&daemon);
    fs::remove_dir_all(&directory).expect("it is there");
    for _ in 0..3 {
        say(&daemon, &"x".repeat(LONG));
    }
    daemon.wait_file("stderr", "cannot rotate log ");
    daemon.call("stopProcess", json!(["talk"]));
    daemon.call("startProcess", json!(["talk"]));
    daemon.wait_file("stdout", "'talk' starts without its log ");
    assert_answers(&daemon);
    assert_calm(&daemon);
    fs::create_dir(&directory).expect("the directory is writable");
    // The first line finds that there is a place for a log again, the second is in it.
    say(&daemon, &"x".repeat(LONG));
    daemon.wait_file("gone/daemon.log", "rotating this log works again");
    say(&daemon, "y");
    daemon.wait_file("gone/daemon.log", "'talk' stdout output:\ny");
    daemon.call("stopProcess", json!(["talk"]));
    daemon.call("startProcess", json!(["talk"]));
    say(&daemon, "after\n");
    wait::until("the log", || {
        match daemon.rpc("readProcessStdoutLog", json!(["talk", 0, 0])) {
            Ok(text) if text == "after\n" => Ok(()),
            other => Err(other),
        }
    });
    before.wait();
    daemon.shut_down();
}

#[test]
fn a_pool_whose_files_are_deleted_says_so_and_delivers_its_events() {
    let config = "[eventlistener:keep]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=REMOTE_COMMUNICATION\n\
                  startsecs=0\nbuffer_file=%(here)s/gone/events\nautostart=false\n[supervisord]\nloglevel=info\n";
    let mut daemon = Daemon::prepare(Flavour::Ours, config);
    let directory = daemon.path("gone");
    fs::create_dir(&directory).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    let send = |number: usize| {
        let text = format!("event {number}.");
        daemon.call("sendRemoteCommEvent", json!(["t", text]));
    };
    send(0);
    wait::until_true("the files", || (directory.join("events").exists(), ()));
    fs::remove_dir_all(&directory).expect("it is there");
    (1..20).for_each(send);
    daemon.wait_log("CRIT pool keep: cannot sync ");
    daemon.wait_log("gone/events: it has been deleted; a crash of the machine may lose events");
    assert_calm(&daemon);
    daemon.call("startProcess", json!(["keep"]));
    daemon.wait_file("record", "event 19.");
    assert_eq!(daemon.events("record").len(), 20);
    daemon.shut_down();
}
