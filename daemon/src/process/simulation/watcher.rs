//! What listeners are told of a process, and whether it makes sense.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Context, Handler};
use config::model::ProcessConfig;
use protocol::events::EventType;
use protocol::listener::split_payload;
use protocol::states::ProcessState;
use tokio::time::Instant;

use crate::bus::Deliver;

pub(super) const EVENTS: [EventType; 1] = [EventType::ProcessState];

/// There is nothing left to stop.
pub(super) const STOPPED: [ProcessState; 4] = [
    ProcessState::Stopped,
    ProcessState::Exited,
    ProcessState::Fatal,
    ProcessState::Unknown,
];

/// Timers are as fine as that.
const FINE: Duration = Duration::from_millis(2);

/// A state that was entered.
#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Instant,
    state: ProcessState,
    /// The `tries` of the event.
    tries: Option<u32>,
}

pub(super) struct Watcher {
    startsecs: Duration,
    stopwaitsecs: Duration,
    startretries: u32,
    entries: Vec<Entry>,
    complaints: Vec<String>,
}

/// Gets the events.
pub(super) struct Eyes(pub(super) Rc<RefCell<Watcher>>);

impl Watcher {
    pub(super) fn new(config: &ProcessConfig) -> Self {
        Self {
            startsecs: Duration::from_secs(config.startsecs as u64),
            stopwaitsecs: Duration::from_secs(config.stopwaitsecs as u64),
            startretries: config.startretries as u32,
            entries: vec![Entry {
                at: Instant::now(),
                state: ProcessState::Stopped,
                tries: None,
            }],
            complaints: Vec::new(),
        }
    }

    pub(super) fn seen(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn judge(&self) {
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
    }

    /// One of the states must have been entered since then.
    pub(super) fn expect(&mut self, since: Instant, states: &[ProcessState]) {
        let mut later = self.entries.iter().filter(|entry| entry.at >= since);
        if !later.any(|entry| states.contains(&entry.state)) {
            self.complaints
                .push(format!("none of {states:?} since {since:?}"));
        }
    }

    fn see(&mut self, event_type: EventType, payload: &str) {
        let (fields, _) = split_payload(payload);
        let Some(state) = all().find(|state| EventType::entering(*state) == event_type) else {
            return self
                .complaints
                .push(format!("{} is no state", event_type.name()));
        };
        let entry = Entry {
            at: Instant::now(),
            state,
            tries: fields.get("tries").and_then(|tries| tries.parse().ok()),
        };
        if let Some(before) = self.entries.last().copied() {
            let from = fields.get("from_state").unwrap_or_default();
            let said = (before.state.name() == from)
                .then_some(())
                .ok_or("it was another");
            if let Err(what) = said.and_then(|()| self.follows(before, entry)) {
                let complaint = format!("{what}: {before:?} {payload} {entry:?}");
                self.complaints.push(complaint);
            }
        }
        self.entries.push(entry);
    }

    /// Whether a state may follow that one, after that time.
    fn follows(&self, before: Entry, entry: Entry) -> Result<(), &'static str> {
        use ProcessState::{Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown};
        let time = entry.at - before.at;
        let is_within = |most: Duration| time <= most + FINE;
        let is = |wanted: Duration| time >= wanted && is_within(wanted);
        let tries = before.tries.unwrap_or(0);
        let fits = match (before.state, entry.state) {
            (Starting, Running) => is(self.startsecs),
            (Starting, Backoff) => {
                (time < self.startsecs || time.is_zero()) && entry.tries == Some(tries + 1)
            }
            (Backoff, Starting) => {
                is(Duration::from_secs(tries.into())) && entry.tries == before.tries
            }
            (Backoff, Fatal) => {
                tries > self.startretries || is_within(Duration::from_secs(tries.into()))
            }
            (Stopping, Stopped) => time <= self.stopwaitsecs * 4 + Duration::from_secs(4),
            (Exited | Fatal, Starting) => entry.tries == Some(0),
            // A stop within a retry does not forget why there was one, as with Supervisor.
            (Stopped, Starting) => entry.tries <= Some(self.startretries),
            (Starting, Stopping | Unknown) => is_within(self.startsecs),
            (Backoff, Stopped) => is_within(Duration::from_secs(tries.into())),
            (Running, Exited | Stopping | Unknown)
            | (Stopping, Unknown)
            | (Unknown, Exited | Stopped) => true,
            _ => return Err("that cannot follow"),
        };
        fits.then_some(()).ok_or("the time or the number is wrong")
    }
}

fn all() -> impl Iterator<Item = ProcessState> {
    [0, 10, 20, 30, 40, 100, 200, 1000]
        .into_iter()
        .filter_map(ProcessState::from_code)
}

impl Actor for Eyes {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Eyes {
    type Result = ();

    fn handle(&mut self, Deliver(event, _): Deliver, _: &mut Context<Self>) {
        self.0.borrow_mut().see(event.event_type, &event.payload);
    }
}
