//! Just enough HTTP to see exactly what a server sends.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::wait::DEADLINE;

/// Where a server listens.
#[derive(Debug, Clone)]
pub enum Address {
    /// A Unix socket.
    Unix(PathBuf),
    /// A port of the loopback interface.
    Port(u16),
}

/// A connection of either kind.
pub trait Connection: Read + Write + Send {}
impl<T: Read + Write + Send> Connection for T {}

impl Address {
    /// Connects; reads fail after the test deadline.
    pub fn connect(&self) -> io::Result<Box<dyn Connection>> {
        self.connect_for(DEADLINE)
    }

    /// Connects; reads fail after `timeout`.
    pub fn connect_for(&self, timeout: Duration) -> io::Result<Box<dyn Connection>> {
        match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path as &Path)?;
                stream.set_read_timeout(Some(timeout))?;
                Ok(Box::new(stream))
            }
            Self::Port(port) => {
                let stream = TcpStream::connect(("127.0.0.1", *port))?;
                stream.set_read_timeout(Some(timeout))?;
                Ok(Box::new(stream))
            }
        }
    }

    /// Sends the bytes of a request and reads the answer until the server closes the connection.
    pub fn exchange(&self, request: &[u8]) -> io::Result<Reply> {
        let mut connection = self.connect()?;
        connection.write_all(request)?;
        let mut answer = Vec::new();
        // A reset after the answer, as with requests the server refused to read, does not spoil it.
        let _ = connection.read_to_end(&mut answer);
        Reply::parse(&answer)
    }

    /// A request without a body; `headers` are whole lines without their ends.
    pub fn send(&self, method: &str, path: &str, headers: &[&str]) -> io::Result<Reply> {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        self.exchange(request.as_bytes())
    }

    /// Posts a body.
    pub fn post(&self, path: &str, headers: &[&str], body: &[u8]) -> io::Result<Reply> {
        let mut request =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str(&format!(
            "Content-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ));
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.exchange(&bytes)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body as sent, chunk framing included.
    pub body: Vec<u8>,
}

impl Reply {
    /// Splits an answer into its parts.
    pub fn parse(bytes: &[u8]) -> io::Result<Self> {
        let malformed = || {
            io::Error::other(format!(
                "no HTTP answer: {:?}",
                String::from_utf8_lossy(bytes)
            ))
        };
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .ok_or_else(malformed)?;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| malformed())?;
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .ok_or_else(malformed)?;
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        Ok(Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        })
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
