//! No byte of what programs write or are sent is lost or doubled.

use std::fs;
use std::path::{Path, PathBuf};

use callboard_tests::{Daemon, wait};
use serde_json::json;

use crate::installed::{start, upgrade_well};

/// Writes numbered lines, cut anywhere, and now and then a message between capture tokens.
const WRITER: &str = r#"
import os, random, sys, time
random.seed(sys.argv[1])
out = bytearray()
for n in range(int(sys.argv[2])):
    out += b"%s %d %s\n" % (sys.argv[1].encode(), n, b"x" * random.randrange(60))
    if n % 50 == 0:
        out += b"<!--XSUPERVISOR:BEGIN-->%d<!--XSUPERVISOR:END-->" % n
    cut = random.randrange(len(out)) if n % 3 else len(out)
    os.write(1, out[:cut])
    del out[:cut]
    if n % 4 == 0:
        time.sleep(0.001)
os.write(1, out)
"#;

const WRITERS: usize = 20;
const LINES: usize = 3000;

/// A log and its backups, the oldest first.
fn with_backups(log: &Path) -> Vec<PathBuf> {
    let backup = |number: usize| PathBuf::from(format!("{}.{number}", log.display()));
    let mut paths: Vec<_> = (1..).map(backup).take_while(|path| path.exists()).collect();
    paths.reverse();
    paths.push(log.to_owned());
    paths
}

fn check_log(daemon: &Daemon, number: usize) {
    let paths = with_backups(&daemon.path(&format!("logs/w{number}.log")));
    let whole: String = paths
        .iter()
        .map(|path| fs::read_to_string(path).expect("a log"))
        .collect();
    let lines: Vec<_> = whole.lines().collect();
    assert_eq!(lines.len(), LINES, "of writer {number}");
    for (expected, line) in lines.iter().enumerate() {
        let start = format!("{number} {expected} ");
        assert!(line.starts_with(&start), "{start:?}: {line:?}");
    }
    let is_rotated = number.is_multiple_of(2);
    assert_eq!(paths.len() > 2, is_rotated, "{paths:?}");
}

#[test]
fn no_byte_of_many_programs_is_lost_or_doubled() {
    let sections = |(number, options): (usize, &str)| {
        format!(
            "[program:w{number}]\ncommand=%(ENV_PYTHON)s %(here)s/writer.py {number} {LINES}\nstartsecs=0\n\
             autorestart=false\nautostart=false\nstdout_logfile=%(here)s/logs/w{number}.log\n\
             stdout_capture_maxbytes=1MB\n{options}\n"
        )
    };
    let rotated = "stdout_logfile_maxbytes=30000\nstdout_logfile_backups=50";
    let kinds = (0..WRITERS).map(|number| (number, if number % 2 == 0 { rotated } else { "" }));
    let config: String = kinds.map(sections).collect();
    let listener = "[eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_COMMUNICATION\n\
                    startsecs=0\n";
    let daemon = start(&(config + listener));
    fs::write(daemon.path("writer.py"), WRITER).expect("the directory is writable");
    daemon.call("startAllProcesses", json!([false]));
    for _ in 0..10 {
        upgrade_well(&daemon);
    }
    for number in 0..WRITERS {
        daemon.wait_state(&format!("w{number}"), "EXITED");
    }
    (0..WRITERS).for_each(|number| check_log(&daemon, number));
    let expected = WRITERS * LINES / 50;
    let told = || daemon.events("record");
    wait::until_true("every message", || (told().len() >= expected, told().len()));
    let mut messages: Vec<_> = told()
        .iter()
        .map(|event| {
            (
                event.process().to_owned(),
                event.payload.lines().nth(1).map(str::to_owned),
            )
        })
        .collect();
    messages.sort();
    messages.dedup();
    assert_eq!((messages.len(), told().len()), (expected, expected));
}

#[test]
fn what_waits_for_a_program_to_read_goes_on_waiting() {
    let daemon = start(
        "[program:late]\n\
         command=sh -c 'while [ ! -e %(here)s/go ]; do sleep 0.02; done; head -c 400000 | md5sum'\n\
         startsecs=0\nautorestart=false\n",
    );
    let text = "0123456789abcdef".repeat(400_000 / 16 / 4);
    for _ in 0..2 {
        daemon.call("sendProcessStdin", json!(["late", text]));
    }
    upgrade_well(&daemon);
    daemon.call("sendProcessStdin", json!(["late", text]));
    upgrade_well(&daemon);
    daemon.call("sendProcessStdin", json!(["late", text]));
    fs::write(daemon.path("go"), "").expect("the directory is writable");
    daemon.wait_state("late", "EXITED");
    fs::write(daemon.path("expected"), text.repeat(4)).expect("the directory is writable");
    let expected = daemon.run(Path::new("md5sum"), &[daemon.path("expected")]);
    let sum = expected.stdout.split(' ').next().expect("a checksum");
    let said = daemon.call("readProcessStdoutLog", json!(["late", 0, 0]));
    assert_eq!(said, format!("{sum}  -\n"));
}

#[test]
fn a_message_in_the_middle_of_a_capture_is_whole() {
    let daemon = start(
        "[program:half]\n\
         command=sh -c 'printf \"a<!--XSUPERVISOR:BEGIN-->one \"; printf up >%(here)s/up; \
         while [ ! -e %(here)s/go ]; do sleep 0.02; done; printf \"two<!--XSUPERV\"; printf up2 >%(here)s/up; \
         while [ ! -e %(here)s/on ]; do sleep 0.02; done; printf \"ISOR:END-->b\"'\n\
         startsecs=0\nautorestart=false\nstdout_capture_maxbytes=1MB\n\
         [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_COMMUNICATION\nstartsecs=0\n",
    );
    daemon.wait_file("up", "up");
    upgrade_well(&daemon);
    fs::write(daemon.path("go"), "").expect("the directory is writable");
    daemon.wait_file("up", "up2");
    upgrade_well(&daemon);
    fs::write(daemon.path("on"), "").expect("the directory is writable");
    daemon.wait_state("half", "EXITED");
    let event = daemon.wait_event("record", "the message", |_| true);
    assert_eq!(event.payload.lines().nth(1), Some("one two"));
    assert_eq!(
        daemon.call("readProcessStdoutLog", json!(["half", 0, 0])),
        "ab"
    );
}
