//! A listener at work on a case.

use std::fs::{self, File};
use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use callboard_tests::{Flavour, procfs, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::case::{Case, Home};
use super::stage::{NOW, Stage};
use super::supervisor::Supervisor;

/// Runs the listener of a case and returns all that was seen of it, in lines.
pub(crate) fn transcript(case: &Case, stage: &Stage, flavour: Flavour) -> Vec<String> {
    let dir = stage.directory(&format!("{flavour:?}"));
    let now = NOW.as_secs().cast_signed();
    let supervisor = Supervisor::start(case.world, stage.pid(), now);
    let words = case.words.iter().map(|word| fill(word, stage, &dir));
    let mut command = Command::new(flavour.command(case.tool));
    command
        .args(words)
        .env_remove("SUPERVISOR_SERVER_URL")
        .env("SUPERVISOR_PROCESS_NAME", "watch")
        .env("SUPERVISOR_GROUP_NAME", "watch")
        .envs(stage.clock.environment())
        .env("TZ", case.zone)
        .env("LC_ALL", "C.UTF-8")
        .env("COLUMNS", "80")
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(dir.join("stderr")).expect("a writable directory"));
    if case.home == Home::Supervised {
        command.env("SUPERVISOR_SERVER_URL", supervisor.url());
    }
    let child = command.spawn().expect("the listener starts");
    let mut lines = converse(child, case);
    let read = |name: &str| fs::read(dir.join(name)).unwrap_or_default();
    for (mark, text) in [("err", read("stderr")), ("mail", read("mailbox"))] {
        let text = without_tracebacks(&String::from_utf8_lossy(&text));
        lines.extend(text.split('\n').map(|line| format!("{mark}| {line}")));
    }
    let calls = supervisor.calls().into_iter();
    lines.extend(calls.map(|call| format!("call| {call}")));
    let asked = stage.target.take_asked().into_iter();
    lines.extend(asked.map(|request| format!("asked| {request}")));
    let heard = stage.smtp.take_heard().into_iter();
    lines.extend(heard.map(|line| format!("smtp| {line}")));
    lines.iter().map(|line| stage.mask(line, &dir)).collect()
}

/// Fills in what a case's word leaves open.
fn fill(word: &str, stage: &Stage, dir: &Path) -> String {
    let mail = format!("cat >> {0}/mailbox; echo '|' >> {0}/mailbox", dir.display());
    word.replace("{mail}", &mail)
        .replace("{dir}", &dir.display().to_string())
        .replace(
            "{url}",
            &format!("http://127.0.0.1:{}", stage.target.port()),
        )
        .replace("{smtp}", &format!("127.0.0.1:{}", stage.smtp.port()))
}

/// Plays supervisord: an event whenever it is READY. A listener that lives then is killed.
fn converse(mut child: Child, case: &Case) -> Vec<String> {
    let pid = child.id().cast_signed();
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (over, is_over) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        // Nobody sends: the end of the conversation closes the channel.
        if is_over.recv_timeout(wait::DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    });
    let mut lines = Vec::new();
    let mut events = case.events.iter();
    loop {
        let (said, ready) = until_ready(&mut output);
        if !said.is_empty() {
            lines.push(format!("out| {said:?}"));
        }
        if !ready {
            let status = child.wait().expect("it ended");
            lines.push(format!("ended: {status}"));
            break;
        }
        let Some((name, payload)) = events.next() else {
            child.kill().expect("it lives");
            child.wait().expect("it was killed");
            break;
        };
        let length = payload.chars().count();
        let event = format!(
            "ver:3.0 server:board serial:1 pool:watch poolserial:1 eventname:{name} len:{length}\n{payload}"
        );
        // It may have ended; the next reading shows it.
        let _ = input.write_all(event.as_bytes());
    }
    drop(over);
    watchdog.join().expect("no panic");
    assert!(!procfs::is_alive(pid));
    lines
}

/// What it says before it is READY, or before its end.
fn until_ready(output: &mut impl std::io::BufRead) -> (String, bool) {
    let mut said = Vec::new();
    loop {
        let start = said.len();
        if output.by_ref().read_until(b'\n', &mut said).unwrap_or(0) == 0 {
            return (String::from_utf8_lossy(&said).into_owned(), false);
        }
        // OK has no line feed: READY follows it at once.
        if said[start..].ends_with(b"READY\n") {
            said.truncate(said.len() - b"READY\n".len());
            return (String::from_utf8_lossy(&said).into_owned(), true);
        }
    }
}

/// Keeps only the last line of Python's tracebacks.
fn without_tracebacks(text: &str) -> String {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.split('\n') {
        let begins = line.ends_with("Traceback (most recent call last):");
        inside = begins || (inside && line.starts_with(' '));
        if begins {
            lines.push(line.trim_end_matches("Traceback (most recent call last):"));
        } else if !inside {
            lines.push(line);
        }
    }
    lines.join("\n")
}
