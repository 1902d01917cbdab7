//! Server-sent events: an answer that goes on as long as its client stays and keeps up.

use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::time::SystemTime;

use futures_util::future::{Either, select};
use hyper::Version;
use hyper::http::request::Parts;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::sleep;

use super::closing::Closing;
use super::reply::IDENTITY;
use super::router::Exchange;
use super::stream::{Departure, Framing, LAST_WORDS, write_piece};
use crate::api::Source;

/// A stream that is about to begin.
#[derive(Debug)]
pub(super) struct Push {
    head: String,
    framing: Framing,
    source: Source,
}

impl Push {
    /// The answer to a request, whose pieces come from `source`.
    pub(super) fn new(request: &Parts, source: Source) -> Self {
        let framing = Framing::of(request.version, &request.headers);
        Self {
            head: head(request.version, framing),
            framing,
            source,
        }
    }

    /// Streams until the client leaves or falls too far behind, or the servers close; then what is there still gets
    /// out, if the client is reading at all.
    pub(super) async fn run<S>(mut self, socket: &mut S, mut closing: Closing, exchange: &Exchange)
    where
        S: AsyncWrite + AsFd + Unpin,
    {
        let Ok(departure) = Departure::watch(socket) else {
            return;
        };
        let cut_off = pin!(self.source.cut_off());
        let left = pin!(departure.awaited());
        let mut ending = closing.clone();
        let stream = pin!(self.stream(socket, &mut ending));
        let limit = pin!(async {
            closing.begun().await;
            sleep(LAST_WORDS).await;
        });
        let over = select(select(stream, left), limit);
        if let Either::Right(_) = select(over, cut_off).await {
            let client = &exchange.client;
            let refusals = exchange.site.refusals();
            refusals.tell(format_args!(
                "gave up a stream of events to {client}: it does not read them"
            ));
        }
    }

    async fn stream<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        closing: &mut Closing,
    ) -> io::Result<()> {
        socket.write_all(self.head.as_bytes()).await?;
        socket.flush().await?;
        loop {
            let next = {
                let (next, begun) = (pin!(self.source.next()), pin!(closing.begun()));
                match select(next, begun).await {
                    Either::Left((piece, _)) => Some(piece),
                    Either::Right(_) => None,
                }
            };
            match next {
                Some(Some(piece)) => write_piece(socket, self.framing, &piece).await?,
                Some(None) => break,
                None => {
                    while let Some(piece) = self.source.ready() {
                        write_piece(socket, self.framing, &piece).await?;
                    }
                    break;
                }
            }
        }
        socket.write_all(self.framing.end()).await
    }
}

fn head(version: Version, framing: Framing) -> String {
    let version = match version {
        Version::HTTP_11 => "1.1",
        _ => "1.0",
    };
    let now = httpdate::fmt_http_date(SystemTime::now());
    let framing = framing.header();
    // The third last keeps nginx from collecting the stream.
    format!(
        "HTTP/{version} 200 OK\r\nServer: {IDENTITY}\r\nDate: {now}\r\nContent-Type: text/event-stream\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\n{framing}"
    )
}
