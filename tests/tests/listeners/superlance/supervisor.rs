//! A supervisord that is nothing but an address: it has the processes it is told, and notes what is to become of them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use callboard_tests::Fault;
use callboard_tests::xmlrpc::{decode_call, encode_answer};
use serde_json::{Value, json};

/// A process of such a supervisord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    /// State's code and name.
    pub(crate) state: (i64, &'static str),
    /// How long it has been up, in seconds.
    pub(crate) uptime: i64,
}

pub(crate) const RUNNING: (i64, &str) = (20, "RUNNING");
pub(crate) const STOPPED: (i64, &str) = (0, "STOPPED");

/// A process that cannot be stopped, and one that cannot be started.
pub(crate) const STUCK: Process = process("stuck", "stuck", RUNNING);
pub(crate) const BROKEN: Process = process("broken", "broken", RUNNING);

/// With it, nothing is told of the processes.
pub(crate) const SHUTTING_DOWN: Process = process("", "shutting down", STOPPED);

pub(crate) const fn process(
    group: &'static str,
    name: &'static str,
    state: (i64, &'static str),
) -> Process {
    Process {
        group,
        name,
        state,
        uptime: 100,
    }
}

/// The server.
pub(crate) struct Supervisor {
    port: u16,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Supervisor {
    /// A server for these processes; those that run have this pid, at this time.
    pub(crate) fn start(processes: &'static [Process], pid: i32, now: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let world = Arc::new(World {
            processes,
            pid,
            now,
            calls: Arc::clone(&calls),
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&world);
                thread::spawn(move || while world.serve(&stream).is_some() {});
            }
        });
        Self { port, calls }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was to be stopped and started.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().expect("no panic").clone()
    }
}

struct World {
    processes: &'static [Process],
    pid: i32,
    now: i64,
    calls: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// Serves a request; nothing: there are no more.
    fn serve(&self, mut stream: &TcpStream) -> Option<()> {
        let body = read_request(stream)?;
        let (method, params) = decode_call(&body);
        let answer = encode_answer(&self.answer(&method, &params));
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(answer.as_bytes()).ok()
    }

    fn answer(&self, method: &str, params: &[Value]) -> Result<Value, Fault> {
        let name = params.first().and_then(Value::as_str).unwrap_or_default();
        match method {
            "supervisor.getAllProcessInfo" => self.all(),
            "supervisor.getProcessInfo" => {
                let of_name = |process: &&Process| name == namespec(process);
                let process = self.processes.iter().find(of_name);
                process
                    .map(|process| self.info(process))
                    .ok_or_else(|| fault(10, "BAD_NAME: ", name))
            }
            "supervisor.stopProcess" => self.note("stop", name, "stuck", 70, "NOT_RUNNING: "),
            "supervisor.startProcess" => self.note("start", name, "broken", 50, "SPAWN_ERROR: "),
            _ => Err(fault(1, "UNKNOWN_METHOD", "")),
        }
    }

    fn all(&self) -> Result<Value, Fault> {
        if self.processes.contains(&SHUTTING_DOWN) {
            return Err(fault(6, "SHUTDOWN_STATE", ""));
        }
        Ok(self
            .processes
            .iter()
            .map(|process| self.info(process))
            .collect())
    }

    fn note(
        &self,
        verb: &str,
        name: &str,
        refused: &str,
        code: i64,
        text: &str,
    ) -> Result<Value, Fault> {
        let mut calls = self.calls.lock().expect("no panic");
        calls.push(format!("{verb} {name}"));
        match name.split_once(':') {
            Some((group, _)) if group == refused => Err(fault(code, text, name)),
            _ => Ok(json!(true)),
        }
    }

    fn info(&self, process: &Process) -> Value {
        let runs = process.state == RUNNING;
        json!({
            "name": process.name, "group": process.group, "description": "",
            "start": self.now - process.uptime, "stop": 0, "now": self.now,
            "state": process.state.0, "statename": process.state.1,
            "spawnerr": "", "exitstatus": 0, "pid": if runs { self.pid } else { 0 },
            "logfile": "", "stdout_logfile": "", "stderr_logfile": "",
        })
    }
}

fn namespec(process: &Process) -> String {
    format!("{}:{}", process.group, process.name)
}

fn fault(code: i64, text: &str, name: &str) -> Fault {
    Fault {
        code,
        text: format!("{text}{name}"),
    }
}

/// Reads a request and returns its body.
fn read_request(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}
