//! One reader for the pipes of all children: an epoll set of our own inside the event loop's.
//!
//! A task and a registration in the runtime for each of two pipes would be the largest part of what
//! a process costs in memory, and a wake-up each when a thousand programs write a line. Here a
//! pipe costs a table entry, and whatever is ready is read in one go.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::rc::{Rc, Weak};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};
use tokio::io::unix::AsyncFd;

use super::output::{Found, Output};
use super::pace::REST;
use crate::sys::fds;
use crate::sys::readiness::{PollSet, poll_set};
use crate::upgrade::Gate;

/// How many pipes are read before everybody else gets a turn.
const BATCH: usize = 64;

/// How many pipes may be large at a time: users other than root have only so much room for all
/// their pipes, pipe(7).
const LARGE_PIPES: usize = 32;

/// Reads what children write; clones share it.
#[derive(Clone)]
pub struct Reader(Rc<Inner>);

struct Inner {
    epoll: AsyncFd<PollSet>,
    outputs: RefCell<HashMap<RawFd, Weak<Output>>>,
    /// While it is closed nothing is read.
    gate: Gate,
    /// How many pipes are large.
    large: Cell<usize>,
}

impl Reader {
    /// A reader that works from now on, in a task of its own.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn start(gate: Gate) -> io::Result<Self> {
        let reader = Self(Rc::new(Inner {
            epoll: poll_set()?,
            outputs: RefCell::default(),
            gate,
            large: Cell::default(),
        }));
        actix::spawn(Rc::clone(&reader.0).run());
        Ok(reader)
    }

    /// Reads `output` from now on, until its end or until it is forgotten.
    ///
    /// # Errors
    /// epoll_ctl(2): too many watched descriptors.
    pub(super) fn watch(&self, output: &Rc<Output>) -> io::Result<()> {
        self.0.expect(output)?;
        let fd = output.pipe().as_raw_fd();
        let mut outputs = self.0.outputs.borrow_mut();
        outputs.insert(fd, Rc::downgrade(output));
        Ok(())
    }

    /// Nothing is to be read or written at the moment.
    pub(super) fn rests(&self) -> bool {
        self.0.gate.is_closed()
    }

    /// Enlarges a pipe, if that is possible.
    pub(super) fn enlarge(&self, pipe: BorrowedFd<'_>) -> bool {
        let large = &self.0.large;
        let done = large.get() < LARGE_PIPES && fds::enlarge_pipe(pipe);
        large.set(large.get() + usize::from(done));
        done
    }

    /// A large pipe is closed.
    pub(super) fn large_one_gone(&self) {
        self.0.large.set(self.0.large.get().saturating_sub(1));
    }

    /// Reads `output` no more; nothing happens if it is not read already.
    pub(super) fn forget(&self, output: &Output) {
        self.0.forget(output);
    }
}

impl Inner {
    fn set(&self) -> &Epoll {
        &self.epoll.get_ref().0
    }

    async fn run(self: Rc<Self>) {
        let mut events = [EpollEvent::empty(); BATCH];
        while let Ok(mut guard) = self.epoll.readable().await {
            if self.gate.is_closed() {
                self.gate.open().await;
                continue;
            }
            let ready = match self.set().wait(&mut events, EpollTimeout::ZERO) {
                Ok(count) => &events[..count],
                Err(Errno::EINTR) => continue,
                Err(_) => return,
            };
            let mut more = ready.len() == BATCH;
            for event in ready {
                more |= self.read(event.data());
            }
            if more {
                // Loud children must not starve the rest of the daemon.
                tokio::task::yield_now().await;
            } else {
                guard.clear_ready();
            }
        }
    }

    /// Reads once from the output with the descriptor `fd`; tells whether there is more.
    ///
    /// The descriptor may belong to a newer output than the report did; that finds nothing then.
    fn read(self: &Rc<Self>, fd: u64) -> bool {
        let output = RawFd::try_from(fd)
            .ok()
            .and_then(|fd| self.outputs.borrow().get(&fd)?.upgrade());
        let Some(output) = output else { return false };
        match output.read() {
            Found::Bytes { count, more } => {
                if output.wants_rest(count, more) {
                    self.rest(&output);
                }
                more
            }
            Found::End => {
                self.forget(&output);
                false
            }
        }
    }

    /// Leaves `output` alone for a moment: out of the set and in again. A pipe that only changes
    /// what it is watched for, while its last report is unread, wakes nobody.
    fn rest(self: &Rc<Self>, output: &Rc<Output>) {
        let _ = self.set().delete(output.pipe());
        let (reader, output) = (Rc::clone(self), Rc::downgrade(output));
        actix::spawn(async move {
            tokio::time::sleep(REST).await;
            if let Some(output) = output.upgrade().filter(|output| reader.knows(output)) {
                // It was in the set before, so there is room for it.
                let _ = reader.expect(&output);
            }
        });
    }

    fn expect(&self, output: &Output) -> nix::Result<()> {
        let pipe = output.pipe();
        // Level-triggered: what one turn leaves behind is reported in the next.
        let fd = pipe.as_raw_fd().unsigned_abs();
        let event = EpollEvent::new(EpollFlags::EPOLLIN, fd.into());
        self.set().add(pipe, event)
    }

    /// Whether `output` is read: not forgotten, nor replaced.
    fn knows(&self, output: &Rc<Output>) -> bool {
        let outputs = self.outputs.borrow();
        let known = outputs.get(&output.pipe().as_raw_fd());
        known.is_some_and(|known| known.as_ptr() == Rc::as_ptr(output))
    }

    fn forget(&self, output: &Output) {
        let pipe = output.pipe();
        let known = self.outputs.borrow_mut().remove(&pipe.as_raw_fd());
        if known.is_some() {
            // Fails only for one that rests.
            let _ = self.set().delete(pipe.as_fd());
        }
    }
}
