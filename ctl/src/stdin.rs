//! Lines of standard input, without a thread that would still be reading when the terminal belongs to the shell again.

use std::fs::File;
use std::io::{self, Read, Stdin};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Reads standard input when a line is asked for, and no sooner.
pub(crate) struct LineReader {
    source: Source,
    buffered: Vec<u8>,
    /// The input has ended behind a line that had no end. A terminal tells that only once.
    has_ended: bool,
}

/// Standard input. It keeps its file status flags, which it shares with other processes.
enum Source {
    /// Not looked at yet.
    Unopened,
    /// A terminal, pipe or socket.
    Pollable(AsyncFd<File>),
    /// A file, which never keeps a reader waiting.
    Ready(File),
}

impl LineReader {
    /// A reader that has read nothing yet.
    pub(crate) const fn new() -> Self {
        Self {
            source: Source::Unopened,
            buffered: Vec::new(),
            has_ended: false,
        }
    }

    /// The next line, without its end; `None` at the end of the input. Bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// When standard input cannot be read.
    pub(crate) async fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffered.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffered.drain(..=end).collect();
                return Ok(Some(text(&line[..end])));
            }
            if std::mem::take(&mut self.has_ended) {
                return Ok(None);
            }
            let mut chunk = [0; 4096];
            match self.source.read(&mut chunk).await? {
                0 if self.buffered.is_empty() => return Ok(None),
                0 => {
                    self.has_ended = true;
                    return Ok(Some(text(&std::mem::take(&mut self.buffered))));
                }
                length => self.buffered.extend_from_slice(&chunk[..length]),
            }
        }
    }
}

impl Source {
    async fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        if let Self::Unopened = self {
            *self = Self::open(&io::stdin())?;
        }
        match self {
            Self::Unopened => Ok(0),
            Self::Ready(file) => file.read(chunk),
            Self::Pollable(file) => {
                while !is_readable(file.get_ref())? {
                    let mut guard = file.readable().await?;
                    if !is_readable(file.get_ref())? {
                        guard.clear_ready();
                    }
                }
                file.get_mut().read(chunk)
            }
        }
    }

    // The successor is unsafe, for the sake of types that lie about their descriptor. A file does not.
    #[allow(deprecated)]
    fn open(stdin: &Stdin) -> io::Result<Self> {
        let file = File::from(stdin.as_fd().try_clone_to_owned()?);
        match AsyncFd::try_with_interest(file, Interest::READABLE) {
            Ok(file) => Ok(Self::Pollable(file)),
            // epoll refuses what is always ready.
            Err(error) => Ok(Self::Ready(error.into_parts().0)),
        }
    }
}

/// Whether a read would not block.
fn is_readable(file: &File) -> io::Result<bool> {
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut fds, PollTimeout::ZERO)? > 0)
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}
