//! How the pieces of an answer that goes on are framed and get out.

use std::io;

use bytes::{Buf as _, Bytes};
use hyper::Version;
use hyper::header::{CONNECTION, HeaderMap};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::upgrade::Blob;

/// How a client learns where the answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Framing {
    /// HTTP/1.1: each piece with its length before it.
    Chunked,
    /// The connection's end is the body's.
    Plain,
}

/// What has been framed and not been sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    framing: Framing,
    pending: Bytes,
}

/// The same for another program in this same process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OutgoingSnapshot {
    framing: Framing,
    pending: Blob,
}

impl Framing {
    /// What goes with the request.
    pub(super) fn of(version: Version, headers: &HeaderMap) -> Self {
        let connection = headers.get(CONNECTION);
        let closes =
            connection.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        match version {
            Version::HTTP_11 if !closes => Self::Chunked,
            _ => Self::Plain,
        }
    }

    /// The headers that tell, and the end of the headers.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Chunked => "Transfer-Encoding: chunked\r\n\r\n",
            Self::Plain => "Connection: close\r\n\r\n",
        }
    }

    /// What comes after the last piece.
    const fn end(self) -> &'static [u8] {
        match self {
            Self::Chunked => b"0\r\n\r\n",
            Self::Plain => b"",
        }
    }
}

impl Outgoing {
    /// Begins with the head of an answer.
    pub(super) fn new(framing: Framing, head: String) -> Self {
        Self {
            framing,
            pending: head.into(),
        }
    }

    /// For another program.
    pub(super) fn snapshot(&self) -> OutgoingSnapshot {
        OutgoingSnapshot {
            framing: self.framing,
            pending: Blob(self.pending.to_vec()),
        }
    }

    /// Goes on where another program has left off.
    pub(super) fn resume(snapshot: OutgoingSnapshot) -> Self {
        Self {
            framing: snapshot.framing,
            pending: snapshot.pending.0.into(),
        }
    }

    /// Sends what is pending, and makes sure that it is on its way: an encrypted connection keeps back what it may. May
    /// be given up at any time without losing track.
    pub(super) async fn send(&mut self, socket: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        while self.pending.has_remaining() {
            match socket.write(&self.pending).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => self.pending.advance(count),
            }
        }
        // An idle stream needs no memory.
        self.pending = Bytes::new();
        socket.flush().await
    }

    /// The next piece, once everything before it has been sent.
    pub(super) fn put(&mut self, piece: Bytes) {
        self.pending = match self.framing {
            Framing::Plain => piece,
            Framing::Chunked => {
                let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                chunk.reserve_exact(piece.len() + 2);
                chunk.extend_from_slice(&piece);
                chunk.extend_from_slice(b"\r\n");
                chunk.into()
            }
        };
    }

    /// The end of the answer, once everything before it has been sent.
    pub(super) fn end(&mut self) {
        self.pending = Bytes::from_static(self.framing.end());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, duplex};

    use super::*;

    #[actix::test]
    async fn pieces_are_framed_with_lower_case_lengths() {
        let rows = [
            (Framing::Chunked, "a\r\n0123456789\r\n0\r\n\r\n"),
            (Framing::Plain, "0123456789"),
        ];
        for (framing, expected) in rows {
            let mut sent = Vec::new();
            let mut outgoing = Outgoing::new(framing, String::new());
            outgoing.put(Bytes::from_static(b"0123456789"));
            outgoing.send(&mut sent).await.unwrap();
            outgoing.end();
            outgoing.send(&mut sent).await.unwrap();
            assert_eq!(String::from_utf8(sent).unwrap(), expected);
        }
    }

    #[actix::test]
    async fn what_was_cut_anywhere_goes_on_there() {
        let text: String = ('a'..='z').collect();
        for room in 1..text.len() {
            let (mut client, mut socket) = duplex(room);
            let mut outgoing = Outgoing::new(Framing::Plain, text.clone());
            let first = pin!(outgoing.send(&mut socket)).now_or_never();
            assert!(first.is_none(), "there is no room for all of it");
            drop(socket);
            let mut heard = String::new();
            client.read_to_string(&mut heard).await.unwrap();
            let mut rest = Vec::new();
            let document = serde_json::to_string(&outgoing.snapshot()).unwrap();
            let mut next = Outgoing::resume(serde_json::from_str(&document).unwrap());
            next.send(&mut rest).await.unwrap();
            heard.push_str(&String::from_utf8(rest).unwrap());
            assert_eq!(heard, text);
        }
    }
}
