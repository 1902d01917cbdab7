//! The system log: one datagram per line to `/dev/log`.
//!
//! Facility `user`, priority `info`, ident `supervisord`, no pid, as Supervisor's. The C library's
//! syslog(3) may wait for a busy system logger; the daemon may not, so lines wait in a queue instead.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use super::stamp::Stamp;

/// Facility user (1), priority info (6).
const PRIORITY: u32 = 1 << 3 | 6;
const IDENT: &str = "supervisord";

/// Bytes that wait for a busy logger at most.
const QUEUE: usize = 1024 * 1024;

/// A connection to the system logger, made when it is needed and again after a failure.
#[derive(Debug)]
pub struct Syslog {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    stamp: Stamp,
    datagram: String,
    /// What a busy logger has not taken yet, oldest first.
    queue: VecDeque<String>,
    queued: usize,
}

impl Default for Syslog {
    fn default() -> Self {
        Self::at("/dev/log".into())
    }
}

impl Syslog {
    /// To the logger that listens at `path`.
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            socket: None,
            stamp: Stamp::new("%b %e %H:%M:%S"),
            datagram: String::new(),
            queue: VecDeque::new(),
            queued: 0,
        }
    }

    /// Sends each line of `text` as `<prefix><line><suffix>`, in a datagram of its own.
    ///
    /// Newlines at the end count for nothing. What a busy logger does not take now waits, see
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// Of several failures the last: there is no logger, or it has been busy for too long. The line is lost.
    pub fn send(&mut self, prefix: &str, text: &str, suffix: &str) -> io::Result<()> {
        let mut result = Ok(());
        for line in text.trim_end_matches('\n').split('\n') {
            self.compose(prefix, line, suffix);
            if let Err(error) = self.deliver_or_queue() {
                result = Err(error);
            }
        }
        result
    }

    /// Sends a chunk of a child's output: `<process> <line>`. Invalid UTF-8 becomes U+FFFD.
    pub fn send_output(&mut self, process: &str, chunk: &[u8]) -> io::Result<()> {
        self.send(&format!("{process} "), &String::from_utf8_lossy(chunk), "")
    }

    fn compose(&mut self, prefix: &str, line: &str, suffix: &str) {
        self.datagram.clear();
        let (time, _) = self.stamp.now();
        // Writing to a string cannot fail.
        let _ = write!(
            self.datagram,
            "<{PRIORITY}>{time} {IDENT}: {prefix}{line}{suffix}"
        );
    }

    /// A busy logger has left something in the queue: [`flush`](Self::flush) it now and then.
    pub fn has_pending(&self) -> bool {
        !self.queue.is_empty()
    }

    /// What a busy logger has not taken.
    pub fn pending(&self) -> Vec<String> {
        self.queue.iter().cloned().collect()
    }

    /// Queues what another daemon could not deliver.
    pub fn resume(&mut self, pending: Vec<String>) {
        self.queued = pending.iter().map(String::len).sum();
        self.queue = pending.into();
    }

    /// Offers the queue again, without waiting.
    ///
    /// # Errors
    /// The logger has gone; what waited for it is lost.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(datagram) = self.queue.front() {
            match deliver(&mut self.socket, &self.path, datagram) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    self.queue.clear();
                    self.queued = 0;
                    return Err(error);
                }
            }
            self.queued -= datagram.len();
            self.queue.pop_front();
        }
        Ok(())
    }

    fn deliver_or_queue(&mut self) -> io::Result<()> {
        let flushed = self.flush();
        if self.queue.is_empty() {
            match deliver(&mut self.socket, &self.path, &self.datagram) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                delivered => return flushed.and(delivered),
            }
        }
        if self.queued + self.datagram.len() > QUEUE {
            return Err(io::Error::from(ErrorKind::WouldBlock));
        }
        self.queued += self.datagram.len();
        self.queue.push_back(self.datagram.clone());
        flushed
    }
}

/// Delivers, connecting again once in case the logger has been restarted.
fn deliver(connection: &mut Option<UnixDatagram>, path: &Path, datagram: &str) -> io::Result<()> {
    if let Some(socket) = connection {
        match socket.send(datagram.as_bytes()) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(error),
            Err(_) => *connection = None,
        }
    }
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    let socket = connection.insert(socket);
    socket.send(datagram.as_bytes()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(logger: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        let length = logger.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn every_line_is_a_datagram() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let logger = UnixDatagram::bind(&path).unwrap();
        let mut syslog = Syslog::at(path);
        syslog.send_output("cat", b"one\n\ntwo\xff\n\n").unwrap();
        for expected in ["cat one", "cat ", "cat two\u{fffd}"] {
            let datagram = receive(&logger);
            let time = "Nov 21 11:19:25".len();
            assert!(datagram.starts_with("<14>"), "{datagram}");
            assert_eq!(&datagram[4 + time..], format!(" supervisord: {expected}"));
        }
    }

    #[test]
    fn a_busy_logger_gets_every_line_in_order_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let logger = UnixDatagram::bind(&path).unwrap();
        let mut syslog = Syslog::at(path);
        let mut sent = 0;
        while !syslog.has_pending() {
            syslog.send("", &sent.to_string(), "").unwrap();
            sent += 1;
        }
        for _ in 0..5 {
            syslog.send("", &sent.to_string(), "").unwrap();
            sent += 1;
        }
        for number in 0..sent {
            let expected = format!(" supervisord: {number}");
            assert!(receive(&logger).ends_with(&expected));
            syslog.flush().unwrap();
        }
        assert!(!syslog.has_pending());
        let line = "x".repeat(1000);
        let refused = (0..2 * QUEUE / line.len()).find_map(|_| syslog.send("", &line, "").err());
        assert_eq!(
            refused.map(|error| error.kind()),
            Some(ErrorKind::WouldBlock)
        );
    }

    #[test]
    fn a_restarted_logger_is_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut syslog = Syslog::at(path.clone());
        assert!(syslog.send("", "nobody listens", "").is_err());
        let logger = UnixDatagram::bind(&path).unwrap();
        syslog.send("", "first", "").unwrap();
        drop(logger);
        std::fs::remove_file(&path).unwrap();
        let logger = UnixDatagram::bind(&path).unwrap();
        syslog.send("", "second", "").unwrap();
        assert!(receive(&logger).ends_with(" supervisord: second"));
    }
}
