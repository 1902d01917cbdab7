//! The system log: one datagram per line to `/dev/log`.
//!
//! Facility `user`, priority `info`, ident `supervisord`, no pid, as Supervisor's. The C library's
//! syslog(3) may wait for a busy system logger; the daemon may not, so it drops the line instead.

use std::fmt::Write as _;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use super::stamp::Stamp;

/// Facility user (1), priority info (6).
const PRIORITY: u32 = 1 << 3 | 6;
const IDENT: &str = "supervisord";

/// A connection to the system logger, made when it is needed and again after a failure.
#[derive(Debug)]
pub struct Syslog {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    stamp: Stamp,
    datagram: String,
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
        }
    }

    /// Sends each line of `text` as `<prefix><line><suffix>`, in a datagram of its own.
    ///
    /// Newlines at the end count for nothing. Of several failures the last is returned.
    pub fn send(&mut self, prefix: &str, text: &str, suffix: &str) -> io::Result<()> {
        let mut result = Ok(());
        for line in text.trim_end_matches('\n').split('\n') {
            self.compose(prefix, line, suffix);
            if let Err(error) = self.deliver() {
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

    /// Delivers, connecting again once in case the logger has been restarted.
    fn deliver(&mut self) -> io::Result<()> {
        if let Some(socket) = &self.socket
            && socket.send(self.datagram.as_bytes()).is_ok()
        {
            return Ok(());
        }
        self.socket = None;
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(&self.path)?;
        socket.send(self.datagram.as_bytes())?;
        self.socket = Some(socket);
        Ok(())
    }
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
