//! HTTP over a connection that may be kept.

use std::io;
use std::time::Duration;

use callboard_tests::http::{Address, Connection, Reply};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one server.
pub(super) struct Client {
    address: Address,
    keeps: bool,
    open: Option<Box<dyn Connection>>,
    /// How often a connection had gone that was kept.
    pub(super) reconnects: u64,
}

impl Client {
    pub(super) fn new(address: Address, keeps: bool) -> Self {
        Self {
            address,
            keeps,
            open: None,
            reconnects: 0,
        }
    }

    /// Sends a request and reads the answer. A kept connection that ends before anything was answered may have been closed
    /// just then, so the request is sent once more.
    pub(super) fn exchange(&mut self, line: &str, body: &str) -> io::Result<Reply> {
        let connection = if self.keeps { "keep-alive" } else { "close" };
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\
             Content-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        if let Some(mut open) = self.open.take() {
            match exchange_on(open.as_mut(), request.as_bytes()) {
                Ok(reply) => return Ok(self.keep(open, reply)),
                Err((error, true)) => return Err(error),
                Err((_, false)) => self.reconnects += 1,
            }
        }
        let mut open = self.address.connect_for(PATIENCE)?;
        let reply = exchange_on(open.as_mut(), request.as_bytes()).map_err(|(error, _)| error)?;
        Ok(self.keep(open, reply))
    }

    fn keep(&mut self, open: Box<dyn Connection>, reply: Reply) -> Reply {
        let closes = reply
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.open = (self.keeps && !closes).then_some(open);
        reply
    }
}

/// An error tells whether something had been answered already.
fn exchange_on(open: &mut dyn Connection, request: &[u8]) -> Result<Reply, (io::Error, bool)> {
    open.write_all(request).map_err(|error| (error, false))?;
    let mut answer = Vec::new();
    let mut piece = vec![0; 65_536];
    loop {
        let count = open.read(&mut piece);
        let count = count.map_err(|error| (error, !answer.is_empty()))?;
        if count == 0 {
            let error = io::Error::other(format!("the end after {} bytes", answer.len()));
            return Err((error, !answer.is_empty()));
        }
        answer.extend_from_slice(&piece[..count]);
        if is_complete(&answer) {
            return Reply::parse(&answer).map_err(|error| (error, true));
        }
    }
}

fn is_complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: Option<usize> = length.and_then(|length| length.trim().parse().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}
