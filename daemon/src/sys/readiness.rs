//! Waiting until descriptors can be read or written.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd};
use std::rc::Rc;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags};
use nix::unistd::Pid;
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

/// An epoll set that can itself be waited for, epoll(7).
#[derive(Debug)]
pub struct PollSet(pub Epoll);

impl AsRawFd for PollSet {
    fn as_raw_fd(&self) -> RawFd {
        self.0.0.as_raw_fd()
    }
}

/// An empty set; readable as long as a member is ready.
///
/// # Errors
/// No descriptor is left.
pub fn poll_set() -> io::Result<AsyncFd<PollSet>> {
    let set = PollSet(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
    // SAFETY: the set is open, always the same descriptor, and closed only when dropped, which
    // AsyncFd does after it has deregistered it.
    unsafe { AsyncFd::register_with_interest(set, Interest::READABLE) }.map_err(io::Error::from)
}

/// Watches a shared descriptor for something to read.
///
/// # Errors
/// When the event loop cannot take it: regular files, or no descriptors left.
pub fn readable(fd: SharedFd) -> io::Result<AsyncFd<SharedFd>> {
    // SAFETY: the share held by the AsyncFd keeps the one descriptor behind it open.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)
}

/// Watches for the end of a process, whoever its parent is: readable from then on.
///
/// # Errors
/// It is not there, the kernel is older than 5.3, or no descriptors are left.
pub fn end_of(pid: Pid) -> io::Result<AsyncFd<SharedFd>> {
    // SAFETY: it takes two numbers, and what it answers is a descriptor that nobody else owns.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let number = Errno::result(number)?;
    let number = RawFd::try_from(number).map_err(io::Error::other)?;
    // SAFETY: as above.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    readable(SharedFd(Rc::new(owned)))
}

/// Watches a shared descriptor for room to write.
///
/// # Errors
/// When the event loop cannot take it: regular files, or no descriptors left.
pub fn writable(fd: SharedFd) -> io::Result<AsyncFd<SharedFd>> {
    // SAFETY: the share held by the AsyncFd keeps the one descriptor behind it open.
    unsafe { AsyncFd::register_with_interest(fd, Interest::WRITABLE) }.map_err(io::Error::from)
}
