//! The pool actor: does what the pure [`dispatch`](super::dispatch) decides, and follows each
//! listener through the protocol.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::fut::{ActorFutureExt as _, wrap_future};
use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient, ResponseFuture};
use bytes::Bytes;
use config::model::{EventLen, GroupConfig, PoolConfig};
use protocol::listener::{EventHeader, ListenerDecoder, ListenerInput, ListenerState, payload_len};
use protocol::states::ProcessState;
use tokio::sync::oneshot;

use super::dispatch::{DEFAULT_MEMORY, Dispatch, Effect, Limit, Queued, Rest};
use super::info::{Handling, SharedListenerState};
use super::losses::Losses;
use super::result::{ResultHandler, Verdict};
use super::snapshot::PoolSnapshot;
use super::storage::Storage;
use crate::bus::{Abandoned, Deliver, Envelope, Ticket};
use crate::logs::activity::ActivityLog;
use crate::process::Services;
use crate::process::messages::{Feed, FromListener, Notice};
use crate::sys::aside::aside;
use crate::sys::clock;
use crate::upgrade::Gate;

/// How soon a disk that refuses is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Over how long lost events are counted before the log tells of more than the first ones.
const LOSS_PERIOD: Duration = Duration::from_secs(1);

/// A pool of listeners.
pub struct Pool {
    pub(super) name: String,
    pub(super) identifier: Arc<str>,
    log: ActivityLog,
    gate: Gate,
    pub(super) dispatch: Dispatch,
    /// `None`: events are in memory only.
    pub(super) storage: Option<Storage>,
    /// How much may wait in memory, as configured.
    limit: Limit,
    losses: Losses,
    pub(super) listeners: Vec<Listener>,
    pub(super) handling: Handling,
    handler: ResultHandler,
    event_len: EventLen,
    /// When the rests end that have begun.
    pub(super) rests: Vec<(Rest, Instant)>,
    /// Timers that have fired while all was to be at rest.
    pub(super) missed: Vec<Timer>,
    /// The disk is going to be tried again.
    retry_is_due: bool,
    /// A sync is going to happen, or under way.
    sync_is_due: bool,
    /// Those who wait for the listeners to be done.
    finishing: Vec<oneshot::Sender<()>>,
    /// What goes with pools that are removed.
    pub(super) abandoned: Abandoned,
    /// It has been removed.
    is_removed: bool,
}

/// What a pool has to do later.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timer {
    /// A rest is over.
    Rest(Rest),
    /// Tell how many events were lost.
    Losses,
    /// Try the disk again.
    Retry,
    /// Sync the disk.
    Sync,
}

/// One process of the pool.
pub(super) struct Listener {
    pub(super) name: String,
    pub(super) decoder: ListenerDecoder,
    /// Published state of the decoder.
    state: SharedListenerState,
    /// Its pid and where to send events, while there is a child.
    pub(super) child: Option<(i32, Recipient<Feed>)>,
    /// When it was sent the event that it has not answered yet.
    sent: Option<Instant>,
}

impl Listener {
    /// Stands where it stood with another daemon.
    pub(super) fn resume(&mut self, decoder: ListenerDecoder) {
        self.state.set(decoder.state());
        self.decoder = decoder;
    }
}

/// Answers when the listeners are done with the events they have, as far as they work at all.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Finish;

/// The pool has been removed: what waits in memory is lost, which is told.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct GiveUp;

/// How much of a pool's events may be in memory.
pub fn memory_limit(pool: &PoolConfig) -> Limit {
    pool.buffer_size
        .map_or(Limit::Bytes(DEFAULT_MEMORY), Limit::Events)
}

impl Actor for Pool {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let now = clock::now();
        for (rest, at) in self.rests.clone() {
            let left = at.saturating_duration_since(now);
            self.later(left, Timer::Rest(rest), ctx);
        }
        self.attend_to_storage(ctx);
    }
}

impl Pool {
    /// The pool of a listener group. The files of its storage are opened at once, so that whatever
    /// is raised from now on is numbered behind what is in them. One that goes on where another
    /// daemon has stopped takes over what that had.
    pub fn new(
        config: &GroupConfig,
        pool: &PoolConfig,
        identifier: Arc<str>,
        services: &Services,
        storage: Option<Storage>,
        past: Option<PoolSnapshot>,
    ) -> Self {
        let limit = memory_limit(pool);
        // What is on disk is bounded there; the rest is up to the storage.
        let within = storage.as_ref().map_or(limit, |_| Limit::Bytes(usize::MAX));
        let listeners = config.processes.iter().map(|process| Listener {
            name: process.name.clone(),
            decoder: ListenerDecoder::default(),
            state: SharedListenerState::default(),
            child: None,
            sent: None,
        });
        let mut pool = Self {
            name: config.name.clone(),
            identifier,
            log: services.log.clone(),
            gate: services.gate.clone(),
            dispatch: Dispatch::new(config.processes.len(), within),
            storage,
            limit,
            losses: Losses::default(),
            listeners: listeners.collect(),
            handling: Handling::default(),
            handler: ResultHandler::of(&pool.result_handler),
            event_len: pool.event_len,
            rests: Vec::new(),
            missed: Vec::new(),
            retry_is_due: false,
            sync_is_due: false,
            finishing: Vec::new(),
            abandoned: services.abandoned.clone(),
            is_removed: false,
        };
        match (past, &mut pool.storage) {
            (Some(past), _) => pool.take_over(past),
            (None, Some(storage)) => storage.open(&mut pool.dispatch),
            (None, None) => {}
        }
        pool
    }

    fn later(&self, time: Duration, timer: Timer, ctx: &mut Context<Self>) {
        ctx.run_later(time, move |pool, ctx| match pool.gate.is_closed() {
            true => pool.missed.push(timer),
            false => pool.fired(timer, ctx),
        });
    }

    pub(super) fn fired(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        match timer {
            Timer::Rest(rest) => {
                self.rests.retain(|(known, _)| *known != rest);
                let effects = self.dispatch.rested(rest);
                self.perform(effects, ctx);
                self.attend_to_storage(ctx);
            }
            Timer::Losses => self.tell_losses(),
            Timer::Retry => self.retry_storage(ctx),
            Timer::Sync => self.sync_storage(ctx),
        }
    }

    /// Where each listener stands in the protocol, now and later.
    pub fn listener_states(&self) -> Vec<SharedListenerState> {
        let states = self.listeners.iter().map(|listener| &listener.state);
        states.cloned().collect()
    }

    fn perform(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Send { member, event } => self.send(member, &event),
                Effect::Discarded(serial) => self.report_loss(serial, ctx),
                Effect::Rebuffered { serial, waiting } => self.report_rebuffered(serial, waiting),
                Effect::Rest(rest, time) => {
                    self.rests.push((rest, clock::now() + time));
                    self.later(time, Timer::Rest(rest), ctx);
                }
            }
        }
    }

    fn report_loss(&mut self, serial: u64, ctx: &mut Context<Self>) {
        let reaction = self.losses.note(serial);
        let name = &self.name;
        if reaction.tell {
            self.log.error(format_args!(
                "pool {name} event buffer overflowed, discarding event {serial}"
            ));
        }
        if reaction.begins {
            self.later(LOSS_PERIOD, Timer::Losses, ctx);
        }
    }

    fn tell_losses(&mut self) {
        if let Some((count, last)) = self.losses.end() {
            let name = &self.name;
            self.log.error(format_args!(
                "pool {name} event buffer overflowed, discarded {count} more events up to event {last}"
            ));
        }
    }

    fn report_rebuffered(&self, serial: u64, waiting: usize) {
        let (Limit::Events(max) | Limit::Bytes(max)) = self.limit;
        self.log.debug(format_args!(
            "rebuffering event {serial} for pool {} (buf size={waiting}, max={max})",
            self.name,
        ));
    }

    /// Fills the window from the disk, and sees to retries and syncs.
    fn attend_to_storage(&mut self, ctx: &mut Context<Self>) {
        let Some(storage) = &mut self.storage else {
            return;
        };
        let effects = storage.refill(&mut self.dispatch);
        let (is_failing, sync_due) = (storage.is_failing(), storage.sync_due());
        if is_failing && !std::mem::replace(&mut self.retry_is_due, true) {
            self.later(RETRY, Timer::Retry, ctx);
        }
        if let Some(delay) = sync_due.filter(|_| !self.sync_is_due) {
            self.sync_is_due = true;
            self.later(delay, Timer::Sync, ctx);
        }
        self.perform(effects, ctx);
    }

    fn retry_storage(&mut self, ctx: &mut Context<Self>) {
        self.retry_is_due = false;
        if let Some(storage) = &mut self.storage {
            storage.retry(&mut self.dispatch);
        }
        self.attend_to_storage(ctx);
    }

    /// Syncs on another thread: a disk may take its time.
    fn sync_storage(&mut self, ctx: &mut Context<Self>) {
        let Some(storage) = &self.storage else {
            return;
        };
        let job = storage.sync_job();
        let done = aside(move || job.run());
        ctx.spawn(wrap_future::<_, Self>(done).map(|done, pool, ctx| {
            pool.sync_is_due = false;
            if let (Some(storage), Some(result)) = (&mut pool.storage, done) {
                storage.synced(result);
            }
            pool.attend_to_storage(ctx);
        }));
    }

    fn settle(&mut self, member: usize) -> Vec<Effect> {
        let Some((event, effects)) = self.dispatch.accepted(member) else {
            return Vec::new();
        };
        if let Some(storage) = &mut self.storage {
            storage.settle(&event);
        }
        effects
    }

    /// Sends an event: header and payload in one write, which listeners in the wild count on.
    fn send(&mut self, member: usize, event: &Queued) {
        let message = self.compose(event);
        let Some(listener) = self.listeners.get_mut(member) else {
            return;
        };
        if let Some((pid, feed)) = &listener.child {
            feed.do_send(Feed {
                pid: *pid,
                event: message,
            });
            listener.sent = Some(clock::now());
            listener.decoder.dispatched();
            listener.state.set(listener.decoder.state());
            let (serial, name) = (event.envelope.serial, &listener.name);
            self.log
                .debug(format_args!("event {serial} sent to listener {name}"));
        }
    }

    /// The member has closed its standard input: another one gets the event. It stays what it was:
    /// READY, or BUSY if it has got a part of the event. What was begun counts as a rejection: an
    /// event that kills its listeners before they have read all of it must not hold up the others.
    fn unfed(&mut self, member: usize, partly: bool, ctx: &mut Context<Self>) {
        let (Some(listener), Some(serial)) = (
            self.listeners.get_mut(member),
            self.dispatch.in_flight(member),
        ) else {
            return;
        };
        self.log.debug(format_args!(
            "epipe occurred while sending event {serial} to listener {}, listener state unchanged",
            listener.name
        ));
        let effects = if partly {
            self.dispatch.unready(member);
            self.dispatch.returned(member)
        } else {
            listener.decoder.withdrawn();
            listener.state.set(listener.decoder.state());
            self.dispatch.unsendable(member)
        };
        self.perform(effects, ctx);
        self.answer_finished();
    }

    fn compose(&self, event: &Queued) -> Bytes {
        let Envelope {
            serial,
            event_type,
            payload,
            raised: _,
        } = &*event.envelope;
        let header = EventHeader {
            server: &self.identifier,
            serial: *serial,
            pool: &self.name,
            poolserial: event.poolserial,
            eventname: event_type.name(),
            len: match self.event_len {
                EventLen::Characters => payload_len(payload),
                EventLen::Bytes => payload.len(),
            },
        };
        Bytes::from(format!("{header}\n{payload}"))
    }

    /// A member said something. All of it is understood before anything is sent: output after a
    /// READY is a violation, not an answer to an event that the listener has not seen.
    fn output(&mut self, member: usize, bytes: &[u8], ctx: &mut Context<Self>) {
        if let Some(listener) = self.listeners.get_mut(member) {
            listener.decoder.feed(bytes);
        }
        let heard: Vec<Said> = std::iter::from_fn(|| self.next_said(member)).collect();
        for (index, said) in heard.iter().enumerate() {
            let last = index + 1 == heard.len();
            let effects = match said {
                Said::Ready if last => self.dispatch.ready(member),
                Said::Ready => Vec::new(),
                Said::Accepted => self.settle(member),
                Said::Rejected => self.dispatch.rejected(member),
                Said::Nonsense => {
                    self.dispatch.unready(member);
                    self.dispatch.rejected(member)
                }
            };
            self.perform(effects, ctx);
        }
        self.attend_to_storage(ctx);
        self.answer_finished();
    }

    fn abandon(&self, count: u64) {
        if count > 0 {
            self.abandoned.note(&self.name, count);
            let name = &self.name;
            self.log.warn(format_args!(
                "pool {name} has been removed, discarding the {count} events that waited in memory"
            ));
        }
    }

    fn answer_finished(&mut self) {
        if !self.dispatch.is_busy() {
            for waiting in self.finishing.drain(..) {
                let _ = waiting.send(());
            }
        }
    }

    /// The next thing the member said, its transition logged.
    fn next_said(&mut self, member: usize) -> Option<Said> {
        let listener = self.listeners.get_mut(member)?;
        let (name, log) = (&listener.name, &self.log);
        let input = listener.decoder.next_input()?;
        let (before, after) = input.transition();
        if matches!(input, ListenerInput::Result(_))
            && let Some(sent) = listener.sent.take()
        {
            self.handling.count += 1;
            self.handling.time += sent.elapsed();
        }
        let said = match input {
            ListenerInput::Ready => Said::Ready,
            ListenerInput::Result(body) => match self.handler.judge(body) {
                Verdict::Accepted => {
                    log.debug(format_args!("{name}: event was processed"));
                    Said::Accepted
                }
                Verdict::Rejected => {
                    log.warn(format_args!("{name}: event was rejected"));
                    Said::Rejected
                }
                Verdict::Senseless => {
                    log.warn(format_args!("{name}: event caused an error"));
                    Said::Accepted
                }
            },
            ListenerInput::BadResultLine(line) => {
                let line = String::from_utf8_lossy(line);
                log.warn(format_args!("{name}: bad result line: '{line}'"));
                Said::Nonsense
            }
            ListenerInput::Violation { .. } => Said::Nonsense,
        };
        listener.state.set(after);
        log.debug(format_args!("{name}: {before} -> {after}"));
        if after == ListenerState::Unknown {
            log.warn(format_args!(
                "{name}: has entered the UNKNOWN state and will no longer receive events, this \
                 usually indicates the process violated the eventlistener protocol"
            ));
        }
        Some(said)
    }

    fn spawned(&mut self, member: usize, pid: i32, feed: Recipient<Feed>) {
        if let Some(listener) = self.listeners.get_mut(member) {
            listener.decoder = ListenerDecoder::default();
            listener.state.set(ListenerState::default());
            listener.child = Some((pid, feed));
        }
        self.dispatch.renewed(member);
    }

    fn gone(&mut self, member: usize, ctx: &mut Context<Self>) {
        if let Some(listener) = self.listeners.get_mut(member) {
            listener.decoder = ListenerDecoder::default();
            listener.state.set(ListenerState::default());
            listener.child = None;
        }
        self.dispatch.unready(member);
        self.dispatch.running(member, false);
        let effects = self.dispatch.returned(member);
        self.perform(effects, ctx);
        self.answer_finished();
    }
}

/// What a listener said, freed from its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Ready,
    Accepted,
    Rejected,
    Nonsense,
}

impl Pool {
    fn arrived(&self, ticket: Ticket) {
        if let Some(storage) = &self.storage {
            storage.arrived(ticket);
        }
    }
}

impl Handler<Deliver> for Pool {
    type Result = ();

    fn handle(&mut self, Deliver(event, ticket): Deliver, ctx: &mut Context<Self>) {
        if self.is_removed {
            // It was on its way.
            self.arrived(ticket);
            return self.abandon(1);
        }
        let effects = match &mut self.storage {
            None => self.dispatch.accept(event),
            Some(storage) => {
                let event = self.dispatch.number(event);
                storage.accept(event, &mut self.dispatch)
            }
        };
        self.arrived(ticket);
        self.perform(effects, ctx);
        self.attend_to_storage(ctx);
    }
}

impl Handler<FromListener> for Pool {
    type Result = ();

    fn handle(&mut self, message: FromListener, ctx: &mut Context<Self>) {
        let member = message.member;
        match message.notice {
            Notice::Spawned { pid, feed } => self.spawned(member, pid, feed),
            Notice::Resumed { pid, feed } => {
                if let Some(listener) = self.listeners.get_mut(member) {
                    listener.child = Some((pid, feed));
                }
            }
            Notice::State(state) => {
                let running = state == ProcessState::Running;
                let effects = self.dispatch.running(member, running);
                self.perform(effects, ctx);
            }
            Notice::Output(bytes) => self.output(member, &bytes, ctx),
            Notice::Unfed { partly } => self.unfed(member, partly, ctx),
            Notice::Gone => self.gone(member, ctx),
        }
    }
}

impl Handler<GiveUp> for Pool {
    type Result = ();

    fn handle(&mut self, _: GiveUp, _: &mut Context<Self>) {
        self.is_removed = true;
        let in_tail = self.storage.as_mut().map_or(0, Storage::abandon);
        let count = self.dispatch.abandon() + in_tail;
        self.abandon(count);
    }
}

impl Handler<Finish> for Pool {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Finish, _: &mut Context<Self>) -> Self::Result {
        let (sender, receiver) = oneshot::channel();
        self.finishing.push(sender);
        self.answer_finished();
        Box::pin(async {
            // A pool that has gone is finished as well.
            let _ = receiver.await;
        })
    }
}
