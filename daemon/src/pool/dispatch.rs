//! A pool's events and who gets them: a pure function of what happened.
//!
//! Events wait in one queue and go out first in, first out, each to the first member, in the order
//! of the configuration, that is RUNNING and has said READY. An event that comes back, rejected or
//! from a listener that died over it, goes to its place at the head with the numbers it had.
//!
//! Supervisor 4.3.0 sends it again at once, for ever, and nothing behind it is ever sent. Here that
//! is so three times. From the fourth on the *event* rests for a growing while and later ones pass
//! it; such an event and fresh ones take turns. A *listener* that rejects one event after another
//! rests as well, for what is behind it may be down; an acceptance ends that, and brings back the
//! events that rest if the accepted one had itself been rejected.

use std::sync::Arc;
use std::time::Duration;

pub use super::queue::{DEFAULT_MEMORY, Limit, Queued};

use super::queue::Queue;
use crate::bus::Envelope;

/// So often an event comes back and is sent again at once.
const AT_ONCE: u32 = 3;

/// The first and the longest rest.
const REST: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// One listener process, as far as sending goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) running: bool,
    pub(super) ready: bool,
    pub(super) in_flight: Option<Queued>,
    /// Different events rejected in a row, and the position of the last.
    pub(super) failures: u32,
    pub(super) last_failure: Option<u64>,
    pub(super) resting: Option<Rest>,
}

/// Names a rest that is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest(pub(super) u64);

/// What the pool's actor has to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send the event to the member; call [`Dispatch::unsendable`] if it does not reach it.
    Send {
        /// Which member.
        member: usize,
        /// What.
        event: Queued,
    },
    /// An event had to go because too many were waiting: its serial.
    Discarded(u64),
    /// An event goes back to the queue.
    Rebuffered {
        /// Its serial.
        serial: u64,
        /// How many were waiting without it.
        waiting: usize,
    },
    /// Call [`Dispatch::rested`] after this time.
    Rest(Rest, Duration),
}

/// What has happened in a pool since it exists, in events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted by a listener.
    pub delivered: u64,
    /// Come back, and to be sent again.
    pub rejected: u64,
    /// Thrown away.
    pub discarded: u64,
}

/// A pool's queue and members.
#[derive(Debug)]
pub struct Dispatch {
    pub(super) queue: Queue,
    limit: Limit,
    pub(super) members: Vec<Member>,
    pub(super) next_poolserial: u64,
    pub(super) next_position: u64,
    /// Events that rest.
    pub(super) resting: Vec<(Rest, Queued)>,
    pub(super) next_rest: u64,
    /// The event sent last had been resting: it is a fresh one's turn.
    pub(super) fresh_is_next: bool,
    pub(super) tally: Tally,
}

impl Dispatch {
    /// An empty pool of so many members.
    pub fn new(members: usize, limit: Limit) -> Self {
        Self {
            queue: Queue::default(),
            limit,
            members: vec![Member::default(); members],
            next_poolserial: 0,
            next_position: 0,
            resting: Vec::new(),
            next_rest: 0,
            fresh_is_next: false,
            tally: Tally::default(),
        }
    }

    /// Events that wait, those that rest among them.
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.resting.len()
    }

    /// Their weight in bytes.
    pub fn bytes(&self) -> usize {
        self.queue.bytes() + self.resting_bytes()
    }

    /// Events that rest because they were rejected again and again.
    pub fn resting(&self) -> usize {
        self.resting.len()
    }

    /// Events that listeners are working on.
    pub fn in_flight_count(&self) -> usize {
        self.held().count()
    }

    /// The oldest event that waits.
    pub fn oldest(&self) -> Option<&Envelope> {
        let waiting = self.queue.front().into_iter();
        waiting
            .chain(self.resting.iter().map(|(_, event)| event))
            .min_by_key(|event| event.position)
            .map(|event| &*event.envelope)
    }

    /// Somebody is working on an event, or could be given one that waits.
    pub fn is_busy(&self) -> bool {
        let works = |member: &Member| member.in_flight.is_some();
        let waits = |member: &Member| member.running && !self.queue.is_empty();
        self.members
            .iter()
            .any(|member| works(member) || waits(member))
    }

    /// How much may wait, for the log.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// What has happened so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Gives an event its numbers.
    pub fn number(&mut self, envelope: Arc<Envelope>) -> Queued {
        let poolserial = self.next_poolserial;
        self.next_poolserial = match poolserial {
            0x7fff_ffff_ffff_ffff => 0,
            number => number + 1,
        };
        let position = self.next_position;
        self.next_position += 1;
        Queued {
            envelope,
            poolserial,
            position,
            stored: false,
            rejections: 0,
        }
    }

    /// An event for the pool.
    pub fn accept(&mut self, envelope: Arc<Envelope>) -> Vec<Effect> {
        let event = self.number(envelope);
        self.enqueue(std::iter::once(event))
    }

    /// Numbered events for the pool, the newest there are.
    pub fn enqueue(&mut self, events: impl Iterator<Item = Queued>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in events {
            self.make_room(event.weight(), &mut effects);
            self.queue.push(event);
        }
        self.dispatch(false, &mut effects);
        effects
    }

    /// The member's process entered or left RUNNING.
    pub fn running(&mut self, member: usize, running: bool) -> Vec<Effect> {
        self.change(member, |member| member.running = running)
    }

    /// The member has said READY.
    pub fn ready(&mut self, member: usize) -> Vec<Effect> {
        self.change(member, |member| member.ready = true)
    }

    /// The member can take nothing until it says READY again; what it holds is settled elsewhere.
    pub fn unready(&mut self, member: usize) {
        if let Some(member) = self.members.get_mut(member) {
            member.ready = false;
        }
    }

    /// The member is a new process, which answers for itself.
    pub fn renewed(&mut self, member: usize) {
        if let Some(member) = self.members.get_mut(member) {
            member.ready = false;
            member.pardon();
        }
    }

    /// The serial of the event that the member is working on.
    pub fn in_flight(&self, member: usize) -> Option<u64> {
        let event = self.members.get(member)?.in_flight.as_ref()?;
        Some(event.envelope.serial)
    }

    /// The member is done with its event. Others may have something to do now.
    pub fn accepted(&mut self, member: usize) -> Option<(Queued, Vec<Effect>)> {
        let event = self.take_in_flight(member)?;
        self.tally.delivered += 1;
        if let Some(member) = self.members.get_mut(member) {
            member.pardon();
        }
        let mut effects = Vec::new();
        if event.rejections > 0 {
            // What was down may be up again: those that were rejected meanwhile come first.
            for (_, event) in std::mem::take(&mut self.resting) {
                self.queue.put_back(event);
            }
            self.dispatch(false, &mut effects);
        }
        Some((event, effects))
    }

    /// The member has died with its event.
    pub fn returned(&mut self, member: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(event) = self.take_in_flight(member) {
            self.come_back(event, &mut effects);
        }
        self.dispatch(false, &mut effects);
        effects
    }

    /// The member did not take its event, or broke the protocol over it.
    pub fn rejected(&mut self, member: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(event) = self.take_in_flight(member) {
            self.note_failure(member, event.position, &mut effects);
            self.come_back(event, &mut effects);
        }
        self.dispatch(false, &mut effects);
        effects
    }

    /// A rest is over. Nothing happens if it ended before its time.
    pub fn rested(&mut self, rest: Rest) -> Vec<Effect> {
        if let Some(place) = self.resting.iter().position(|(id, _)| *id == rest) {
            let (_, event) = self.resting.swap_remove(place);
            self.queue.put_back(event);
        }
        for member in &mut self.members {
            if member.resting == Some(rest) {
                member.resting = None;
            }
        }
        let mut effects = Vec::new();
        self.dispatch(false, &mut effects);
        effects
    }

    /// The event could not be sent: the member's pipe is closed. The next member gets it.
    pub fn unsendable(&mut self, member: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        let event = self.take_in_flight(member);
        self.unready(member);
        let tried = event.is_some();
        if let Some(event) = event {
            self.queue.put_back(event);
        }
        self.dispatch(tried, &mut effects);
        effects
    }

    /// Takes back what waits and does not rest.
    pub fn withdraw(&mut self) -> Queue {
        std::mem::take(&mut self.queue)
    }

    /// Gives later events at least these numbers. What is here already goes behind `position`.
    pub fn number_from(&mut self, poolserial: u64, position: u64) {
        self.next_poolserial = self.next_poolserial.max(poolserial);
        self.next_position += position;
        self.all_mut().for_each(|event| event.position += position);
    }

    /// Whether a window of so many events and bytes has room for more. What rests does not count,
    /// as long as it is not too much altogether.
    pub fn has_room(&self, events: usize, bytes: usize) -> bool {
        self.queue.len() < events
            && self.queue.bytes() < bytes
            && self.resting_bytes() < DEFAULT_MEMORY
    }

    /// Forgets the stored events that wait, up to a position, which have gone from the disk; how
    /// many.
    pub fn forget(&mut self, up_to: u64) -> u64 {
        let is_gone = |event: &Queued| event.stored && event.position <= up_to;
        let before = self.waiting();
        while self.queue.pop_if(is_gone).is_some() {}
        self.resting.retain(|(_, event)| !is_gone(event));
        (before - self.waiting()) as u64
    }

    /// Counts events that were thrown away elsewhere.
    pub fn note_discarded(&mut self, count: u64) {
        self.tally.discarded += count;
    }

    /// Marks the events as stored that are not yet and that `store` takes, oldest first, until it
    /// takes one no more.
    pub fn store<E>(&mut self, mut store: impl FnMut(&Queued) -> Result<(), E>) -> Result<(), E> {
        let mut unstored: Vec<_> = self.all_mut().filter(|event| !event.stored).collect();
        unstored.sort_unstable_by_key(|event| event.position);
        for event in unstored {
            store(event)?;
            event.stored = true;
        }
        Ok(())
    }

    /// Forgets every event; how many of them are nowhere else.
    pub fn abandon(&mut self) -> u64 {
        let count = self.all_mut().filter(|event| !event.stored).count();
        self.queue = Queue::default();
        self.resting.clear();
        self.members
            .iter_mut()
            .for_each(|member| member.in_flight = None);
        count as u64
    }

    /// Every event: those that are being worked on, that rest, that wait.
    fn all_mut(&mut self) -> impl Iterator<Item = &mut Queued> {
        let held = self.members.iter_mut().filter_map(|m| m.in_flight.as_mut());
        let resting = self.resting.iter_mut().map(|(_, event)| event);
        held.chain(resting).chain(self.queue.iter_mut())
    }

    fn take_in_flight(&mut self, member: usize) -> Option<Queued> {
        self.members.get_mut(member)?.in_flight.take()
    }

    fn held(&self) -> impl Iterator<Item = &Queued> {
        self.members
            .iter()
            .filter_map(|member| member.in_flight.as_ref())
    }

    fn change(&mut self, member: usize, change: impl FnOnce(&mut Member)) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(member) = self.members.get_mut(member) {
            change(member);
        }
        self.dispatch(false, &mut effects);
        effects
    }

    /// Back to the queue at once, or after a rest.
    fn come_back(&mut self, mut event: Queued, effects: &mut Vec<Effect>) {
        self.tally.rejected += 1;
        event.rejections = event.rejections.saturating_add(1);
        effects.push(Effect::Rebuffered {
            serial: event.envelope.serial,
            waiting: self.queue.len(),
        });
        self.make_room(event.weight(), effects);
        match event.rejections {
            0..=AT_ONCE => self.queue.put_back(event),
            more => {
                let rest = self.rest(more - AT_ONCE, effects);
                self.resting.push((rest, event));
            }
        }
    }

    /// A listener that rejects the same event again may be right; one that rejects another as well
    /// rests.
    fn note_failure(&mut self, index: usize, position: u64, effects: &mut Vec<Effect>) {
        let Some(member) = self.members.get_mut(index) else {
            return;
        };
        if member.last_failure.replace(position) == Some(position) {
            return;
        }
        member.failures = member.failures.saturating_add(1);
        let failures = member.failures;
        if failures > 1 {
            let rest = self.rest(failures - 1, effects);
            self.members[index].resting = Some(rest);
        }
    }

    /// The rest number `nth` in a row.
    fn rest(&mut self, nth: u32, effects: &mut Vec<Effect>) -> Rest {
        let rest = Rest(self.next_rest);
        self.next_rest += 1;
        let (first, longest) = REST;
        let factor = 1u32.checked_shl(nth.saturating_sub(1)).unwrap_or(u32::MAX);
        effects.push(Effect::Rest(
            rest,
            first.saturating_mul(factor).min(longest),
        ));
        rest
    }

    /// Throws away the oldest until an event of this weight fits.
    fn make_room(&mut self, weight: usize, effects: &mut Vec<Effect>) {
        while self.is_full(weight) {
            let Some(oldest) = self.queue.pop().or_else(|| self.pop_resting()) else {
                return;
            };
            self.tally.discarded += 1;
            effects.push(Effect::Discarded(oldest.envelope.serial));
        }
    }

    /// Whether an event of this weight is too much for now.
    fn is_full(&self, weight: usize) -> bool {
        let (events, bytes) = (self.resting.len(), self.resting_bytes());
        self.queue.is_full(self.limit, weight, events, bytes)
    }

    fn resting_bytes(&self) -> usize {
        self.resting.iter().map(|(_, event)| event.weight()).sum()
    }

    fn pop_resting(&mut self) -> Option<Queued> {
        let oldest = (0..self.resting.len()).min_by_key(|&at| self.resting[at].1.position)?;
        Some(self.resting.swap_remove(oldest).1)
    }

    /// Sends while somebody can take something. `tried`: an attempt has just failed.
    fn dispatch(&mut self, tried: bool, effects: &mut Vec<Effect>) {
        let mut tried = tried;
        while !self.queue.is_empty() {
            let Some(index) = self.members.iter().position(Member::is_free) else {
                break;
            };
            let Some(event) = self.next_event() else {
                return;
            };
            tried = true;
            let member = &mut self.members[index];
            member.ready = false;
            member.in_flight = Some(event.clone());
            effects.push(Effect::Send {
                member: index,
                event,
            });
        }
        // Supervisor takes the next event out, finds nobody free and says so.
        if let Some(head) = self.queue.front().filter(|_| tried) {
            effects.push(Effect::Rebuffered {
                serial: head.envelope.serial,
                waiting: self.queue.len() - 1,
            });
        }
    }

    /// The oldest; after one that had rested, the oldest of the others.
    fn next_event(&mut self) -> Option<Queued> {
        let is_fresh = |event: &Queued| event.rejections <= AT_ONCE;
        let fresh = match self.fresh_is_next {
            true => self.queue.pop_if(is_fresh),
            false => None,
        };
        let event = fresh.or_else(|| self.queue.pop())?;
        self.fresh_is_next = !is_fresh(&event);
        Some(event)
    }
}

impl Member {
    fn is_free(&self) -> bool {
        self.running && self.ready && self.resting.is_none()
    }

    /// Forgets its failures.
    fn pardon(&mut self) {
        self.failures = 0;
        self.last_failure = None;
        self.resting = None;
    }
}

#[cfg(test)]
#[path = "dispatch_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
