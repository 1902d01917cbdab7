//! A busy daemon is killed again and again, and what that costs is counted.
//!
//! `CALLBOARD_DEATHS` and `CALLBOARD_WRITERS` ask for more of it than CI does, and the figures are
//! shown with `--nocapture`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use callboard_tests::{Daemon, Flavour, procfs, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{send, supervisord, with_mode};

/// Writes numbered lines until it is told to end.
const WRITER: &str = r#"
import os, signal, time
over = []
signal.signal(signal.SIGTERM, lambda *_: over.append(1))
n = 0
while not over:
    os.write(1, b"%d\n" % n)
    n += 1
    time.sleep(0.01)
os.write(1, b"end %d\n" % n)
"#;

/// What has become of the lines of a writer.
#[derive(Debug, Default)]
struct Lines {
    written: usize,
    lost: usize,
    doubled: usize,
    garbled: usize,
}

/// What clients have seen.
#[derive(Debug, Default)]
struct Calls {
    answered: usize,
    failed: usize,
    longest: Duration,
}

fn number(name: &str, default: usize) -> usize {
    let value = env::var(name).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

fn config(writers: usize) -> String {
    let writers = format!(
        "[program:w]\ncommand=%(ENV_PYTHON)s -S %(here)s/writer.py\nstartsecs=0\nautorestart=false\n\
         numprocs={writers}\nprocess_name=w%(process_num)d\nstdout_logfile=%(here)s/logs/w%(process_num)d.log\n\
         stdout_logfile_maxbytes=0\nstopwaitsecs=60\n"
    );
    let others = "[program:brief]\ncommand=sh -c 'sleep 0.3;exit 7'\nstartsecs=0\nautorestart=true\n\
         numprocs=5\nprocess_name=brief%(process_num)d\n\
         [program:loud]\ncommand=sh -c 'while :;do echo loud;sleep 0.01;done'\nstartsecs=0\n\
         stdout_events_enabled=true\n\
         [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\n\
         events=PROCESS_LOG,PROCESS_STATE_EXITED\nstartsecs=0\n";
    with_mode("keep", &(writers + others))
}

fn start(writers: usize) -> Daemon {
    let mut daemon = Daemon::prepare(Flavour::Ours, &config(writers));
    fs::write(daemon.path("writer.py"), WRITER).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    for number in 0..writers {
        daemon.wait_file(&format!("logs/w{number}.log"), "\n");
    }
    daemon
}

/// Kills the daemon; how long it took until another one answered.
fn die(daemon: &Daemon) -> Duration {
    let before = supervisord(daemon);
    send(before, Signal::SIGKILL);
    let begun = Instant::now();
    loop {
        match daemon.try_call("supervisor.getPID", &json!([])) {
            Ok(Ok(pid)) if pid != before => return begun.elapsed(),
            _ => assert!(begun.elapsed() < wait::DEADLINE, "{}", daemon.log()),
        }
    }
}

/// Calls until it is over.
fn call(daemon: &Daemon, is_over: &AtomicBool) -> Calls {
    let mut calls = Calls::default();
    while !is_over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        match daemon.try_call("supervisor.getAllProcessInfo", &json!([])) {
            Ok(Ok(Value::Array(_))) => calls.answered += 1,
            Ok(other) => panic!("{other:?}"),
            // It was killed while it was about to answer.
            Err(_) => calls.failed += 1,
        }
        calls.longest = calls.longest.max(begun.elapsed());
    }
    calls
}

fn lines(daemon: &Daemon, writer: usize) -> Lines {
    let text = daemon.read(&format!("logs/w{writer}.log"));
    let mut lines = Lines::default();
    let mut next = 0;
    for line in text.lines() {
        let line = line.strip_prefix("end ").unwrap_or(line);
        match line.parse::<usize>() {
            Ok(number) if number >= next => {
                lines.lost += number - next;
                next = number + 1;
            }
            Ok(_) => lines.doubled += 1,
            Err(_) => lines.garbled += 1,
        }
    }
    lines.written = next;
    lines
}

#[test]
fn a_busy_daemon_is_killed_and_killed() {
    let (deaths, writers) = (
        number("CALLBOARD_DEATHS", 3),
        number("CALLBOARD_WRITERS", 20),
    );
    let daemon = start(writers);
    let pids = |daemon: &Daemon| -> Vec<i32> {
        let names = (0..writers).map(|number| format!("w:w{number}"));
        names.map(|name| daemon.process_pid(&name)).collect()
    };
    let before = pids(&daemon);
    let is_over = AtomicBool::new(false);
    let (gaps, calls) = thread::scope(|scope| {
        let client = scope.spawn(|| call(&daemon, &is_over));
        let gaps: Vec<Duration> = (0..deaths)
            .map(|_| {
                let gap = die(&daemon);
                // Longer than a daemon has to work so that the next one is started at once.
                let well = Instant::now() + Duration::from_millis(1100);
                wait::until_true("the daemon to be well", || (Instant::now() > well, ()));
                gap
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        (gaps, client.join().expect("it does not panic"))
    });
    assert_eq!(pids(&daemon), before, "the same programs");
    for group in ["brief", "loud", "w"] {
        daemon.call("stopProcessGroup", json!([group]));
    }
    let all: Vec<Lines> = (0..writers).map(|writer| lines(&daemon, writer)).collect();
    let sum = |what: fn(&Lines) -> usize| all.iter().map(what).sum::<usize>();
    let log = daemon.log();
    let count = |text: &str| log.matches(text).count();
    let (spawned, ended) = (
        count("spawned: 'brief"),
        count("exited: brief") + count("stopped: brief"),
    );
    let statuses = count("(exit status 7; not expected)") + count("stopped: brief");
    let mut sorted = gaps.clone();
    sorted.sort();
    println!(
        "{deaths} deaths, {writers} writers: gap median {:?}, longest {:?}; {calls:?}\n\
         lines {}, lost {}, doubled {}, garbled {}; starts {spawned}, ends {ended}, with their status {statuses}",
        sorted[sorted.len() / 2],
        sorted[sorted.len() - 1],
        sum(|lines| lines.written),
        sum(|lines| lines.lost),
        sum(|lines| lines.doubled),
        sum(|lines| lines.garbled),
    );
    assert_eq!(
        spawned, ended,
        "every end is noticed, and nothing is started twice"
    );
    assert_eq!(spawned, statuses);
    assert_eq!(count("was killed (terminated by SIGKILL)"), deaths);
    // What is between reading and writing when the daemon is killed is lost.
    assert!(sum(|lines| lines.lost) <= deaths * 10, "{all:?}");
    assert_eq!(sum(|lines| lines.doubled), 0, "{all:?}");
    assert!(calls.failed <= deaths * 2, "{calls:?}");
    assert_eq!(procfs::zombies_of(daemon.pid()), []);
}
