//! A web server that notes what it is sent and answers what it is told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use callboard_tests::wait;
use serde_json::Value;

/// A server on a port of its own, until the test ends.
pub(crate) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    bodies: Vec<String>,
    statuses: VecDeque<u16>,
}

/// In the place of a status: the request is read and never answered.
pub(crate) const NEVER: u16 = 0;

impl Server {
    /// A server that answers these statuses one after the other, and then 200.
    pub(crate) fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let state = Arc::new(Mutex::new(State {
            statuses: statuses.iter().copied().collect(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            let mut unanswered = Vec::new();
            for stream in listener.incoming().flatten() {
                unanswered.extend(answer(stream, &shared));
            }
        });
        Self { port, state }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Waits until it got at least so many requests, and returns their bodies.
    pub(crate) fn wait_bodies(&self, count: usize) -> Vec<String> {
        wait::until(&format!("{count} requests"), || match self.bodies() {
            bodies if bodies.len() >= count => Ok(bodies),
            bodies => Err(bodies),
        })
    }

    /// The bodies of all requests so far.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.state.lock().expect("no panic").bodies.clone()
    }

    /// Waits for a request whose body is JSON of this kind, and returns that.
    pub(crate) fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, || {
            let bodies = self.bodies();
            let values = bodies
                .iter()
                .filter_map(|body| serde_json::from_str(body).ok());
            values.into_iter().find(&wanted).ok_or(bodies)
        })
    }
}

/// Answers a request; returns a connection that is to stay without an answer.
fn answer(stream: TcpStream, state: &Mutex<State>) -> Option<TcpStream> {
    let mut reader = BufReader::new(&stream);
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
    let mut state = state.lock().expect("no panic");
    state.bodies.push(String::from_utf8(body).expect("text"));
    match state.statuses.pop_front().unwrap_or(200) {
        NEVER => Some(stream),
        status => {
            let head = format!(
                "HTTP/1.1 {status} As Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            // The client may have given up.
            let _ = (&stream).write_all(head.as_bytes());
            None
        }
    }
}
