//! How long a connection may keep us waiting.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long the head of a request may take from its first byte.
const HEAD: Duration = Duration::from_secs(60);

/// How long a client may leave its answer unread.
const UNREAD: Duration = Duration::from_secs(120);

/// How a connection stands; shared by its socket, who answers, and who wants to know when to leave it.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition(Rc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    busy: Cell<bool>,
    stuck: Cell<bool>,
    at_rest: Cell<bool>,
}

impl Condition {
    /// From the end of a request's head until the guard is dropped nobody waits for the client.
    pub(super) fn begin(&self) -> BusyGuard {
        self.0.busy.set(true);
        BusyGuard(self.clone())
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.0.busy.get()
    }

    /// No further request is to be read.
    pub(super) fn rest(&self) {
        self.0.at_rest.set(true);
    }

    /// Whether no further request is to be read.
    pub(super) fn is_at_rest(&self) -> bool {
        self.0.at_rest.get()
    }

    /// Whether every request that has been read is answered, and the answer written; true only when hyper has just done
    /// what it could.
    pub(super) fn is_between_requests(&self) -> bool {
        !self.0.busy.get() && !self.0.stuck.get()
    }
}

/// Ends the answering.
#[derive(Debug)]
pub(super) struct BusyGuard(Condition);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.0.busy.set(false);
    }
}

/// A socket that fails when its client takes too long over what it has begun: to send a request's head, or to read an
/// answer. Idle connections are hyper's to end.
#[derive(Debug)]
pub(super) struct Patient<S> {
    socket: S,
    condition: Condition,
    head: Option<Pin<Box<Sleep>>>,
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(socket: S, condition: Condition) -> Self {
        Self {
            socket,
            condition,
            head: None,
            unread: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.socket
    }
}

/// An error once the time has passed, which begins with the first call.
fn expired(
    deadline: &mut Option<Pin<Box<Sleep>>>,
    time: Duration,
    context: &mut Context<'_>,
) -> io::Result<()> {
    let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(time)));
    match deadline.as_mut().poll(context) {
        Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
        Poll::Pending => Ok(()),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let read = Pin::new(&mut this.socket).poll_read(context, buffer);
        if this.condition.is_busy() {
            this.head = None;
        } else if read.is_ready() || this.head.is_some() {
            expired(&mut this.head, HEAD, context)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Patient<S> {
    fn got_out<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        self.condition.0.stuck.set(outcome.is_pending());
        match outcome {
            Poll::Pending => expired(&mut self.unread, UNREAD, context)?,
            Poll::Ready(_) => self.unread = None,
        }
        outcome
    }

    fn written(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.head = None;
        }
        self.got_out(written, context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        self.written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(context);
        self.got_out(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(ready!(Pin::new(&mut self.socket).poll_shutdown(context)))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::future::{Either, select};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    /// Runs on a clock that jumps ahead whenever everybody waits.
    fn on_paused_clock(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(test);
    }

    /// What the one future comes to, while the other, which has no end, runs as well.
    async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = ()>) -> T {
        match select(pin!(one), pin!(other)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => unreachable!("it has no end"),
        }
    }

    #[test]
    fn a_head_that_trickles_in_is_given_up() {
        on_paused_clock(async {
            let (mut client, socket) = duplex(64);
            let mut socket = Patient::new(socket, Condition::default());
            let begun = Instant::now();
            let read = async {
                loop {
                    socket.read_u8().await?;
                }
            };
            let trickle = async {
                loop {
                    client.write_all(b"x").await.unwrap();
                    sleep(Duration::from_secs(7)).await;
                }
            };
            let failure: io::Result<()> = first(read, trickle).await;
            assert_eq!(failure.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(begun.elapsed(), HEAD);
        });
    }

    #[test]
    fn idle_connections_and_long_calls_are_left_alone() {
        on_paused_clock(async {
            let (mut client, socket) = duplex(64);
            let condition = Condition::default();
            let mut socket = Patient::new(socket, condition.clone());
            let mut byte = [0];
            let idle = tokio::time::timeout(HEAD * 3, socket.read(&mut byte)).await;
            assert!(idle.is_err(), "nothing has begun");
            client.write_all(b"x").await.unwrap();
            socket.read_u8().await.unwrap();
            let guard = condition.begin();
            let called = tokio::time::timeout(HEAD * 3, socket.read(&mut byte)).await;
            assert!(called.is_err(), "somebody else is waited for");
            drop(guard);
            socket.write_all(b"answer").await.unwrap();
            let idle = tokio::time::timeout(HEAD * 3, socket.read(&mut byte)).await;
            assert!(idle.is_err(), "it is idle again");
        });
    }

    #[test]
    fn answers_that_nobody_reads_are_given_up() {
        on_paused_clock(async {
            let (mut client, socket) = duplex(64);
            let mut socket = Patient::new(socket, Condition::default());
            let begun = Instant::now();
            let slow = async {
                for _ in 0..3 {
                    sleep(UNREAD - Duration::from_secs(1)).await;
                    client.read_exact(&mut [0; 64]).await.unwrap();
                }
                std::future::pending::<()>().await;
            };
            let failure = first(socket.write_all(&[0; 1000]), slow).await;
            assert_eq!(failure.unwrap_err().kind(), io::ErrorKind::TimedOut);
            let slowness = 3 * (UNREAD - Duration::from_secs(1));
            assert_eq!(
                begun.elapsed(),
                slowness + UNREAD,
                "slow readers are no silent ones"
            );
        });
    }
}
