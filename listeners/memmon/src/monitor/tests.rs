use std::collections::HashMap;

use jiff::civil::date;
use jiff::tz::TimeZone;
use listener_kit::testing::{FakeSupervisor, process};
use protocol::states::ProcessState;

use super::*;

/// Memory by pid.
impl Memory for HashMap<i32, i64> {
    fn rss(&mut self, pid: i32) -> Option<i64> {
        self.get(&pid).copied()
    }

    fn refresh(&mut self) {}
}

type Around = Surroundings<FakeSupervisor, HashMap<i32, i64>, Vec<Mail>, Vec<u8>>;

/// `small` of group `small` uses 1000 bytes, `big` of `g` 5000, `memmon` of `memmon` 9000; `idle` does not run.
fn around() -> Around {
    let running = |group, name, pid| process(group, name, ProcessState::Running, pid);
    Surroundings {
        supervisor: FakeSupervisor::of([
            running("small", "small", 11),
            running("g", "big", 12),
            running("memmon", "memmon", 13),
            process("idle", "idle", ProcessState::Stopped, 0),
            running("gone", "gone", 14),
        ]),
        memory: [(11, 1000), (12, 5000), (13, 9000), (0, 9000)].into(),
        mailer: Vec::new(),
        log: Vec::new(),
        clock: || {
            date(2026, 11, 7)
                .at(11, 25, 22, 0)
                .to_zoned(TimeZone::UTC)
                .expect("a time")
        },
    }
}

fn monitor(options: &str) -> Monitor {
    let words: Vec<_> = options.split(' ').map(str::to_owned).collect();
    let options = Options::parse(&words).expect("the options fit");
    Monitor::new(options, Identity::new("memmon", "memmon"))
}

fn log(around: &Around) -> &str {
    std::str::from_utf8(&around.log).expect("text")
}

const RESTART: [&str; 3] = ["list", "stop g:big", "start g:big"];

#[test]
fn limits_are_strict_and_a_process_is_restarted_once() {
    let rows: [(&str, &[&str], &str); 9] = [
        (
            "-p big=5000",
            &["list"],
            "Checking programs big=5000\nRSS of g:big is 5000\n",
        ),
        (
            "-p big=4999",
            &RESTART,
            "Checking programs big=4999\nRSS of g:big is 5000\nRestarting g:big\n",
        ),
        (
            "-p g:big=4999",
            &RESTART,
            "Checking programs g:big=4999\nRSS of g:big is 5000\nRestarting g:big\n",
        ),
        (
            "-g g=4999",
            &RESTART,
            "Checking groups g=4999\nRSS of g:big is 5000\nRestarting g:big\n",
        ),
        (
            "-p big=1 -p g:big=2 -g g=3 -a 4500",
            &RESTART,
            "Checking programs big=1, g:big=2\nChecking groups g=3\nChecking any=4500\n\
             RSS of small:small is 1000\n\
             RSS of g:big is 5000\nRestarting g:big\nRSS of g:big is 5000\nRSS of g:big is 5000\nRSS of g:big is 5000\n\
             RSS of memmon:memmon is 9000\nNot restarting memmon:memmon: it is this memmon\n",
        ),
        (
            "-p big=9000 -g g=1",
            &RESTART,
            "Checking programs big=9000\nChecking groups g=1\n\
             RSS of g:big is 5000\nRSS of g:big is 5000\nRestarting g:big\n",
        ),
        (
            "-p idle=1 -p gone=1",
            &["list"],
            "Checking programs gone=1, idle=1\n",
        ),
        (
            "-p typo=1 -g g=9000 -g nothing=1",
            &["list"],
            "Checking programs typo=1\nChecking groups g=9000, nothing=1\n\
             No process matches -p typo\nNo process matches -g nothing\nRSS of g:big is 5000\n",
        ),
        ("-c", &["list"], "\n"),
    ];
    for (options, calls, text) in rows {
        let mut around = around();
        monitor(options)
            .check(&mut around)
            .expect("the log is writable");
        assert_eq!(around.supervisor.calls, calls, "{options}");
        assert_eq!(log(&around), text, "{options}");
        assert_eq!(around.mailer, [], "{options}");
    }
}

#[test]
fn restarts_are_mailed_unless_the_process_was_up_for_long() {
    let rows = [
        ("-p big=1 -m x@y", Some("memmon: process g:big restarted")),
        (
            "-p big=1 -m x@y -n N",
            Some("memmon [N]: process g:big restarted"),
        ),
        (
            "-n N -p big=1 -m x@y",
            Some("memmon [N]: process g:big restarted"),
        ),
        (
            "-p big=1 -m x@y -u 100",
            Some("memmon: process g:big restarted"),
        ),
        ("-p big=1 -m x@y -u 99", None),
        ("-p big=1", None),
    ];
    for (options, subject) in rows {
        let mut around = around();
        monitor(options)
            .check(&mut around)
            .expect("the log is writable");
        assert_eq!(around.supervisor.calls, RESTART);
        let want = subject.map(|subject| Mail {
            to: "x@y".into(),
            subject: subject.into(),
            body: "memmon.py restarted the process named g:big at Sat Nov  7 11:25:22 2026 UTC because it was \
                   consuming too much memory (5000 bytes RSS)"
                .into(),
        });
        assert_eq!(around.mailer, Vec::from_iter(want), "{options}");
    }
}

#[test]
fn a_failed_restart_is_mailed_and_the_check_goes_on() {
    let rows = [
        (
            "stop g:big",
            "memmon: failed to stop process g:big, exiting",
            "Failed to stop process g:big (RSS 5000), exiting: <Fault 70: 'no'>",
        ),
        (
            "start g:big",
            "memmon: failed to start process g:big, exiting",
            "Failed to start process g:big after stopping it, exiting: <Fault 70: 'no'>",
        ),
    ];
    for (refused, subject, body) in rows {
        let mut around = around();
        around.supervisor = around.supervisor.refusing(refused, "no");
        monitor("-a 2000 -m x@y -u 0")
            .check(&mut around)
            .expect("the log is writable");
        assert!(
            log(&around).contains(&format!("Restarting g:big\n{body}\n")),
            "{}",
            log(&around)
        );
        assert!(log(&around).contains("RSS of memmon:memmon is 9000\n"));
        let mail = around.mailer.first().expect("a mail whatever the uptime");
        assert_eq!((mail.subject.as_str(), mail.body.as_str()), (subject, body));
        let last = around.supervisor.calls.last();
        assert_eq!(last.map(String::as_str), Some(refused));
    }
}

#[test]
fn a_server_that_is_away_is_logged() {
    let mut around = around();
    around.supervisor.processes = None;
    monitor("-a 1")
        .check(&mut around)
        .expect("the log is writable");
    let text = "Checking any=1\nException retrieving process info connection refused\n";
    assert_eq!(log(&around), text);
}

#[test]
fn names_without_a_process_are_reported_once() {
    let mut around = around();
    let mut monitor = monitor("-p typo=1");
    monitor.check(&mut around).expect("the log is writable");
    monitor.check(&mut around).expect("the log is writable");
    assert_eq!(log(&around).matches("No process matches").count(), 1);
}
