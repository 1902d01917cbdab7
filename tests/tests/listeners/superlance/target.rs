//! What httpok asks: a server whose answer is in the path.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The server, for as long as the test runs.
pub(crate) struct Target {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Target {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&asked);
        thread::spawn(move || {
            let mut unanswered = Vec::new();
            for stream in listener.incoming().flatten() {
                unanswered.extend(answer(stream, &shared));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// First line and User-Agent of all requests so far, which are forgotten.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

/// Answers a request as its path says; returns a connection that is to stay without an answer.
fn answer(stream: TcpStream, asked: &Mutex<Vec<String>>) -> Option<TcpStream> {
    let mut reader = BufReader::new(&stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let agent = head
        .iter()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
    let agent = agent.map_or("none", |(_, agent)| agent);
    asked
        .lock()
        .expect("no panic")
        .push(format!("{} as {agent}", head[0]));
    let path = head[0].split(' ').nth(1)?;
    let (status, body) = match path.split('?').next()? {
        "/hang" => return Some(stream),
        "/503" => ("503 Service Unavailable", ""),
        "/404" => ("404 Nowhere to be found", ""),
        "/redirect" => ("302 Found", ""),
        "/umlaut" => ("200 OK", "gr\u{fc}\u{df}e"),
        "/closed" => return None,
        "/garbage" => {
            // The client may have given up.
            let _ = (&stream).write_all(b"what?\r\n\r\n");
            return None;
        }
        _ => ("200 OK", "hello world"),
    };
    let text = format!(
        "HTTP/1.1 {status}\r\nLocation: /ok\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // As above.
    let _ = (&stream).write_all(text.as_bytes());
    None
}
