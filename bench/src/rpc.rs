//! XML-RPC over a Unix socket that stays open, with as little work on our side as possible.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use callboard_tests::xmlrpc;
use serde_json::Value;

use crate::error::{About, Error};

/// No answer takes longer: the original needs seconds for large requests.
const PATIENCE: Duration = Duration::from_secs(90);

/// A kept-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    answer: Vec<u8>,
}

/// The bytes of a request, to be sent any number of times.
pub(crate) fn request(method: &str, params: &Value) -> Vec<u8> {
    let body = xmlrpc::encode_call(method, params);
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

impl Connection {
    /// Connects.
    pub(crate) fn open(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let answer = Vec::new();
        Ok(Self { stream, answer })
    }

    /// Sends a request and answers the body of what comes back.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.send(request)?;
        self.receive()
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// Reads one answer and returns its body.
    pub(crate) fn receive(&mut self) -> io::Result<&[u8]> {
        self.answer.clear();
        let mut piece = [0; 65536];
        loop {
            let count = self.stream.read(&mut piece)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.answer.extend_from_slice(&piece[..count]);
            if let Some(body) = complete(&self.answer) {
                return Ok(&self.answer[body..]);
            }
        }
    }

    /// Calls a method of the `supervisor` namespace.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Result<Value, Error> {
        let request = request(&format!("supervisor.{method}"), params);
        let body = self.exchange(&request).about(method)?;
        let body = String::from_utf8_lossy(body);
        xmlrpc::decode_answer(&body).map_err(|fault| Error::Answer(format!("{method}: {fault:?}")))
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Where the body of a complete answer starts.
fn complete(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let (_, length) = text.split_once("content-length:")?;
    let length: usize = length.lines().next()?.trim().parse().ok()?;
    (answer.len() >= head + length).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_with_its_last_byte() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(complete(answer), Some(answer.len() - 3));
        for end in 0..answer.len() {
            assert_eq!(complete(&answer[..end]), None, "{end}");
        }
    }
}
