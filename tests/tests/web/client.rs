//! A client of the JSON interface.

use std::io::{BufRead, BufReader, Write};

use callboard_tests::http::{Address, Connection, Reply};
use callboard_tests::{Daemon, wait};
use serde_json::Value;

/// An answer: its status and its JSON.
pub(crate) type Answer = (u16, Value);

pub(crate) fn get(daemon: &Daemon, path: &str) -> Answer {
    let reply = daemon.address().send("GET", path, &[]);
    parse(&reply.expect("the daemon answers"))
}

/// Posts a body of JSON.
pub(crate) fn post(daemon: &Daemon, path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let reply = request(
        daemon,
        "POST",
        path,
        &["Content-Type: application/json"],
        &body,
    );
    parse(&reply)
}

/// Posts nothing.
pub(crate) fn poke(daemon: &Daemon, path: &str) -> Answer {
    let reply = daemon.address().send("POST", path, &[]);
    parse(&reply.expect("the daemon answers"))
}

/// Any request with a body.
pub(crate) fn request(
    daemon: &Daemon,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Reply {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let reply = daemon.address().exchange(request.as_bytes());
    reply.expect("the daemon answers")
}

pub(crate) fn parse(reply: &Reply) -> Answer {
    assert_eq!(
        reply.header("content-type"),
        Some("application/json"),
        "{}",
        reply.text()
    );
    let value = serde_json::from_slice(&reply.body);
    (
        reply.status,
        value.unwrap_or_else(|error| panic!("{error} in {}", reply.text())),
    )
}

/// A stream of server-sent events that is being read.
pub(crate) struct Stream {
    reader: BufReader<Box<dyn Connection>>,
}

/// One event: its name, empty if it has none, and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}

impl Event {
    /// The data as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("the data is JSON")
    }
}

impl Stream {
    /// Asks for a stream and reads its head, after which nothing that happens is missed.
    pub(crate) fn open(daemon: &Daemon, path: &str) -> Self {
        Self::of(&daemon.address(), path)
    }

    pub(crate) fn of(address: &Address, path: &str) -> Self {
        let mut stream = Self {
            reader: BufReader::new(send(address, path)),
        };
        let head = stream.lines();
        assert!(head[0].contains(" 200 "), "{head:?}");
        let kind = "Content-Type: text/event-stream".to_owned();
        assert!(head.contains(&kind), "{head:?}");
        assert_eq!(stream.lines(), ["retry: 3000"]);
        stream
    }

    /// The next event; comments are skipped. `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            let lines = self.lines();
            if lines.is_empty() {
                return None;
            }
            let field = |name: &str| {
                let values = lines.iter().filter_map(|line| line.strip_prefix(name));
                values.collect::<Vec<_>>().join("\n")
            };
            if lines.iter().any(|line| line.starts_with("data: ")) {
                return Some(Event {
                    name: field("event: "),
                    data: field("data: "),
                });
            }
        }
    }

    /// The lines up to the next empty one.
    fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self
                .reader
                .read_line(&mut line)
                .expect("the stream goes on");
            match line.trim_end() {
                "" => return lines,
                _ if read == 0 => return lines,
                line => lines.push(line.to_owned()),
            }
        }
    }
}

/// Asks for a stream. HTTP/1.0 spares the reader the chunks.
pub(crate) fn send(address: &Address, path: &str) -> Box<dyn Connection> {
    let mut connection = address.connect().expect("the daemon listens");
    write!(connection, "GET {path} HTTP/1.0\r\n\r\n").expect("it reads");
    connection
}

/// Waits for a sample of the metrics, as `name{labels}`, to have a value.
pub(crate) fn wait_metric(daemon: &Daemon, sample: &str, value: &str) {
    let wanted = format!("{sample} {value}");
    wait::until(&wanted, || {
        let reply = daemon.address().send("GET", "/metrics", &[]);
        let text = reply.expect("the daemon answers").text();
        let line = text.lines().find(|line| line.starts_with(sample));
        match line {
            Some(line) if line == wanted => Ok(()),
            other => Err(other.map(str::to_owned)),
        }
    });
}
