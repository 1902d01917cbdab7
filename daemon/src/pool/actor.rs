//! The pool actor: does what the pure [`dispatch`](super::dispatch) decides, and follows each
//! listener through the protocol.

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient, ResponseFuture};
use bytes::Bytes;
use config::model::{EventLen, GroupConfig, PoolConfig};
use protocol::listener::{EventHeader, ListenerDecoder, ListenerInput, ListenerState, payload_len};
use protocol::states::ProcessState;
use tokio::sync::oneshot;

use super::dispatch::{DEFAULT_MEMORY, Dispatch, Effect, Limit, Queued};
use super::result::{ResultHandler, Verdict};
use crate::bus::{Deliver, Envelope};
use crate::logs::activity::ActivityLog;
use crate::process::messages::{Feed, FromListener, Notice};

/// A pool of listeners.
pub struct Pool {
    name: String,
    identifier: Arc<str>,
    log: ActivityLog,
    dispatch: Dispatch,
    listeners: Vec<Listener>,
    handler: ResultHandler,
    event_len: EventLen,
    /// Those who wait for the listeners to be done.
    finishing: Vec<oneshot::Sender<()>>,
}

/// One process of the pool.
struct Listener {
    name: String,
    decoder: ListenerDecoder,
    /// Its pid and where to send events, while there is a child.
    child: Option<(i32, Recipient<Feed>)>,
}

/// Answers when the listeners are done with the events they have, as far as they work at all.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Finish;

impl Actor for Pool {
    type Context = Context<Self>;
}

impl Pool {
    /// The pool of a listener group.
    pub fn new(
        config: &GroupConfig,
        pool: &PoolConfig,
        identifier: Arc<str>,
        log: ActivityLog,
    ) -> Self {
        let limit = pool
            .buffer_size
            .map_or(Limit::Bytes(DEFAULT_MEMORY), Limit::Events);
        let listeners = config.processes.iter().map(|process| Listener {
            name: process.name.clone(),
            decoder: ListenerDecoder::default(),
            child: None,
        });
        Self {
            name: config.name.clone(),
            identifier,
            log,
            dispatch: Dispatch::new(config.processes.len(), limit),
            listeners: listeners.collect(),
            handler: ResultHandler::of(&pool.result_handler),
            event_len: pool.event_len,
            finishing: Vec::new(),
        }
    }

    fn perform(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Send { member, event } => self.send(member, &event),
                Effect::Discarded(serial) => self.log.error(format_args!(
                    "pool {} event buffer overflowed, discarding event {serial}",
                    self.name
                )),
                Effect::Rebuffered(serial) => self.report_rebuffered(serial),
                Effect::PauseFor(rest) => {
                    ctx.run_later(rest, |pool, ctx| {
                        let effects = pool.dispatch.resume();
                        pool.perform(effects, ctx);
                    });
                }
            }
        }
    }

    fn report_rebuffered(&self, serial: u64) {
        let max = match self.dispatch.limit() {
            Limit::Events(max) | Limit::Bytes(max) => max,
        };
        self.log.debug(format_args!(
            "rebuffering event {serial} for pool {} (buf size={}, max={max})",
            self.name,
            self.dispatch.waiting(),
        ));
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
            listener.decoder.dispatched();
            let (serial, name) = (event.envelope.serial, &listener.name);
            self.log
                .debug(format_args!("event {serial} sent to listener {name}"));
        }
    }

    /// The member has closed its standard input: another one gets the event.
    fn unfed(&mut self, member: usize, ctx: &mut Context<Self>) {
        let (Some(listener), Some(serial)) =
            (self.listeners.get(member), self.dispatch.in_flight(member))
        else {
            return;
        };
        self.log.debug(format_args!(
            "epipe occurred while sending event {serial} to listener {}, listener state unchanged",
            listener.name
        ));
        let effects = self.dispatch.unsendable(member);
        self.perform(effects, ctx);
    }

    fn compose(&self, event: &Queued) -> Bytes {
        let Envelope {
            serial,
            event_type,
            payload,
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
                Said::Accepted => {
                    self.dispatch.accepted(member);
                    Vec::new()
                }
                Said::Rejected => self.dispatch.rejected(member),
                Said::Nonsense => {
                    self.dispatch.unready(member);
                    self.dispatch.rejected(member)
                }
            };
            self.perform(effects, ctx);
        }
        self.answer_finished();
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
            listener.child = Some((pid, feed));
        }
        self.dispatch.unready(member);
    }

    fn gone(&mut self, member: usize, ctx: &mut Context<Self>) {
        if let Some(listener) = self.listeners.get_mut(member) {
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

impl Handler<Deliver> for Pool {
    type Result = ();

    fn handle(&mut self, Deliver(event): Deliver, ctx: &mut Context<Self>) {
        let effects = self.dispatch.accept(event);
        self.perform(effects, ctx);
    }
}

impl Handler<FromListener> for Pool {
    type Result = ();

    fn handle(&mut self, message: FromListener, ctx: &mut Context<Self>) {
        let member = message.member;
        match message.notice {
            Notice::Spawned { pid, feed } => self.spawned(member, pid, feed),
            Notice::State(state) => {
                let running = state == ProcessState::Running;
                let effects = self.dispatch.running(member, running);
                self.perform(effects, ctx);
            }
            Notice::Output(bytes) => self.output(member, &bytes, ctx),
            Notice::Unfed => self.unfed(member, ctx),
            Notice::Gone => self.gone(member, ctx),
        }
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
