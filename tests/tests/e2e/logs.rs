//! Log files: rotation, reading, following, clearing, reopening.

use std::io::Read;
use std::process::Stdio;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

/// Echoes its input into `talk.out`.
const TALK: &str = "[program:talk]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/talk.out\n";

fn say(daemon: &Daemon, text: &str) {
    assert_eq!(
        daemon.call("sendProcessStdin", json!(["talk", text])),
        json!(true)
    );
}

fn talk(options: &str) -> Daemon {
    let daemon = Daemon::under_test(&format!("{TALK}{options}"));
    daemon.wait_state("talk", "RUNNING");
    daemon
}

#[test]
fn a_log_rotates_when_it_is_full() {
    let daemon = talk("stdout_logfile_maxbytes=10\nstdout_logfile_backups=2\n");
    for (text, files) in [
        ("aaaaaa", ["aaaaaa", "", ""]),
        ("bbbbbb", ["", "aaaaaabbbbbb", ""]),
        ("cccccccccccc", ["", "cccccccccccc", "aaaaaabbbbbb"]),
        ("dddddddddddd", ["", "dddddddddddd", "cccccccccccc"]),
        ("e", ["e", "dddddddddddd", "cccccccccccc"]),
    ] {
        say(&daemon, text);
        wait::until(&format!("the log after {text}"), || {
            let seen = ["talk.out", "talk.out.1", "talk.out.2"].map(|name| daemon.read(name));
            if seen == files { Ok(()) } else { Err(seen) }
        });
    }
    assert!(!daemon.path("talk.out.3").exists());
}

#[test]
fn without_backups_the_log_is_emptied() {
    let daemon = talk("stdout_logfile_maxbytes=4\nstdout_logfile_backups=0\n");
    say(&daemon, "aaa");
    daemon.wait_file("talk.out", "aaa");
    say(&daemon, "bbb");
    wait::until("the log to be emptied", || match daemon.read("talk.out") {
        seen if seen.is_empty() => Ok(()),
        seen => Err(seen),
    });
    say(&daemon, "c");
    daemon.wait_file("talk.out", "c");
    assert!(!daemon.path("talk.out.1").exists());
}

#[test]
fn clear_empties_and_writing_goes_on() {
    let daemon = talk("");
    say(&daemon, "before\n");
    daemon.wait_file("talk.out", "before\n");
    assert_eq!(
        daemon.call("clearProcessLogs", json!(["talk"])),
        json!(true)
    );
    assert_eq!(daemon.read("talk.out"), "");
    say(&daemon, "after\n");
    daemon.wait_file("talk.out", "after\n");
    let rows = daemon.call("clearAllProcessLogs", json!([]));
    assert_eq!(
        rows,
        json!([{"name": "talk", "group": "talk", "status": 80, "description": "OK"}])
    );
    assert_eq!(daemon.read("talk.out"), "");
}

#[test]
fn the_activity_log_is_read_and_cleared() {
    let daemon = talk("");
    let text = daemon.call("readLog", json!([0, 0]));
    assert!(
        text.as_str()
            .is_some_and(|text| text.contains("supervisord started with pid")),
        "{text}"
    );
    assert_eq!(
        daemon.call("readMainLog", json!([0, 4])),
        text.as_str().map(|text| &text[..4]).unwrap_or_default()
    );
    assert_eq!(daemon.call("clearLog", json!([])), json!(true));
    assert!(!daemon.log().contains("supervisord started"));
    daemon.wait_file("stdout", "INFO reopening log file");
    daemon.call("stopProcess", json!(["talk"]));
    daemon.wait_log("stopped: talk");
}

#[test]
fn usr2_reopens_what_was_renamed() {
    let daemon = talk("");
    say(&daemon, "one\n");
    daemon.wait_file("talk.out", "one\n");
    for name in ["talk.out", "supervisord.log"] {
        std::fs::rename(daemon.path(name), daemon.path(&format!("{name}.old")))
            .expect("the file exists");
    }
    daemon.signal(Signal::SIGUSR2);
    daemon.wait_file(
        "supervisord.log.old",
        "INFO received SIGUSR2 indicating log reopen request",
    );
    daemon.wait_file("supervisord.log.old", "INFO supervisord logreopen");
    wait::until_true("a new log", || {
        (daemon.path("supervisord.log").exists(), ())
    });
    say(&daemon, "two\n");
    daemon.wait_file("talk.out", "two\n");
    assert_eq!(daemon.read("talk.out.old"), "one\n");
}

#[test]
fn auto_logs_get_a_generated_name() {
    let mut daemon = Daemon::under_test("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    let info = daemon.info("a");
    let path = info["stdout_logfile"].as_str().expect("a path");
    let prefix = format!("{}/logs/a-stdout---board-", daemon.dir().display());
    let random = path
        .strip_prefix(&prefix)
        .and_then(|rest| rest.strip_suffix(".log"))
        .expect("a generated name");
    assert_eq!(random.len(), 8, "{path}");
    assert!(std::path::Path::new(path).exists());
    assert!(
        info["stderr_logfile"]
            .as_str()
            .is_some_and(|path| path.contains("/a-stderr---board-"))
    );
    let path = path.to_owned();
    daemon.shut_down();
    assert!(
        std::path::Path::new(&path).exists(),
        "a log outlives the daemon"
    );
    daemon.launch(&[]);
    daemon.wait_until_up();
    assert!(
        !std::path::Path::new(&path).exists(),
        "the next start cleans up"
    );
}

#[test]
fn the_last_words_of_a_program_are_logged() {
    let daemon = Daemon::under_test(
        "[program:a]\ncommand=sh -c 'echo first; printf last'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/a.out\n",
    );
    daemon.wait_state("a", "EXITED");
    assert_eq!(daemon.read("a.out"), "first\nlast");
}

#[test]
fn short_output_survives_capture_mode() {
    if Flavour::under_test() == Flavour::Original {
        return; // It loses what is shorter than a token.
    }
    let daemon = Daemon::under_test(
        "[program:a]\ncommand=echo hi\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/a.out\nstdout_capture_maxbytes=1KB\n",
    );
    daemon.wait_state("a", "EXITED");
    daemon.wait_file("a.out", "hi\n");
}

#[test]
fn escape_sequences_are_stripped_on_request() {
    let daemon = Daemon::under_test(
        "[supervisord]\nstrip_ansi=true\n\
         [program:a]\ncommand=printf '\\033[31mred\\033[0m and plain'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/a.out\n",
    );
    daemon.wait_state("a", "EXITED");
    assert_eq!(daemon.read("a.out"), "red and plain");
}

#[test]
fn tail_shows_the_end_and_follows() {
    let daemon = talk("");
    say(&daemon, "0123456789\n");
    daemon.wait_file("talk.out", "0123456789\n");
    assert_eq!(daemon.ctl(&["tail", "-4", "talk"]).stdout, "789\n\n");
    assert_eq!(daemon.ctl(&["tail", "talk", "stderr"]).stdout, "\n");

    let mut follower = daemon
        .command("supervisorctl")
        .args(["-c", "supervisord.conf", "tail", "-f", "talk"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .env("PYTHONUNBUFFERED", "1")
        .spawn()
        .expect("supervisorctl starts");
    let mut output = follower.stdout.take().expect("a pipe");
    read_until(&mut output, "==> Press Ctrl-C to exit <==\n");
    read_until(&mut output, "0123456789\n");
    say(&daemon, "fresh\n");
    read_until(&mut output, "fresh\n");
    kill(Pid::from_raw(follower.id() as i32), Signal::SIGINT).expect("it follows still");
    assert_eq!(follower.wait().expect("it ends").code(), Some(0));
}

/// Reads until the expected text came; a missing one blocks no longer than the follower lives.
fn read_until(source: &mut impl Read, expected: &str) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(expected.as_bytes()) {
        let count = source.read(&mut byte).expect("the pipe is readable");
        assert_ne!(
            count,
            0,
            "{expected:?} did not come, but {:?}",
            String::from_utf8_lossy(&seen)
        );
        seen.extend_from_slice(&byte);
    }
}

#[test]
fn output_that_is_nothing_but_escape_sequences_is_an_event() {
    let daemon = Daemon::under_test(
        "[supervisord]\nstrip_ansi=true\n\
         [program:talk]\ncommand=cat\nstartsecs=0\nstdout_events_enabled=true\n\
         [eventlistener:recorder]\ncommand=%(ENV_LISTENER)s %(here)s/events\nevents=PROCESS_LOG\n",
    );
    daemon.wait_state("recorder", "RUNNING");
    daemon.wait_state("talk", "RUNNING");
    say(&daemon, "\u{1b}[1m");
    let event = daemon.wait_event("events", "output", |event| event.process() == "talk");
    assert!(event.payload.ends_with("channel:stdout\n"), "{event:?}");
}

#[test]
fn a_log_whose_directory_vanishes_stops_nothing_and_is_told_once() {
    if Flavour::under_test() == Flavour::Original {
        return; // It ends.
    }
    let mut daemon = Daemon::prepare(
        Flavour::Ours,
        "[program:talk]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/sub/talk.out\n\
         stdout_logfile_maxbytes=4\nstdout_logfile_backups=1\n",
    );
    let directory = daemon.path("sub");
    std::fs::create_dir(&directory).expect("a directory");
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_state("talk", "RUNNING");
    std::fs::remove_dir_all(&directory).expect("it is there");
    for count in 1..4 {
        say(&daemon, "full\n");
        wait::until("the output", || {
            let seen = daemon.log().matches("full\n").count();
            if seen == count { Ok(()) } else { Err(seen) }
        });
    }
    assert_eq!(daemon.log().matches("cannot rotate").count(), 1);
    std::fs::create_dir(&directory).expect("a directory");
    say(&daemon, "full\n");
    daemon.wait_log("works again");
    say(&daemon, "new");
    daemon.wait_file("sub/talk.out", "new");
}
