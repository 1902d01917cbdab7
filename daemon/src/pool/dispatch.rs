//! A pool's events and who gets them: a pure function of what happened.
//!
//! Events wait in one queue and go out first in, first out, each to the first member, in the order
//! of the configuration, that is RUNNING and has said READY. A rejected event, and one whose
//! listener died over it, goes back to the head of the queue with the numbers it had.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::bus::Envelope;

/// Memory for waiting events of a pool whose `buffer_size` is not set, in bytes of payload and
/// bookkeeping.
pub const DEFAULT_MEMORY: usize = 32 * 1024 * 1024;

/// What an event weighs besides its payload, in bytes.
const OVERHEAD: usize = 128;

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many events: the `buffer_size` of the configuration.
    Events(usize),
    /// So many bytes.
    Bytes(usize),
}

/// An event on its way through a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The event.
    pub envelope: Arc<Envelope>,
    /// Its number in this pool.
    pub poolserial: u64,
    /// How often it has been rejected.
    rejections: u32,
}

impl Queued {
    fn weight(&self) -> usize {
        self.envelope.payload.len() + OVERHEAD
    }
}

/// One listener process, as far as sending goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Member {
    running: bool,
    ready: bool,
    in_flight: Option<Queued>,
}

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
    /// An event went back to the head of the queue: its serial.
    Rebuffered(u64),
    /// Call [`Dispatch::resume`] after this time.
    PauseFor(Duration),
}

/// A pool's queue and members.
#[derive(Debug)]
pub struct Dispatch {
    queue: VecDeque<Queued>,
    /// Weight of the queue in bytes.
    bytes: usize,
    limit: Limit,
    members: Vec<Member>,
    next_poolserial: u64,
    /// Rejected events that rest; nothing is sent meanwhile.
    pauses: u32,
    /// Events thrown away since the pool exists.
    discarded: u64,
}

impl Dispatch {
    /// An empty pool of so many members.
    pub fn new(members: usize, limit: Limit) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            limit,
            members: vec![Member::default(); members],
            next_poolserial: 0,
            pauses: 0,
            discarded: 0,
        }
    }

    /// Events that wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
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

    /// Events thrown away since the pool exists.
    pub fn discarded(&self) -> u64 {
        self.discarded
    }

    /// An event for the pool.
    pub fn accept(&mut self, envelope: Arc<Envelope>) -> Vec<Effect> {
        let poolserial = self.next_poolserial;
        self.next_poolserial = match poolserial {
            0x7fff_ffff_ffff_ffff => 0,
            number => number + 1,
        };
        let event = Queued {
            envelope,
            poolserial,
            rejections: 0,
        };
        let mut effects = Vec::new();
        self.make_room(event.weight(), &mut effects);
        self.bytes += event.weight();
        self.queue.push_back(event);
        self.dispatch(&mut effects);
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

    /// The serial of the event that the member is working on.
    pub fn in_flight(&self, member: usize) -> Option<u64> {
        let event = self.members.get(member)?.in_flight.as_ref()?;
        Some(event.envelope.serial)
    }

    /// The member is done with its event.
    pub fn accepted(&mut self, member: usize) -> Option<Queued> {
        self.members.get_mut(member)?.in_flight.take()
    }

    /// The member has died with its event: it goes back to the head of the queue.
    pub fn returned(&mut self, member: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(event) = self.accepted(member) {
            self.put_back(event, &mut effects);
        }
        self.dispatch(&mut effects);
        effects
    }

    /// The member did not take its event, or broke the protocol over it: it goes back to the head
    /// of the queue. One that is rejected again and again rests in between.
    pub fn rejected(&mut self, member: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(mut event) = self.accepted(member) {
            event.rejections += 1;
            let rest = rest_after(event.rejections);
            self.put_back(event, &mut effects);
            if !rest.is_zero() {
                self.pauses += 1;
                effects.push(Effect::PauseFor(rest));
            }
        }
        self.dispatch(&mut effects);
        effects
    }

    /// A rest is over.
    pub fn resume(&mut self) -> Vec<Effect> {
        self.pauses = self.pauses.saturating_sub(1);
        let mut effects = Vec::new();
        self.dispatch(&mut effects);
        effects
    }

    /// The event could not be sent: the member's pipe is closed. The next member gets it.
    pub fn unsendable(&mut self, member: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        let event = self.accepted(member);
        self.unready(member);
        if let Some(event) = event {
            self.bytes += event.weight();
            self.queue.push_front(event);
        }
        self.dispatch(&mut effects);
        effects
    }

    fn change(&mut self, member: usize, change: impl FnOnce(&mut Member)) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(member) = self.members.get_mut(member) {
            change(member);
        }
        self.dispatch(&mut effects);
        effects
    }

    fn put_back(&mut self, event: Queued, effects: &mut Vec<Effect>) {
        effects.push(Effect::Rebuffered(event.envelope.serial));
        self.make_room(event.weight(), effects);
        self.bytes += event.weight();
        self.queue.push_front(event);
    }

    /// Throws away the oldest until an event of this weight fits.
    fn make_room(&mut self, weight: usize, effects: &mut Vec<Effect>) {
        while self.is_full(weight) {
            let Some(oldest) = self.queue.pop_front() else {
                return;
            };
            self.bytes -= oldest.weight();
            self.discarded += 1;
            effects.push(Effect::Discarded(oldest.envelope.serial));
        }
    }

    fn is_full(&self, weight: usize) -> bool {
        match self.limit {
            Limit::Events(most) => self.queue.len() >= most,
            Limit::Bytes(most) => self.bytes + weight > most,
        }
    }

    /// Sends while somebody can take something.
    fn dispatch(&mut self, effects: &mut Vec<Effect>) {
        while self.pauses == 0 && !self.queue.is_empty() {
            let free = self
                .members
                .iter()
                .position(|member| member.running && member.ready);
            let Some(index) = free else { return };
            let Some(event) = self.queue.pop_front() else {
                return;
            };
            self.bytes -= event.weight();
            let member = &mut self.members[index];
            member.ready = false;
            member.in_flight = Some(event.clone());
            effects.push(Effect::Send {
                member: index,
                event,
            });
        }
    }
}

/// How long an event rests after so many rejections. Supervisor 4.3.0 sends it again at once, for
/// ever, which makes a listener that always fails a busy loop.
fn rest_after(rejections: u32) -> Duration {
    match rejections {
        0..=3 => Duration::ZERO,
        4..=9 => Duration::from_millis(100 << (rejections - 4)),
        _ => Duration::from_secs(5),
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
