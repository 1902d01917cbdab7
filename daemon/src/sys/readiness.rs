//! Waiting until a descriptor can be read or written.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A shared descriptor; open as long as anybody has a share.
#[derive(Debug, Clone)]
pub struct SharedFd(pub Rc<OwnedFd>);

impl AsRawFd for SharedFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Watches a descriptor for something to read.
///
/// # Errors
/// When the event loop cannot take it: regular files, or no descriptors left.
pub fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is open, always the same descriptor, and closed only when dropped, which
    // AsyncFd does after it has deregistered it.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)
}

/// Watches a shared descriptor for room to write.
///
/// # Errors
/// As [`readable`].
pub fn writable(fd: SharedFd) -> io::Result<AsyncFd<SharedFd>> {
    // SAFETY: the share held by the AsyncFd keeps the one descriptor behind it open.
    unsafe { AsyncFd::register_with_interest(fd, Interest::WRITABLE) }.map_err(io::Error::from)
}
