//! `pidproxy` with real processes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PIDPROXY: &str = env!("CARGO_BIN_EXE_pidproxy");

/// Much less than the five seconds between two looks of the original.
const AT_ONCE: Duration = Duration::from_secs(4);

/// A pidfile's path, in a directory of its own.
struct Pidfile(tempfile::TempDir);

impl Pidfile {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("pid")
    }

    fn write(&self, text: impl ToString) {
        std::fs::write(self.path(), text.to_string()).unwrap();
    }
}

/// A process that only a signal ends; it dies with its standard input.
fn target() -> Child {
    let cat = Command::new("cat").stdin(Stdio::piped()).spawn();
    cat.unwrap()
}

/// The signal that ends a target. Its input stays open meanwhile.
fn killer_of(mut target: Child) -> Option<i32> {
    let _stdin = target.stdin.take();
    target.wait().unwrap().signal()
}

/// A running pidproxy whose command runs until `stdin` is closed.
struct Proxy {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Proxy {
    fn start(pidfile: &Pidfile) -> Self {
        let mut process = Command::new(PIDPROXY)
            .arg(pidfile.path())
            .args(["/bin/sh", "-c", "echo up; exec cat; exit 1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let stdin = process.stdin.take();
        let mut proxy = Self {
            process,
            stdin,
            stdout,
        };
        assert_eq!(proxy.line(), "up\n");
        proxy
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    fn send(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    fn code(&mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(args: &[&str]) -> (Output, Duration) {
    let begin = Instant::now();
    let output = Command::new(PIDPROXY)
        .args(args)
        .current_dir("/bin")
        .output()
        .unwrap();
    (output, begin.elapsed())
}

#[test]
fn too_few_arguments_show_the_usage() {
    for args in [&[][..], &["pidfile"][..]] {
        let (output, _) = run(args);
        let text = String::from_utf8(output.stdout).unwrap();
        let usage = format!("Usage: {PIDPROXY} <pidfile name> <command> [<cmdarg1> ...]\n");
        assert!(text.ends_with(&usage), "{text}");
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn it_exits_as_the_command_does_and_at_once() {
    let rows = [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)];
    for (script, code) in rows {
        let (output, took) = run(&["/nope", "/bin/sh", "-c", script]);
        assert_eq!(output.status.code(), Some(code), "{script}");
        assert!(took < AT_ONCE, "{script} took {took:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty());
    }
}

#[test]
fn the_command_is_a_path_and_keeps_its_name() {
    let (output, _) = run(&["/nope", "sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("sh -c tr "), "{text}");
    let elsewhere = Command::new(PIDPROXY)
        .args(["/nope", "sh", "-c", "exit 0"])
        .current_dir("/")
        .output()
        .unwrap();
    assert_eq!(elsewhere.status.code(), Some(127));
}

#[test]
fn signals_go_to_the_process_in_the_pidfile_as_it_is_then() {
    let pidfile = Pidfile::new();
    let proxy = Proxy::start(&pidfile);
    for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2] {
        let target = target();
        pidfile.write(format!(" {}\n", target.id()));
        proxy.send(signal);
        assert_eq!(killer_of(target), Some(signal as i32));
    }
}

#[test]
fn signals_that_end_the_process_end_pidproxy_too() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT] {
        let pidfile = Pidfile::new();
        let mut proxy = Proxy::start(&pidfile);
        let target = target();
        pidfile.write(target.id());
        proxy.send(signal);
        assert_eq!(proxy.code(), Some(0), "{signal}");
        assert_eq!(killer_of(target), Some(signal as i32));
    }
}

#[test]
fn it_goes_on_when_a_signal_does_not_get_through() {
    let pidfile = Pidfile::new();
    let mut proxy = Proxy::start(&pidfile);
    let complaint = format!("Can't read child pidfile {}!\n", pidfile.path().display());
    proxy.send(Signal::SIGTERM);
    assert_eq!(proxy.line(), complaint);
    for text in ["", "x", "0", "-1"] {
        pidfile.write(text);
        proxy.send(Signal::SIGTERM);
        assert_eq!(proxy.line(), complaint, "{text:?}");
    }
    let mut gone = target();
    gone.kill().unwrap();
    gone.wait().unwrap();
    pidfile.write(gone.id());
    proxy.send(Signal::SIGHUP);
    let want = format!(
        "Can't send SIGHUP to process {}: No such process\n",
        gone.id()
    );
    assert_eq!(proxy.line(), want);
    drop(proxy.stdin.take());
    assert_eq!(proxy.code(), Some(0));
}
