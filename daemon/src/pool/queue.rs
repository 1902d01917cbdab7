//! Events that wait, oldest first, within a limit.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::bus::Envelope;

/// Memory for waiting events of a pool whose `buffer_size` is not set, in bytes of payload and
/// bookkeeping.
pub const DEFAULT_MEMORY: usize = 32 * 1024 * 1024;

/// What an event weighs besides its payload, in bytes.
pub(super) const OVERHEAD: usize = 128;

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many events: the `buffer_size` of the configuration.
    Events(usize),
    /// So many bytes.
    Bytes(usize),
}

impl Limit {
    /// Whether one more event is too much.
    fn is_exceeded(self, events: usize, bytes: usize, weight: usize) -> bool {
        match self {
            Self::Events(most) => events >= most,
            Self::Bytes(most) => bytes + weight > most,
        }
    }
}

/// An event on its way through a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The event.
    pub envelope: Arc<Envelope>,
    /// Its number in this pool, as listeners are told.
    pub poolserial: u64,
    /// Its place in the order of the pool; never used twice, also not by a later daemon.
    pub position: u64,
    /// It is in the pool's file.
    pub stored: bool,
    /// How often it has come back.
    pub rejections: u32,
}

impl Queued {
    /// What it counts against a limit, in bytes.
    pub fn weight(&self) -> usize {
        self.envelope.payload.len() + OVERHEAD
    }
}

/// Waiting events in the order of their positions.
#[derive(Debug, Default)]
pub struct Queue {
    events: VecDeque<Queued>,
    bytes: usize,
}

impl Queue {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Their weight in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest.
    pub fn front(&self) -> Option<&Queued> {
        self.events.front()
    }

    /// Whether an event of this weight is too much, `events` of `bytes` waiting elsewhere.
    pub fn is_full(&self, limit: Limit, weight: usize, events: usize, bytes: usize) -> bool {
        limit.is_exceeded(self.len() + events, self.bytes + bytes, weight)
    }

    /// Adds the newest.
    pub fn push(&mut self, event: Queued) {
        self.bytes += event.weight();
        self.events.push_back(event);
    }

    /// Puts an event back into its place, which is near the head.
    pub fn put_back(&mut self, event: Queued) {
        self.bytes += event.weight();
        let place = self
            .events
            .iter()
            .position(|waiting| waiting.position > event.position);
        self.events
            .insert(place.unwrap_or(self.events.len()), event);
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<Queued> {
        self.take(0)
    }

    /// Takes the oldest that satisfies the condition.
    pub fn pop_if(&mut self, condition: impl Fn(&Queued) -> bool) -> Option<Queued> {
        let place = self.events.iter().position(condition)?;
        self.take(place)
    }

    fn take(&mut self, place: usize) -> Option<Queued> {
        let event = self.events.remove(place)?;
        self.bytes -= event.weight();
        Some(event)
    }

    /// Moves all of another queue, which are newer, behind these.
    pub fn append(&mut self, newer: &mut Self) {
        self.events.append(&mut newer.events);
        self.bytes += std::mem::take(&mut newer.bytes);
    }

    /// Puts all of them further back in the order of the pool.
    pub fn shift(&mut self, positions: u64) {
        self.iter_mut()
            .for_each(|event| event.position += positions);
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Queued> {
        self.events.iter()
    }

    /// All of them, to be changed in what is not their weight or place.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queued> {
        self.events.iter_mut()
    }
}
