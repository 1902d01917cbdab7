//! Log targets that may make a writer wait: pipes, terminals, sockets, other devices.
//!
//! The daemon never waits for their readers. What does not fit at once is queued, up to
//! [`QUEUE_BYTES`]; what does not fit into the queue is dropped and counted.
//!
//! `/dev/stdout` and `/dev/stderr` are descriptors we already have. Opening their path anew gives
//! a file description of our own, which can be made non-blocking without anybody noticing. Where
//! that is refused (sockets, and pipes or terminals of another user) the descriptor itself is used,
//! and asked before each small write whether it would wait.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Bytes kept for a reader that does not keep up.
pub(super) const QUEUE_BYTES: usize = 256 * 1024;

/// A target that is never waited for.
#[derive(Debug)]
pub(super) struct Stream {
    fd: OwnedFd,
    caution: Caution,
    queue: VecDeque<u8>,
}

/// How to write without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caution {
    /// The descriptor answers EAGAIN by itself.
    NonBlocking,
    /// The descriptor blocks and is shared: ask before each write, and write little.
    Ask,
}

/// Bytes that could not be delivered, and why.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) bytes: u64,
    pub(super) error: io::Error,
}

impl Loss {
    pub(super) fn new(bytes: usize, error: impl Into<io::Error>) -> Self {
        Self {
            bytes: bytes as u64,
            error: error.into(),
        }
    }
}

impl Stream {
    /// Around a descriptor opened with O_NONBLOCK.
    pub(super) fn nonblocking(fd: OwnedFd) -> Self {
        Self {
            fd,
            caution: Caution::NonBlocking,
            queue: VecDeque::new(),
        }
    }

    /// Around a descriptor that blocks and must stay so, because others use it too.
    pub(super) fn shared(fd: OwnedFd) -> Self {
        Self {
            fd,
            caution: Caution::Ask,
            queue: VecDeque::new(),
        }
    }

    /// The stream that `path` stands for, if it is a name of standard output or error.
    ///
    /// Also if the descriptor is a regular file: renaming `/dev/stdout` would not rotate it.
    pub(super) fn standard(path: &Path) -> Option<io::Result<Self>> {
        let inherited = match path.to_str()? {
            "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => {
                io::stdout().as_fd().try_clone_to_owned()
            }
            "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => {
                io::stderr().as_fd().try_clone_to_owned()
            }
            _ => return None,
        };
        Some(inherited.map(|fd| match own_description(path) {
            Ok(own) => Self::nonblocking(own.into()),
            Err(_) => Self::shared(fd),
        }))
    }

    /// What is queued.
    pub(super) fn pending(&self) -> Vec<u8> {
        self.queue.iter().copied().collect()
    }

    /// Something is queued.
    pub(super) fn has_pending(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Writes or queues `data`, behind what is queued already.
    pub(super) fn write(&mut self, data: &[u8]) -> Result<(), Loss> {
        let flushed = self.flush();
        let written = match (&flushed, self.queue.is_empty()) {
            (Ok(()), true) => self
                .put(data)
                .map_err(|error| Loss::new(data.len(), error))?,
            (Ok(()), false) => 0,
            (Err(_), _) => 0,
        };
        flushed.map_err(|loss| Loss {
            bytes: loss.bytes + data.len() as u64,
            ..loss
        })?;
        self.enqueue(&data[written..])
    }

    /// Writes as much of the queue as goes without waiting.
    pub(super) fn flush(&mut self) -> Result<(), Loss> {
        while !self.queue.is_empty() {
            match self.put(self.queue.as_slices().0) {
                Ok(0) => return Ok(()),
                Ok(written) => drop(self.queue.drain(..written)),
                Err(error) => {
                    let loss = Loss::new(self.queue.len(), error);
                    self.queue = VecDeque::new();
                    return Err(loss);
                }
            }
        }
        if self.queue.capacity() > 0 {
            self.queue = VecDeque::new();
        }
        Ok(())
    }

    /// Waits for the reader, at most until `deadline`: the only call here that waits, for the end
    /// of the daemon.
    pub(super) fn linger(&mut self, deadline: Instant) {
        while self.has_pending() {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            if left.is_zero() || !self.writable_within(timeout) || self.flush().is_err() {
                return;
            }
        }
    }

    pub(super) fn enqueue(&mut self, rest: &[u8]) -> Result<(), Loss> {
        let room = QUEUE_BYTES - self.queue.len();
        let (kept, dropped) = rest.split_at(rest.len().min(room));
        self.queue.extend(kept);
        if dropped.is_empty() {
            return Ok(());
        }
        Err(Loss::new(dropped.len(), ErrorKind::WouldBlock))
    }

    /// Writes from the start of `data` until it would wait; returns how much.
    fn put(&self, data: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < data.len() {
            let mut piece = &data[written..];
            if self.caution == Caution::Ask {
                if !self.writable_within(PollTimeout::ZERO) {
                    break;
                }
                piece = &piece[..piece.len().min(libc::PIPE_BUF)];
            }
            match nix::unistd::write(&self.fd, piece) {
                Ok(count) => written += count,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(written)
    }

    fn writable_within(&self, timeout: PollTimeout) -> bool {
        let mut asked = [PollFd::new(self.fd.as_fd(), PollFlags::POLLOUT)];
        // Errors and hang-ups count as well: the write will tell.
        poll(&mut asked, timeout).is_ok_and(|ready| ready > 0)
    }
}

fn own_description(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

#[cfg(test)]
mod tests;
