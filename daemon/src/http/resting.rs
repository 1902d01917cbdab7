//! Connections while the daemon is replaced: what another program in this same process has to know to go on with them.

use std::os::fd::{OwnedFd, RawFd};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::backlog::Backlog;
use super::stream::{Stream, StreamSnapshot};
use crate::api::Api;
use crate::sys::handover::{Inherited, number};
use crate::upgrade::Blob;

/// A connection that nobody serves at the moment.
#[derive(Debug)]
pub struct Resting {
    /// The section of its server.
    pub(super) section: String,
    pub(super) socket: OwnedFd,
    pub(super) under_way: UnderWay,
}

/// What there is to go on with.
#[derive(Debug)]
pub(super) enum UnderWay {
    /// The next request.
    Requests(Backlog),
    /// An answer.
    Stream(Box<Stream>),
}

/// A connection as it is handed to another daemon in this same operating system process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectionSnapshot {
    section: String,
    fd: RawFd,
    under_way: UnderWaySnapshot,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnderWaySnapshot {
    Requests { ahead: Blob, unsent: Blob },
    Stream(StreamSnapshot),
}

impl Resting {
    /// For another program; `None` if there is nothing to go on with.
    pub(super) fn snapshot(&self) -> Option<ConnectionSnapshot> {
        let under_way = match &self.under_way {
            UnderWay::Requests(backlog) => UnderWaySnapshot::Requests {
                ahead: Blob(backlog.ahead.to_vec()),
                unsent: Blob(backlog.unsent.to_vec()),
            },
            UnderWay::Stream(stream) => UnderWaySnapshot::Stream(stream.snapshot()?),
        };
        Some(ConnectionSnapshot {
            section: self.section.clone(),
            fd: number(&self.socket),
            under_way,
        })
    }

    fn resume(snapshot: ConnectionSnapshot, api: &Api, inherited: &mut Inherited) -> Option<Self> {
        // First of all, so that it is closed if nothing comes of it.
        let socket = inherited.claim(snapshot.fd)?;
        let under_way = match snapshot.under_way {
            UnderWaySnapshot::Requests { ahead, unsent } => UnderWay::Requests(Backlog {
                ahead: Bytes::from(ahead.0),
                unsent: unsent.0.as_slice().into(),
            }),
            UnderWaySnapshot::Stream(stream) => {
                UnderWay::Stream(Box::new(Stream::resume(stream, api, inherited)?))
            }
        };
        Some(Self {
            section: snapshot.section,
            socket,
            under_way,
        })
    }
}

impl ConnectionSnapshot {
    /// The descriptors that must stay open.
    pub fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let log = match &self.under_way {
            UnderWaySnapshot::Requests { .. } => None,
            UnderWaySnapshot::Stream(stream) => stream.descriptor(),
        };
        [self.fd].into_iter().chain(log)
    }
}

/// The connections that another daemon has left open. From now on events are kept for those that want them.
pub fn awaken(
    snapshots: Vec<ConnectionSnapshot>,
    inherited: &mut Inherited,
    api: &Api,
) -> Vec<Resting> {
    let snapshots = snapshots.into_iter();
    snapshots
        .filter_map(|snapshot| Resting::resume(snapshot, api, inherited))
        .collect()
}
