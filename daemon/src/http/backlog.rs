//! A socket that another program goes on with: what was read of it too early, and what it has not taken yet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::patience::Condition;

/// The most that is kept of an answer that its client has not read when the daemon is replaced, in bytes. The rest of a
/// longer one is waited for; hardly any is.
const MOST: usize = 64 * 1024 * 1024;

/// What is read, or written, before anything else.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Read of the next request.
    pub(super) ahead: Bytes,
    /// The end of the last answer.
    pub(super) unsent: BytesMut,
}

/// A socket with a backlog. At rest it takes answers that the client does not, and reads no further request.
#[derive(Debug)]
pub(super) struct Backlogged<S> {
    socket: S,
    backlog: Backlog,
    condition: Condition,
}

impl<S> Backlogged<S> {
    pub(super) const fn new(socket: S, backlog: Backlog, condition: Condition) -> Self {
        Self {
            socket,
            backlog,
            condition,
        }
    }

    /// The socket, and what is left to do before it can be used as such; `read` has been read of it besides.
    pub(super) fn into_parts(self, read: Bytes) -> (S, Backlog) {
        let Backlog { ahead, unsent } = self.backlog;
        let ahead = match ahead.is_empty() {
            true => read,
            false => [read, ahead].concat().into(),
        };
        (self.socket, Backlog { ahead, unsent })
    }
}

impl<S: AsyncWrite + Unpin> Backlogged<S> {
    /// Sends what is left of the answer before.
    fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let unsent = &mut self.backlog.unsent;
        while unsent.has_remaining() {
            match ready!(Pin::new(&mut self.socket).poll_write(context, unsent))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => unsent.advance(count),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// At rest, keeps what the socket has not taken, as far as there is room.
    fn or_keep(
        &mut self,
        written: Poll<io::Result<usize>>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let unsent = &mut self.backlog.unsent;
        let room = MOST.saturating_sub(unsent.len());
        let kept = &bytes[..bytes.len().min(room)];
        if written.is_ready() || !self.condition.is_at_rest() || kept.is_empty() {
            return written;
        }
        unsent.extend_from_slice(kept);
        Poll::Ready(Ok(kept.len()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Backlogged<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.condition.is_at_rest() && !this.condition.is_busy() {
            // Whoever goes on reads it.
            return Poll::Pending;
        }
        let ahead = &mut this.backlog.ahead;
        if ahead.is_empty() {
            return Pin::new(&mut this.socket).poll_read(context, buffer);
        }
        buffer.put_slice(&ahead.split_to(ahead.len().min(buffer.remaining())));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Backlogged<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = match this.poll_unsent(context)? {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Pin::new(&mut this.socket).poll_write(context, bytes),
        };
        this.or_keep(written, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = match this.poll_unsent(context)? {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Pin::new(&mut this.socket).poll_write_vectored(context, pieces),
        };
        let first = pieces.iter().find(|piece| !piece.is_empty());
        this.or_keep(written, first.map_or(&[], |first| first))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.poll_unsent(context)?.is_pending() && !this.condition.is_at_rest() {
            return Poll::Pending;
        }
        Pin::new(&mut this.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn backlogged(
        ahead: &'static [u8],
        unsent: &'static [u8],
    ) -> (DuplexStream, Backlogged<DuplexStream>) {
        let (client, socket) = duplex(4);
        let backlog = Backlog {
            ahead: Bytes::from_static(ahead),
            unsent: unsent.into(),
        };
        (
            client,
            Backlogged::new(socket, backlog, Condition::default()),
        )
    }

    #[actix::test]
    async fn the_backlog_comes_first() {
        let (mut client, mut socket) = backlogged(b"GET", b"old");
        client.write_all(b" /").await.unwrap();
        let mut read = [0; 5];
        socket.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"GET /");
        socket.flush().await.unwrap();
        let writing = actix::spawn(async move { socket.write_all(b" and new").await });
        let mut heard = [0; 11];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"old and new");
        writing.await.unwrap().unwrap();
    }

    #[actix::test]
    async fn at_rest_nothing_is_read_and_everything_kept() {
        let (mut client, mut socket) = backlogged(b"GET", b"");
        client.write_all(b" /").await.unwrap();
        socket.condition.rest();
        assert!(pin!(socket.read_u8()).now_or_never().is_none());
        socket.write_all(b"an answer").await.unwrap();
        socket.flush().await.unwrap();
        let (socket, backlog) = socket.into_parts(Bytes::from_static(b"POST /"));
        assert_eq!(
            (&*backlog.ahead, &*backlog.unsent),
            (&b"POST /GET"[..], &b"nswer"[..])
        );
        drop(socket);
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "an a");
    }

    #[actix::test]
    async fn there_is_a_limit_to_what_is_kept() {
        let (_client, mut socket) = backlogged(b"", b"");
        socket.condition.rest();
        let answer = vec![b'x'; 2 * MOST];
        assert!(pin!(socket.write_all(&answer)).now_or_never().is_none());
        assert_eq!(socket.backlog.unsent.len(), MOST);
    }
}
