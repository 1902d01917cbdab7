//! A child's standard input: writes what the pipe takes at once and queues the rest.

use std::cell::RefCell;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::rc::Rc;

use bytes::{Buf, BytesMut};
use nix::errno::Errno;
use tokio::task::JoinHandle;

use crate::sys::readiness::{SharedFd, writable};

/// So many bytes of what clients send may wait for a child that does not read.
const MOST_WAITING: usize = 16 * 1024 * 1024;

/// The write end of a child's standard input. Closed when the last handle is dropped.
pub struct Stdin {
    fd: SharedFd,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    queue: BytesMut,
    closed: bool,
    flush: Option<JoinHandle<()>>,
    /// Whom to tell that the queue is lost.
    on_loss: Option<Box<dyn Fn()>>,
}

/// The child does not read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// It may have got a part of what was sent.
    pub partly: bool,
}

/// The child takes nothing: it does not read any more, or too much is waiting for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl Stdin {
    /// Takes over the non-blocking write end of a pipe.
    pub fn new(fd: OwnedFd) -> Rc<Self> {
        Rc::new(Self {
            fd: SharedFd(Rc::new(fd)),
            state: RefCell::default(),
        })
    }

    /// Calls this when the child closes its end before it has read what was queued.
    pub fn on_loss(&self, tell: impl Fn() + 'static) {
        self.state.borrow_mut().on_loss = Some(Box::new(tell));
    }

    /// The same as [`send`](Self::send), unless more than 16 MiB would wait: a child that never
    /// reads must not fill the memory.
    ///
    /// # Errors
    /// [`Refused`] if the child has closed its end or has too much waiting; nothing is queued then.
    pub fn offer(self: &Rc<Self>, data: &[u8]) -> Result<(), Refused> {
        let waiting = self.state.borrow().queue.len();
        if waiting > 0 && waiting + data.len() > MOST_WAITING {
            return Err(Refused);
        }
        self.send(data).map_err(|_| Refused)
    }

    /// Writes, in one piece if the pipe has room. What does not fit follows, in order, as the
    /// child reads; the caller never waits.
    ///
    /// # Errors
    /// [`Closed`] if the child has closed its end; nothing is queued then.
    pub fn send(self: &Rc<Self>, data: &[u8]) -> Result<(), Closed> {
        let mut state = self.state.borrow_mut();
        if state.closed {
            return Err(Closed { partly: false });
        }
        if !state.queue.is_empty() {
            state.queue.extend_from_slice(data);
            return Ok(());
        }
        let written = self.write(data).inspect_err(|_| state.closed = true)?;
        if written < data.len() {
            state.queue.extend_from_slice(&data[written..]);
            state.flush = Some(actix::spawn(Rc::clone(self).flush()));
        }
        Ok(())
    }

    /// The pipe.
    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Whether the child does not read any more.
    pub fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }

    /// What is queued.
    pub fn queued(&self) -> Vec<u8> {
        self.state.borrow().queue.to_vec()
    }

    /// Writes nothing of the queue until [`thaw`](Self::thaw): somebody else may be going to.
    pub fn freeze(&self) {
        if let Some(flush) = self.state.borrow_mut().flush.take() {
            flush.abort();
        }
    }

    /// Goes on writing the queue.
    pub fn thaw(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        if !state.queue.is_empty() {
            state.flush = Some(actix::spawn(Rc::clone(self).flush()));
        }
    }

    /// Goes on as another daemon has left it, writing what was queued.
    pub fn resume(fd: OwnedFd, queue: &[u8], closed: bool) -> Rc<Self> {
        let stdin = Self::new(fd);
        {
            let mut state = stdin.state.borrow_mut();
            state.queue.extend_from_slice(queue);
            state.closed = closed;
        }
        stdin.thaw();
        stdin
    }

    /// As much as fits now.
    fn write(&self, data: &[u8]) -> Result<usize, Closed> {
        let mut written = 0;
        while written < data.len() {
            match nix::unistd::write(&*self.fd.0, &data[written..]) {
                Ok(count) => written += count,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(_) => {
                    let partly = written > 0;
                    return Err(Closed { partly });
                }
            }
        }
        Ok(written)
    }

    /// Writes the queue as the pipe empties. Registers with the event loop only here: most pipes
    /// never fill.
    async fn flush(self: Rc<Self>) {
        let Ok(ready) = writable(self.fd.clone()) else {
            return self.lose();
        };
        loop {
            let Ok(mut guard) = ready.writable().await else {
                return self.lose();
            };
            let mut state = self.state.borrow_mut();
            match self.write(&state.queue) {
                Ok(count) => state.queue.advance(count),
                Err(Closed { .. }) => break,
            }
            if state.queue.is_empty() {
                state.queue = BytesMut::new();
                return;
            }
            guard.clear_ready();
        }
        self.lose();
    }

    /// Gives up while something is queued, and tells.
    fn lose(&self) {
        self.give_up();
        if let Some(tell) = &self.state.borrow().on_loss {
            tell();
        }
    }

    /// Writes no more: the child has ended. A grandchild that keeps the pipe open gets nothing.
    pub fn close(&self) {
        self.give_up();
        if let Some(flush) = self.state.borrow_mut().flush.take() {
            flush.abort();
        }
    }

    fn give_up(&self) {
        let mut state = self.state.borrow_mut();
        state.closed = true;
        state.queue = BytesMut::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fds;
    use std::io::Read;

    #[actix::test]
    async fn more_than_the_pipe_holds_arrives_whole_and_in_order() {
        let pipe = fds::input_pipe().unwrap();
        let stdin = Stdin::new(pipe.ours);
        let big: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
        stdin.send(&big).unwrap();
        stdin.send(b"tail").unwrap();
        let mut file = std::fs::File::from(pipe.theirs);
        let reader = std::thread::spawn(move || {
            let mut got = vec![0; 300_004];
            file.read_exact(&mut got).unwrap();
            got
        });
        while !reader.is_finished() {
            tokio::task::yield_now().await;
        }
        let got = reader.join().unwrap();
        assert_eq!(got[..300_000], big);
        assert_eq!(&got[300_000..], b"tail");
    }

    #[actix::test]
    async fn a_pipe_closed_in_the_middle_is_told() {
        let pipe = fds::input_pipe().unwrap();
        let stdin = Stdin::new(pipe.ours);
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let sender = RefCell::new(Some(sender));
        stdin.on_loss(move || drop(sender.take()));
        stdin.send(&[0; 300_000]).unwrap();
        drop(pipe.theirs);
        assert!(receiver.await.is_err(), "dropped, by the call");
        assert_eq!(stdin.send(b"x"), Err(Closed { partly: false }));
    }

    #[actix::test]
    async fn a_child_that_never_reads_gets_no_more_than_a_bound() {
        let pipe = fds::input_pipe().unwrap();
        let stdin = Stdin::new(pipe.ours);
        let part = vec![0; MOST_WAITING / 4];
        let taken = (0..10).filter(|_| stdin.offer(&part).is_ok()).count();
        assert!((3..=5).contains(&taken), "{taken}");
        assert_eq!(stdin.send(b"an event"), Ok(()), "the daemon's own");
        drop(pipe.theirs);
    }

    #[actix::test]
    async fn a_closed_pipe_is_told() {
        let pipe = fds::input_pipe().unwrap();
        drop(pipe.theirs);
        let stdin = Stdin::new(pipe.ours);
        assert_eq!(stdin.send(b"x"), Err(Closed { partly: false }));
        assert_eq!(stdin.send(b"x"), Err(Closed { partly: false }));
    }
}
