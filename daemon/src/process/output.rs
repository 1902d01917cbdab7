//! The pipe from a child: read whenever there is something, handed to its lane at once.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::read;

use super::lane::Lane;
use super::pace::{Advice, Pace};
use super::reader::Reader;

/// How often a slow log is offered what it has not taken yet.
const FLUSH: Duration = Duration::from_millis(100);

/// How often that is done after the end of the child: for ten seconds.
const FLUSHES_AFTER_END: usize = 100;

/// Bytes read at once, as in Supervisor 4.3.0.
const READ_SIZE: usize = 128 * 1024;

thread_local! {
    /// One buffer for all pipes: a chunk is dealt with before the next is read.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

/// One output channel of a live child.
pub(super) struct Output {
    pipe: OwnedFd,
    reader: Reader,
    pub(super) lane: RefCell<Lane>,
    /// Somebody is offering what a slow log has not taken.
    flushing: Cell<bool>,
    /// Not for listeners: they wait for an answer to what they write.
    pace: Option<RefCell<Pace>>,
}

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// So many bytes, perhaps none.
    Bytes {
        /// Their number.
        count: usize,
        /// It was a full buffer; there may be more.
        more: bool,
    },
    /// The end.
    End,
}

impl Found {
    const NOTHING: Self = Self::Bytes {
        count: 0,
        more: false,
    };
}

impl Output {
    /// Has `reader` read from now on, whenever there is something.
    ///
    /// # Errors
    /// As [`Reader::watch`].
    pub(super) fn start(pipe: OwnedFd, lane: Lane, reader: &Reader) -> io::Result<Rc<Self>> {
        let pace = (!lane.is_listeners()).then(RefCell::default);
        let output = Rc::new(Self {
            pipe,
            reader: reader.clone(),
            lane: RefCell::new(lane),
            flushing: Cell::new(false),
            pace,
        });
        reader.watch(&output)?;
        Ok(output)
    }

    /// Our end.
    pub(super) fn pipe(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// Reads once, for the reader of all pipes.
    pub(super) fn read(self: &Rc<Self>) -> Found {
        let found = self.read_once();
        match found {
            Found::Bytes { .. } => self.flush_later(),
            Found::End => self.lane.borrow_mut().finish(),
        }
        found
    }

    /// Whether to leave the pipe alone for [`REST`](super::pace::REST), after a read that has found
    /// something. Sees to it that there is room in the pipe.
    pub(super) fn wants_rest(&self, count: usize, more: bool) -> bool {
        let Some(pace) = &self.pace else { return false };
        let mut pace = pace.borrow_mut();
        match pace.note(count, more, Instant::now()) {
            Advice::Nothing => false,
            Advice::Rest => true,
            Advice::Enlarge => {
                pace.enlarged(self.reader.enlarge(self.pipe()));
                false
            }
        }
    }

    /// A log that is a pipe or terminal may have a slow reader: what it has not taken yet is
    /// offered again, as long as there is something.
    pub(super) fn flush_later(self: &Rc<Self>) {
        if !self.lane.borrow().has_pending() || self.flushing.replace(true) {
            return;
        }
        let output = Rc::downgrade(self);
        actix::spawn(async move {
            loop {
                tokio::time::sleep(FLUSH).await;
                let Some(output) = output.upgrade() else {
                    return;
                };
                if output.reader.rests() {
                    continue;
                }
                output.lane.borrow_mut().flush();
                if !output.lane.borrow().has_pending() {
                    return output.flushing.set(false);
                }
            }
        });
    }

    /// Reads once and deals with what there was.
    fn read_once(&self) -> Found {
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                match read(&self.pipe, buffer) {
                    Ok(0) => return Found::End,
                    Ok(count) => {
                        self.lane.borrow_mut().take(&buffer[..count]);
                        let more = count == buffer.len();
                        return Found::Bytes { count, more };
                    }
                    Err(Errno::EINTR) => {}
                    Err(Errno::EAGAIN) => return Found::NOTHING,
                    Err(_) => return Found::End,
                }
            }
        })
    }

    /// Reads until the pipe is empty, for a child that has ended. Does not wait for others that
    /// hold the pipe open, and gives up on one that writes faster than we read.
    pub(super) fn drain(&self) {
        const ENOUGH: usize = 64;
        for _ in 0..ENOUGH {
            if !matches!(self.read_once(), Found::Bytes { more: true, .. }) {
                break;
            }
        }
        self.lane.borrow_mut().finish();
    }

    /// Reads no more. A slow reader of the log gets a while for what it has not taken yet.
    pub(super) fn close(self: &Rc<Self>) {
        self.reader.forget(self);
        if !self.lane.borrow().has_pending() {
            return;
        }
        let output = Rc::clone(self);
        actix::spawn(async move {
            for _ in 0..FLUSHES_AFTER_END {
                tokio::time::sleep(FLUSH).await;
                output.lane.borrow_mut().flush();
                if !output.lane.borrow().has_pending() {
                    break;
                }
            }
        });
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.reader.forget(self);
        if self
            .pace
            .as_ref()
            .is_some_and(|pace| pace.borrow().is_large())
        {
            self.reader.large_one_gone();
        }
    }
}
