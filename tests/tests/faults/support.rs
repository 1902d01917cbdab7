//! What these tests share: limits set from outside, and a look at the daemon while something is wrong.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use callboard_tests::http::Connection;
use callboard_tests::{Daemon, procfs, wait, xmlrpc};
use nix::unistd::Uid;
use serde_json::{Value, json};

/// For so long the daemon is watched.
const WATCHED: Duration = Duration::from_secs(1);

/// What a daemon with nothing to do may use meanwhile; one that turns in circles uses all there is.
const CALM: Duration = Duration::from_millis(250);

/// A resource limit of a running daemon, lowered; it is what it was again when this is dropped.
pub(crate) struct Limit {
    pid: i32,
    user: u32,
    name: &'static str,
    before: String,
}

impl Limit {
    /// Lowers a soft limit, by its name among the options of prlimit(1).
    pub(crate) fn set(pid: i32, name: &'static str, soft: u64) -> Self {
        let process = fs::metadata(format!("/proc/{pid}")).expect("the daemon lives");
        let user = process.uid();
        let option = format!("--{name}");
        let question = [&option, "--raw", "--noheadings", "-oSOFT"];
        let before = prlimit(pid, user, &question);
        let limit = Self {
            pid,
            user,
            name,
            before,
        };
        limit.change(&soft.to_string());
        limit
    }

    /// Leaves the daemon so many descriptors that it may still open.
    pub(crate) fn descriptors(daemon: &Daemon, more: usize) -> Self {
        let pid = daemon.pid();
        let open = settled_numbers(pid);
        let free = (0..).filter(|number| !open.contains(number)).nth(more);
        Self::set(pid, "nofile", free.expect("numbers do not end") as u64)
    }

    fn change(&self, soft: &str) {
        let option = format!("--{}={soft}:", self.name);
        prlimit(self.pid, self.user, &[&option]);
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if procfs::is_alive(self.pid) {
            self.change(self.before.trim());
        }
    }
}

/// As the user whose process it is: even root may not be allowed to change those of others.
fn prlimit(pid: i32, user: u32, arguments: &[&str]) -> String {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string()]).args(arguments);
    if user != Uid::effective().as_raw() {
        command.uid(user).gid(user);
    }
    let output = command.output().expect("util-linux is there");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Numbers of the open descriptors.
fn numbers(pid: i32) -> Vec<usize> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("the daemon lives");
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.to_str()?.parse().ok())
        .collect()
}

/// The same when the last connection has been closed.
fn settled_numbers(pid: i32) -> Vec<usize> {
    let mut before = Vec::new();
    wait::until("the descriptors to stay the same", || {
        let now = numbers(pid);
        let is_same = now == before;
        before.clone_from(&now);
        if is_same { Ok(now) } else { Err(now) }
    })
}

/// Clients that take the descriptors between others, so that those of a program are the next to be free when it ends.
pub(crate) fn fill_gaps(daemon: &Daemon) -> Vec<Regular> {
    /// What is above was put there on purpose.
    const LOW: usize = 200;
    let mut clients = Vec::new();
    loop {
        let open = settled_numbers(daemon.pid());
        let highest = open.iter().filter(|number| **number < LOW).max();
        let highest = *highest.expect("standard input at least");
        if (0..highest).all(|number| open.contains(&number)) {
            return clients;
        }
        clients.push(Regular::of(daemon));
    }
}

/// What a daemon had before the fault.
pub(crate) struct Before {
    pid: i32,
    descriptors: usize,
}

impl Before {
    /// To be asked when everything is as it shall be in the end.
    pub(crate) fn of(daemon: &Daemon) -> Self {
        Self::of_pid(daemon.pid())
    }

    /// The same by the daemon's pid.
    pub(crate) fn of_pid(pid: i32) -> Self {
        let descriptors = numbers(pid).len();
        Self { pid, descriptors }
    }

    /// Waits until the daemon has no more descriptors than before and no dead children.
    pub(crate) fn wait(&self) {
        wait::until("descriptors and dead children to be gone", || {
            let open = numbers(self.pid).len();
            let dead = procfs::zombies_of(self.pid);
            // A request that was just ending may have counted before.
            match open <= self.descriptors && dead.is_empty() {
                true => Ok(()),
                false => Err((self.descriptors, open, dead)),
            }
        });
    }
}

/// Checks that the daemon does not turn in circles.
pub(crate) fn assert_calm(daemon: &Daemon) {
    assert_calm_pid(daemon.pid());
}

/// The same by the daemon's pid.
pub(crate) fn assert_calm_pid(pid: i32) {
    let before = cpu_time(pid);
    sleep(WATCHED);
    let used = cpu_time(pid).saturating_sub(before);
    assert!(used < CALM, "{used:?} of CPU time within {WATCHED:?}");
}

/// Waits until a process that was sent SIGSTOP has been stopped by it.
pub(crate) fn wait_stopped(pid: i32) {
    wait::until_true("it to be stopped", || {
        let row = procfs::row(pid);
        (row.as_ref().is_some_and(|row| row.state == 'T'), row)
    });
}

/// CPU time in user and kernel mode.
pub(crate) fn cpu_time(pid: i32) -> Duration {
    /// USER_HZ, which is the same everywhere.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the daemon lives");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<u32>().expect("a number"));
    TICK * ticks.sum::<u32>()
}

/// Checks that the daemon serves a new client.
pub(crate) fn assert_answers(daemon: &Daemon) {
    let state = daemon.call("getState", json!([]));
    assert_eq!(state["statename"], "RUNNING");
}

/// A client that came before the fault and keeps its connection.
pub(crate) struct Regular(BufReader<Box<dyn Connection>>);

impl Regular {
    /// Connects, and calls once: after that everything the connection needs is there.
    pub(crate) fn of(daemon: &Daemon) -> Self {
        let connection = daemon.address().connect().expect("the daemon listens");
        let mut client = Self(BufReader::new(connection));
        client.call("getState", &json!([]));
        client
    }

    /// Calls a method of the supervisor and expects a value.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let method = format!("supervisor.{method}");
        let body = xmlrpc::encode_call(&method, params);
        let length = body.len();
        let head = format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}");
        let stream = self.0.get_mut();
        write!(stream, "{head}\r\nContent-Type: text/xml\r\n\r\n{body}").expect("it reads");
        xmlrpc::decode_answer(&self.answer())
            .unwrap_or_else(|fault| panic!("{method}{params}: {fault:?}"))
    }

    fn answer(&mut self) -> String {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).expect("an answer");
            assert_ne!(read, 0, "the connection has ended");
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().expect("a number");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the body");
        String::from_utf8_lossy(&body).into_owned()
    }
}
