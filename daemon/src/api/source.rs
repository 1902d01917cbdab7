//! What server-sent events are made of, piece by piece.

use std::future::{Future, pending};
use std::os::fd::RawFd;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};

use super::Api;
use super::events::{EventStream, EventsSnapshot};
use super::lines::{LinesSnapshot, LogLines};
use crate::logs::followed::FollowedLog;
use crate::sys::handover::Inherited;

/// How long a stream may be silent: what stands between would take it for dead.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// A comment, which clients skip.
pub(super) const SIGN_OF_LIFE: Bytes = Bytes::from_static(b":\n\n");

/// Begins every stream: milliseconds after which a client that lost it should come again.
pub(super) const BEGINNING: Bytes = Bytes::from_static(b"retry: 3000\n\n");

/// Where the pieces of a stream come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Events of the daemon.
    Events(EventStream),
    /// Lines of a log.
    Log(Box<LogLines>),
    /// Both at once: browsers have six connections for all windows together.
    Both(EventStream, Box<LogLines>),
}

/// A source for another program in this same process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceSnapshot {
    /// Events.
    Events(EventsSnapshot),
    /// Lines of a log.
    Log(LinesSnapshot),
    /// Both at once.
    Both(EventsSnapshot, LinesSnapshot),
}

impl SourceSnapshot {
    /// The descriptor of the log that is followed, if it is one.
    pub(crate) const fn descriptor(&self) -> Option<RawFd> {
        match self {
            Self::Events(_) => None,
            Self::Log(lines) | Self::Both(_, lines) => Some(lines.log.file.fd),
        }
    }
}

impl Api {
    /// The source that another program has had; `None` if something of it is lost.
    pub(crate) fn resume(
        &self,
        source: SourceSnapshot,
        inherited: &mut Inherited,
    ) -> Option<Source> {
        match source {
            SourceSnapshot::Events(events) => Some(Source::Events(self.hub.resume(events))),
            SourceSnapshot::Log(lines) => {
                let lines = LogLines::resume(lines, inherited)?;
                Some(Source::Log(Box::new(lines)))
            }
            SourceSnapshot::Both(events, lines) => {
                let lines = LogLines::resume(lines, inherited)?;
                Some(Source::Both(self.hub.resume(events), Box::new(lines)))
            }
        }
    }
}

impl Source {
    /// For another program; `None` when the client has fallen too far behind.
    pub(crate) fn snapshot(&self) -> Option<SourceSnapshot> {
        match self {
            Self::Events(events) => events.snapshot().map(SourceSnapshot::Events),
            Self::Log(lines) => Some(SourceSnapshot::Log(lines.snapshot())),
            Self::Both(events, lines) => {
                let events = events.snapshot()?;
                Some(SourceSnapshot::Both(events, lines.snapshot()))
            }
        }
    }

    /// The log that is followed, if it is one.
    pub(crate) const fn log_mut(&mut self) -> Option<&mut FollowedLog> {
        match self {
            Self::Events(_) => None,
            Self::Log(lines) | Self::Both(_, lines) => Some(lines.log_mut()),
        }
    }

    /// The next piece; `None` when there is nothing more. May be given up and called again.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Events(events) => Some(events.next().await),
            Self::Log(lines) => lines.next().await,
            Self::Both(events, lines) => {
                match select(pin!(events.next()), pin!(lines.next())).await {
                    Either::Left((events, _)) => Some(events),
                    Either::Right((lines, _)) => lines,
                }
            }
        }
    }

    /// A piece that is there already.
    pub(crate) fn ready(&mut self) -> Option<Bytes> {
        match self {
            Self::Events(events) => events.ready(),
            Self::Log(lines) => lines.ready().ok().flatten(),
            Self::Both(events, lines) => events.ready().or_else(|| lines.ready().ok().flatten()),
        }
    }

    /// Returns when the client has fallen too far behind. What it does not read of a log stays in the file.
    pub(crate) fn cut_off(&self) -> impl Future<Output = ()> + use<> {
        match self {
            Self::Events(events) | Self::Both(events, _) => Either::Left(events.cut_off()),
            Self::Log(_) => Either::Right(pending()),
        }
    }
}

/// Appends an event. A carriage return would end a line as well.
pub(super) fn write_event(name: Option<&str>, data: &str, out: &mut Vec<u8>) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    for line in data.split(['\r', '\n']) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_marked() {
        let rows = [
            (None, "x", "data: x\n\n"),
            (Some("A"), "", "event: A\ndata: \n\n"),
            (None, "a\rb\nc", "data: a\ndata: b\ndata: c\n\n"),
        ];
        for (name, data, expected) in rows {
            let mut out = Vec::new();
            write_event(name, data, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
