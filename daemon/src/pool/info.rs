//! What everybody may know of a pool.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use actix::{Handler, Message, MessageResult};
use protocol::listener::ListenerState;

use super::Pool;
use super::dispatch::Tally;
use crate::bus::unix_millis;

/// Asks for the state of a pool.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "PoolInfo")]
pub struct Inquire;

/// The state of a pool at one moment.
#[derive(Debug, Clone)]
pub struct PoolInfo {
    /// Its name.
    pub name: String,
    /// Events that wait, on disk or in memory.
    pub buffered: u64,
    /// What they take: bytes of memory, or of the pool's files.
    pub bytes: u64,
    /// For how long the oldest has been waiting, in seconds; 0 if there is none.
    pub oldest: u64,
    /// Events that rest because they were rejected again and again; they count as waiting.
    pub resting: u64,
    /// Events that listeners are working on.
    pub in_flight: u64,
    /// What has happened since the pool became active; discarded is also what waited in a pool of this name that an
    /// `update` has replaced.
    pub tally: Tally,
    /// How long its listeners take.
    pub handling: Handling,
    /// Where it keeps its events.
    pub buffer_file: Option<PathBuf>,
    /// The disk refuses to keep them.
    pub disk_failed: bool,
    /// Its listeners, in the order of the configuration.
    pub listeners: Vec<ListenerInfo>,
}

/// Events that listeners have answered, well or badly, and the time from sending to answering in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handling {
    /// How many.
    pub count: u64,
    /// How long.
    pub time: Duration,
}

/// A listener of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerInfo {
    /// Name of its process.
    pub name: String,
    /// Its pid, 0 when there is none.
    pub pid: i32,
    /// Where it stands in the protocol.
    pub state: ListenerState,
}

/// Where a listener stands in the protocol: written by its pool alone, read by whoever answers a
/// client.
#[derive(Debug, Clone, Default)]
pub struct SharedListenerState(Rc<Cell<ListenerState>>);

impl SharedListenerState {
    /// The state now.
    pub fn get(&self) -> ListenerState {
        self.0.get()
    }

    pub(super) fn set(&self, state: ListenerState) {
        self.0.set(state);
    }
}

impl Pool {
    fn info(&self) -> PoolInfo {
        let dispatch = &self.dispatch;
        let storage = self.storage.as_ref();
        let in_memory = dispatch.waiting() as u64;
        let oldest = dispatch.oldest();
        let oldest = oldest.or_else(|| storage?.oldest_in_tail());
        let age = oldest.map_or(0, |event| unix_millis().saturating_sub(event.raised));
        let mut tally = dispatch.tally();
        tally.discarded += self.abandoned.of(&self.name);
        PoolInfo {
            name: self.name.clone(),
            buffered: in_memory + storage.map_or(0, |storage| storage.waiting()),
            bytes: storage.map_or(dispatch.bytes() as u64, |storage| storage.bytes()),
            oldest: u64::try_from(age / 1000).unwrap_or(0),
            resting: dispatch.resting() as u64,
            in_flight: dispatch.in_flight_count() as u64,
            tally,
            handling: self.handling,
            buffer_file: storage.map(|storage| storage.path().to_owned()),
            disk_failed: storage.is_some_and(|storage| storage.is_failing()),
            listeners: self
                .listeners
                .iter()
                .map(|listener| ListenerInfo {
                    name: listener.name.clone(),
                    pid: listener.child.as_ref().map_or(0, |(pid, _)| *pid),
                    state: listener.decoder.state(),
                })
                .collect(),
        }
    }
}

impl Handler<Inquire> for Pool {
    type Result = MessageResult<Inquire>;

    fn handle(&mut self, _: Inquire, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.info())
    }
}
