//! Answers that go on as long as their client stays: logs that are followed, and events.
//!
//! A stream takes its connection away from hyper, for four reasons: the answer to a chunked request is framed exactly as
//! Supervisor's (hyper writes lengths in upper case), a client that leaves is noticed while nothing happens, nothing is
//! buffered on the way, as what a client does not read of a log stays in the file, and the daemon knows to the byte what
//! has been sent, so that another program can go on after it.

use std::future::{Future, pending};
use std::io;
use std::os::fd::{AsFd, RawFd};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWrite;
use tokio::time::sleep;

use super::closing::{Call, Closing};
use super::departure::Departure;
use super::logtail::LogTail;
use super::outgoing::{Framing, Outgoing, OutgoingSnapshot};
use super::router::Exchange;
use crate::api::{Api, Source, SourceSnapshot};
use crate::logs::followed::{FollowedLog, FollowedSnapshot};
use crate::rpc::{RpcContext, locate_log};
use crate::sys::handover::Inherited;

/// How long a client may take to read the last of a stream when the servers close.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// An answer that goes on.
#[derive(Debug)]
pub(super) struct Stream {
    outgoing: Outgoing,
    feed: Feed,
}

/// Where its pieces come from.
#[derive(Debug)]
pub(super) enum Feed {
    /// A log, in Supervisor's manner.
    Log(LogTail),
    /// Server-sent events.
    Events(Source),
}

/// A stream for another program in this same process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StreamSnapshot {
    outgoing: OutgoingSnapshot,
    feed: FeedSnapshot,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FeedSnapshot {
    Log(FollowedSnapshot),
    Events(SourceSnapshot),
}

/// Why nothing more is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// There is nothing more, or nobody who reads it.
    Over,
    /// Another program is to go on.
    Rest,
}

impl Stream {
    /// A stream that is about to begin, with the head of the answer.
    pub(super) fn new(framing: Framing, head: String, feed: Feed) -> Self {
        Self {
            outgoing: Outgoing::new(framing, head),
            feed,
        }
    }

    /// For another program; `None` when the client has fallen too far behind.
    pub(super) fn snapshot(&self) -> Option<StreamSnapshot> {
        Some(StreamSnapshot {
            outgoing: self.outgoing.snapshot(),
            feed: match &self.feed {
                Feed::Log(LogTail(log)) => FeedSnapshot::Log(log.snapshot()),
                Feed::Events(source) => FeedSnapshot::Events(source.snapshot()?),
            },
        })
    }

    /// The stream that another program has left; `None` if something of it is lost.
    pub(super) fn resume(
        snapshot: StreamSnapshot,
        api: &Api,
        inherited: &mut Inherited,
    ) -> Option<Self> {
        Some(Self {
            outgoing: Outgoing::resume(snapshot.outgoing),
            feed: match snapshot.feed {
                FeedSnapshot::Log(log) => Feed::Log(LogTail(FollowedLog::resume(log, inherited)?)),
                FeedSnapshot::Events(source) => Feed::Events(api.resume(source, inherited)?),
            },
        })
    }

    /// Asks anew to be told when the log has changed that this stream follows. Without an answer, as when the process is
    /// no more, the log is looked at unasked.
    pub(super) async fn listen(&mut self, context: &RpcContext) {
        let log = match &mut self.feed {
            Feed::Log(LogTail(log)) => Some(log),
            Feed::Events(source) => source.log_mut(),
        };
        if let Some(log) = log
            && let Ok(location) = locate_log(context, log.which()).await
        {
            log.listen(location.changed);
        }
    }

    /// Streams until the client leaves or falls too far behind, another program is to go on, or the servers close; then
    /// what is there still gets out, if the client is reading at all.
    pub(super) async fn run<S>(
        &mut self,
        socket: &mut S,
        mut closing: Closing,
        exchange: &Exchange,
    ) -> Ending
    where
        S: AsyncWrite + AsFd + Unpin,
    {
        let Ok(departure) = Departure::watch(socket) else {
            return Ending::Over;
        };
        let cut_off = pin!(self.feed.cut_off());
        let left = pin!(departure.awaited());
        let mut ending = closing.clone();
        let stream = pin!(self.stream(socket, &mut ending));
        let limit = pin!(async {
            match closing.called().await {
                Call::Rest => return Ending::Rest,
                Call::Close => sleep(LAST_WORDS).await,
            }
            Ending::Over
        });
        // Whatever ends it otherwise, there is nobody to tell.
        let over = select(select(stream, left), limit);
        match select(over, cut_off).await {
            Either::Left((Either::Left(_), _)) => Ending::Over,
            Either::Left((Either::Right((ending, _)), _)) => ending,
            Either::Right(_) => {
                let client = &exchange.client;
                let refusals = exchange.site.refusals();
                refusals.tell(format_args!(
                    "gave up a stream of events to {client}: it does not read them"
                ));
                Ending::Over
            }
        }
    }

    /// May be given up at any time without losing track of what has been sent.
    async fn stream<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        closing: &mut Closing,
    ) -> io::Result<()> {
        self.outgoing.send(socket).await?;
        while let Some(piece) = self.feed.next_or(closing).await {
            self.outgoing.put(piece);
            self.outgoing.send(socket).await?;
        }
        self.outgoing.end();
        self.outgoing.send(socket).await
    }
}

impl StreamSnapshot {
    /// The descriptor of the log that is followed, if it is one.
    pub(super) const fn descriptor(&self) -> Option<RawFd> {
        match &self.feed {
            FeedSnapshot::Log(log) => Some(log.file.fd),
            FeedSnapshot::Events(source) => source.descriptor(),
        }
    }
}

impl Feed {
    /// The next piece; once the servers close only what is there already, and then `None`.
    async fn next_or(&mut self, closing: &mut Closing) -> Option<Bytes> {
        {
            let (next, closed) = (pin!(self.next()), pin!(closing.closed()));
            if let Either::Left((piece, _)) = select(next, closed).await {
                return piece;
            }
        }
        self.ready()
    }

    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Log(log) => log.next().await,
            Self::Events(source) => source.next().await,
        }
    }

    fn ready(&mut self) -> Option<Bytes> {
        match self {
            Self::Log(log) => log.ready().ok().flatten(),
            Self::Events(source) => source.ready(),
        }
    }

    /// Returns when the client has fallen too far behind.
    fn cut_off(&self) -> impl Future<Output = ()> + use<> {
        match self {
            Self::Log(_) => Either::Left(pending()),
            Self::Events(source) => Either::Right(source.cut_off()),
        }
    }
}
