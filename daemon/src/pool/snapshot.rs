//! A pool as it is handed to another daemon in this same operating system process.
//!
//! Events that are in the pool's files as well are handed over with those that are in memory only:
//! what has come of them so far is in no file.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Context, Handler, Message, MessageResult};
use protocol::events::EventType;
use protocol::listener::{ListenerDecoder, ListenerState};
use serde::{Deserialize, Serialize};

use super::actor::Pool;
use super::dispatch::{Dispatch, Queued, Rest, Tally};
use crate::bus::Envelope;
use crate::sys::clock;
use crate::upgrade::{Blob, Continue, Ping, TakeSnapshot};

/// Everything about a pool but its configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolSnapshot {
    /// The name of the daemon when the group became active.
    pub identifier: String,
    dispatch: DispatchSnapshot,
    listeners: Vec<ListenerSnapshot>,
    /// Behind those on disk, in memory, as long as the disk refuses.
    tail: Vec<EventSnapshot>,
    /// The files could be opened.
    opened: bool,
    /// The disk refuses.
    failing: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct DispatchSnapshot {
    queue: Vec<EventSnapshot>,
    members: Vec<MemberSnapshot>,
    resting: Vec<(u64, EventSnapshot)>,
    /// What is left of each rest.
    rests: Vec<(u64, Duration)>,
    next_poolserial: u64,
    next_position: u64,
    next_rest: u64,
    fresh_is_next: bool,
    delivered: u64,
    rejected: u64,
    discarded: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct MemberSnapshot {
    running: bool,
    ready: bool,
    in_flight: Option<EventSnapshot>,
    failures: u32,
    last_failure: Option<u64>,
    resting: Option<u64>,
}

/// A [`Queued`].
#[derive(Debug, Clone, Serialize, Deserialize)]
struct EventSnapshot {
    serial: u64,
    name: String,
    payload: String,
    raised: i64,
    poolserial: u64,
    position: u64,
    stored: bool,
    rejections: u32,
}

/// Where a listener stands in the protocol.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ListenerSnapshot {
    /// Supervisor's code of the state.
    state: i32,
    /// Output that is not understood yet.
    output: Blob,
    /// The length of the result that is under way.
    result: Option<usize>,
}

impl EventSnapshot {
    fn of(event: &Queued) -> Self {
        let envelope = &event.envelope;
        Self {
            serial: envelope.serial,
            name: envelope.event_type.name().to_owned(),
            payload: envelope.payload.clone(),
            raised: envelope.raised,
            poolserial: event.poolserial,
            position: event.position,
            stored: event.stored,
            rejections: event.rejections,
        }
    }

    /// The event, unless a later version has invented its type.
    fn into_queued(self) -> Option<Queued> {
        Some(Queued {
            envelope: Arc::new(Envelope {
                serial: self.serial,
                event_type: EventType::from_name(&self.name)?,
                payload: self.payload,
                raised: self.raised,
            }),
            poolserial: self.poolserial,
            position: self.position,
            stored: self.stored,
            rejections: self.rejections,
        })
    }
}

impl ListenerSnapshot {
    fn of(decoder: &ListenerDecoder) -> Self {
        let (output, result) = decoder.pending();
        Self {
            state: decoder.state().code(),
            output: Blob(output.to_vec()),
            result,
        }
    }

    fn into_decoder(self) -> ListenerDecoder {
        let state = ListenerState::from_code(self.state).unwrap_or(ListenerState::Unknown);
        ListenerDecoder::resume(state, self.output.0, self.result)
    }
}

impl DispatchSnapshot {
    fn of(dispatch: &Dispatch, rests: Vec<(u64, Duration)>) -> Self {
        let members = dispatch.members.iter().map(|member| MemberSnapshot {
            running: member.running,
            ready: member.ready,
            in_flight: member.in_flight.as_ref().map(EventSnapshot::of),
            failures: member.failures,
            last_failure: member.last_failure,
            resting: member.resting.map(|Rest(id)| id),
        });
        let resting = dispatch.resting.iter();
        Self {
            queue: dispatch.queue.iter().map(EventSnapshot::of).collect(),
            members: members.collect(),
            resting: resting
                .map(|(Rest(id), event)| (*id, EventSnapshot::of(event)))
                .collect(),
            rests,
            next_poolserial: dispatch.next_poolserial,
            next_position: dispatch.next_position,
            next_rest: dispatch.next_rest,
            fresh_is_next: dispatch.fresh_is_next,
            delivered: dispatch.tally.delivered,
            rejected: dispatch.tally.rejected,
            discarded: dispatch.tally.discarded,
        }
    }

    /// Fills an empty one.
    fn fill(self, dispatch: &mut Dispatch) {
        for event in self
            .queue
            .into_iter()
            .filter_map(EventSnapshot::into_queued)
        {
            dispatch.queue.push(event);
        }
        for (member, saved) in dispatch.members.iter_mut().zip(self.members) {
            member.running = saved.running;
            member.ready = saved.ready;
            member.in_flight = saved.in_flight.and_then(EventSnapshot::into_queued);
            member.failures = saved.failures;
            member.last_failure = saved.last_failure;
            member.resting = saved.resting.map(Rest);
        }
        let resting = self.resting.into_iter();
        dispatch.resting = resting
            .filter_map(|(id, event)| Some((Rest(id), event.into_queued()?)))
            .collect();
        dispatch.next_poolserial = self.next_poolserial;
        dispatch.next_position = self.next_position;
        dispatch.next_rest = self.next_rest;
        dispatch.fresh_is_next = self.fresh_is_next;
        dispatch.tally = Tally {
            delivered: self.delivered,
            rejected: self.rejected,
            discarded: self.discarded,
        };
    }
}

/// The positions of events that are in the pool's files.
fn stored(dispatch: &Dispatch) -> HashSet<u64> {
    let held = dispatch.members.iter().filter_map(|m| m.in_flight.as_ref());
    let resting = dispatch.resting.iter().map(|(_, event)| event);
    held.chain(resting)
        .chain(dispatch.queue.iter())
        .filter(|event| event.stored)
        .map(|event| event.position)
        .collect()
}

impl Pool {
    fn snapshot(&self, now: Instant) -> PoolSnapshot {
        let left = |at: Instant| at.saturating_duration_since(now);
        let rests = self.rests.iter().map(|(Rest(id), at)| (*id, left(*at)));
        let storage = self.storage.as_ref();
        let tail = storage.map(|storage| storage.tail().map(EventSnapshot::of).collect());
        let mut dispatch = DispatchSnapshot::of(&self.dispatch, rests.collect());
        dispatch.discarded += self.abandoned.of(&self.name);
        PoolSnapshot {
            identifier: self.identifier.to_string(),
            dispatch,
            listeners: self
                .listeners
                .iter()
                .map(|listener| ListenerSnapshot::of(&listener.decoder))
                .collect(),
            tail: tail.unwrap_or_default(),
            opened: storage.is_some_and(|storage| storage.is_open()),
            failing: storage.is_some_and(|storage| storage.is_failing()),
        }
    }

    /// Goes on where another daemon has stopped. To be called before the pool is started.
    pub(super) fn take_over(&mut self, snapshot: PoolSnapshot) {
        let now = clock::now();
        let rests = snapshot.dispatch.rests.iter();
        self.rests = rests.map(|(id, left)| (Rest(*id), now + *left)).collect();
        snapshot.dispatch.fill(&mut self.dispatch);
        for (listener, saved) in self.listeners.iter_mut().zip(snapshot.listeners) {
            listener.resume(saved.into_decoder());
        }
        if let Some(storage) = &mut self.storage {
            let tail = snapshot.tail.into_iter();
            let tail = tail.filter_map(EventSnapshot::into_queued);
            storage.resume(tail, snapshot.failing);
            match snapshot.opened {
                true => storage.reopen(&stored(&self.dispatch), &mut self.dispatch),
                false => storage.open(&mut self.dispatch),
            }
        }
    }
}

impl Message for TakeSnapshot<PoolSnapshot> {
    type Result = PoolSnapshot;
}

impl Handler<TakeSnapshot<PoolSnapshot>> for Pool {
    type Result = MessageResult<TakeSnapshot<PoolSnapshot>>;

    fn handle(&mut self, _: TakeSnapshot<PoolSnapshot>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.snapshot(clock::now()))
    }
}

impl Handler<Ping> for Pool {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
}

impl Handler<Continue> for Pool {
    type Result = ();

    /// The upgrade came to nothing: what should have happened meanwhile happens now.
    fn handle(&mut self, _: Continue, ctx: &mut Context<Self>) {
        for timer in std::mem::take(&mut self.missed) {
            self.fired(timer, ctx);
        }
    }
}
