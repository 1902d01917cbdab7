//! Low descriptors through which a child gets its streams.
//!
//! A child starts with the daemon's own table of descriptors instead of a copy: copying the table
//! and closing the copies at exec costs microseconds for each descriptor that is open, which with
//! thousands of programs is most of a start. Its first step is to leave the table with
//! `close_range(CLOSE_RANGE_UNSHARE)`, which copies only what lies below the range. So its streams
//! have to lie low: in three slots that are reserved at start and filled for each child.

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use super::FIRST_OWN;

/// The slots, each holding /dev/null while no child is being started.
pub(super) struct Slots {
    null: File,
    slots: [OwnedFd; 3],
}

/// Filled slots; emptied when dropped, so that a pipe ends with its child.
pub(super) struct Filled<'a>(&'a Slots);

impl Slots {
    /// Reserves the lowest descriptors there are.
    pub(super) fn reserve() -> nix::Result<Self> {
        let open = File::options().read(true).write(true).open("/dev/null");
        let null = open.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
        let slot = || {
            let fd = fcntl(&null, FcntlArg::F_DUPFD_CLOEXEC(FIRST_OWN))?;
            // SAFETY: a descriptor just made, which nobody else owns.
            Ok::<_, Errno>(unsafe { OwnedFd::from_raw_fd(fd) })
        };
        let slots = [slot()?, slot()?, slot()?];
        Ok(Self { null, slots })
    }

    /// Fills the slots with a child's stdin, stdout and stderr.
    pub(super) fn fill(&self, streams: [BorrowedFd<'_>; 3]) -> nix::Result<Filled<'_>> {
        let filled = Filled(self);
        for (slot, stream) in self.slots.iter().zip(streams) {
            replace(slot, stream.as_raw_fd())?;
        }
        Ok(filled)
    }
}

impl Filled<'_> {
    /// The descriptors that hold stdin, stdout and stderr.
    pub(super) fn sources(&self) -> [RawFd; 3] {
        [0, 1, 2].map(|stream: usize| self.0.slots[stream].as_raw_fd())
    }

    /// The first descriptor that the child needs nothing from.
    pub(super) fn end(&self) -> RawFd {
        self.sources().into_iter().fold(FIRST_OWN, RawFd::max) + 1
    }
}

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        for slot in &self.0.slots {
            // Replacing an open descriptor by another fails for no reason that could arise here.
            let _ = replace(slot, self.0.null.as_raw_fd());
        }
    }
}

fn replace(slot: &OwnedFd, by: RawFd) -> nix::Result<()> {
    // SAFETY: both are open; the slot stays owned and open, it only means something else now.
    let result = unsafe { libc::dup3(by, slot.as_raw_fd(), libc::O_CLOEXEC) };
    Errno::result(result).map(drop)
}
