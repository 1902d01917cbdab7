//! The queue against a model, with listeners that reject, talk nonsense, die and close their pipes at any moment.
//!
//! The model says in a list what Supervisor's rules and ours on rests mean. Apart from it the world keeps account of what
//! listeners really got: an event is with one of them at a time, none is lost without a word, and each keeps its numbers.

use std::collections::BTreeMap;

use protocol::events::EventType;

use super::super::queue::OVERHEAD;
use super::*;
use crate::seeds::{Run, runs};

/// Pool serials end here and go on with 0.
const LAST_POOLSERIAL: u64 = (1 << 63) - 1;

/// What the pool has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Send(usize, u64),
    Discarded(u64),
    Rebuffered(u64, usize),
    Rest(Duration),
}

/// An event: its serial is its place as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    serial: u64,
    weight: usize,
    rejections: u32,
}

#[derive(Debug, Clone, Default)]
struct Listener {
    running: bool,
    ready: bool,
    holds: Option<Item>,
    /// Different events rejected in a row.
    streak: u32,
    last_rejected: Option<u64>,
    rests: Option<u64>,
}

impl Listener {
    fn is_free(&self) -> bool {
        self.running && self.ready && self.rests.is_none()
    }
}

/// A pool as the rules have it.
struct Model {
    limit: Limit,
    waiting: BTreeMap<u64, Item>,
    resting: BTreeMap<u64, Item>,
    listeners: Vec<Listener>,
    rests: u64,
    /// What was sent last had come back four times.
    obstinate_last: bool,
    shown: Vec<Shown>,
}

impl Model {
    fn new(listeners: usize, limit: Limit) -> Self {
        Self {
            limit,
            waiting: BTreeMap::new(),
            resting: BTreeMap::new(),
            listeners: vec![Listener::default(); listeners],
            rests: 0,
            obstinate_last: false,
            shown: Vec::new(),
        }
    }

    fn raise(&mut self, item: Item) {
        self.insert(item);
        self.dispatch(false);
    }

    /// Full: the oldest goes, those that rest last.
    fn insert(&mut self, item: Item) {
        self.make_room(item.weight);
        self.waiting.insert(item.serial, item);
    }

    fn make_room(&mut self, weight: usize) {
        loop {
            let all = self.waiting.values().chain(self.resting.values());
            let is_full = match self.limit {
                Limit::Events(most) => all.count() >= most,
                Limit::Bytes(most) => all.map(|item| item.weight).sum::<usize>() + weight > most,
            };
            let oldest_resting = self.resting.iter().min_by_key(|(_, item)| item.serial);
            let oldest_resting = oldest_resting.map(|(rest, item)| (*rest, item.serial));
            let gone = match (is_full, self.waiting.pop_first(), oldest_resting) {
                (true, Some((serial, _)), _) => serial,
                (true, None, Some((rest, serial))) => {
                    self.resting.remove(&rest);
                    serial
                }
                (false, popped, _) => return self.waiting.extend(popped),
                (true, None, None) => return,
            };
            self.shown.push(Shown::Discarded(gone));
        }
    }

    /// The oldest to the first that can take one; an event that four have rejected and others take turns.
    fn dispatch(&mut self, mut tried: bool) {
        while let Some(member) = self.listeners.iter().position(Listener::is_free) {
            let is_fresh = |item: &&Item| item.rejections < 4;
            let fresh = self.waiting.values().find(is_fresh);
            let oldest = self.waiting.values().next();
            let fresh = fresh.filter(|_| self.obstinate_last);
            let Some(item) = fresh.or(oldest).copied() else {
                return;
            };
            self.waiting.remove(&item.serial);
            self.obstinate_last = item.rejections >= 4;
            let listener = &mut self.listeners[member];
            listener.ready = false;
            listener.holds = Some(item);
            self.shown.push(Shown::Send(member, item.serial));
            tried = true;
        }
        if let Some(serial) = self.waiting.keys().next().filter(|_| tried) {
            let others = self.waiting.len() - 1;
            self.shown.push(Shown::Rebuffered(*serial, others));
        }
    }

    fn rest(&mut self, nth: u32) -> u64 {
        let time = Duration::from_millis((100u64 << (nth - 1).min(20)).min(5000));
        self.shown.push(Shown::Rest(time));
        self.rests += 1;
        self.rests - 1
    }

    fn accept(&mut self, member: usize) {
        let Some(item) = self.listeners[member].holds.take() else {
            return;
        };
        self.pardon(member);
        if item.rejections > 0 {
            for (_, item) in std::mem::take(&mut self.resting) {
                self.waiting.insert(item.serial, item);
            }
            self.dispatch(false);
        }
    }

    fn reject(&mut self, member: usize) {
        if let Some(item) = self.listeners[member].holds {
            let listener = &mut self.listeners[member];
            if listener.last_rejected.replace(item.serial) != Some(item.serial) {
                listener.streak += 1;
                if let streak @ 2.. = listener.streak {
                    self.listeners[member].rests = Some(self.rest(streak - 1));
                }
            }
        }
        self.give_back(member);
    }

    /// Sent again at once three times, then after a rest.
    fn give_back(&mut self, member: usize) {
        if let Some(mut item) = self.listeners[member].holds.take() {
            item.rejections += 1;
            let rebuffered = Shown::Rebuffered(item.serial, self.waiting.len());
            self.shown.push(rebuffered);
            if item.rejections < 4 {
                self.insert(item);
            } else {
                self.make_room(item.weight);
                let rest = self.rest(item.rejections - 3);
                self.resting.insert(rest, item);
            }
        }
        self.dispatch(false);
    }

    fn unsendable(&mut self, member: usize) {
        self.listeners[member].ready = false;
        let item = self.listeners[member].holds.take();
        self.waiting.extend(item.map(|item| (item.serial, item)));
        self.dispatch(item.is_some());
    }

    fn rested(&mut self, rest: u64) {
        let item = self.resting.remove(&rest);
        self.waiting.extend(item.map(|item| (item.serial, item)));
        for listener in &mut self.listeners {
            listener.rests.take_if(|mine| *mine == rest);
        }
        self.dispatch(false);
    }

    fn pardon(&mut self, member: usize) {
        let listener = &mut self.listeners[member];
        (listener.streak, listener.last_rejected, listener.rests) = (0, None, None);
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Handled,
    Discarded,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    fate: Fate,
    poolserial: u64,
    was_sent: bool,
}

/// A pool, its model, and the listeners of both.
struct World {
    run: Run,
    pool: Dispatch,
    model: Model,
    /// What each listener is working on.
    held: Vec<Option<u64>>,
    /// By serial.
    events: Vec<Event>,
    first_poolserial: u64,
    /// The newest event that was ever sent.
    newest_sent: Option<u64>,
    timers: Vec<Rest>,
    /// One in so many answers is an acceptance.
    grumpiness: u64,
    /// One in so many times that something could be raised, it is.
    idleness: u64,
}

impl World {
    fn new(mut run: Run) -> Self {
        let listeners = 1 + run.index(4);
        let limit = match run.below(4) {
            0 => Limit::Events(1 + run.index(3)),
            1 => Limit::Events(10),
            2 => Limit::Bytes(OVERHEAD * (2 + run.index(8))),
            _ => Limit::Bytes(DEFAULT_MEMORY),
        };
        let (grumpiness, idleness) = (run.pick(&[2, 2, 12]), run.pick(&[1, 3, 8]));
        run.note(format_args!("{listeners} listeners, {limit:?}"));
        let mut pool = Dispatch::new(listeners, limit);
        let first_poolserial = run.pick(&[0, 0, 7, LAST_POOLSERIAL - 5]);
        pool.number_from(first_poolserial, 0);
        Self {
            run,
            pool,
            model: Model::new(listeners, limit),
            held: vec![None; listeners],
            events: Vec::new(),
            first_poolserial,
            newest_sent: None,
            timers: Vec::new(),
            grumpiness,
            idleness,
        }
    }

    fn step(&mut self) {
        let member = self.run.index(self.held.len());
        match self.run.below(20) {
            0..=4 if self.run.once_in(self.idleness) => self.raise(),
            5 | 6 => self.set_running(member, true),
            7 => self.set_running(member, false),
            8..=11 => self.ready(member),
            12..=15 if self.run.once_in(self.grumpiness) => self.accept(member),
            12..=15 => self.reject(member, false),
            16 => self.reject(member, true),
            17 if self.run.once_in(2) => self.die(member),
            17 => self.lose_pipe(member),
            _ => self.end_rest(),
        }
    }

    fn raise(&mut self) {
        let payload = "x".repeat(self.run.index(300));
        let item = Item {
            serial: self.events.len() as u64,
            weight: payload.len() + OVERHEAD,
            rejections: 0,
        };
        self.run.note(format_args!("raise {item:?}"));
        let poolserial = self.first_poolserial.wrapping_add(item.serial) & LAST_POOLSERIAL;
        self.events.push(Event {
            fate: Fate::Open,
            poolserial,
            was_sent: false,
        });
        self.model.raise(item);
        let effects = self.pool.accept(Arc::new(Envelope {
            serial: item.serial,
            event_type: EventType::Tick5,
            payload,
            raised: 0,
        }));
        self.check(effects);
    }

    fn set_running(&mut self, member: usize, running: bool) {
        self.run.note(format_args!("{member} running: {running}"));
        self.model.listeners[member].running = running;
        self.model.dispatch(false);
        let effects = self.pool.running(member, running);
        self.check(effects);
    }

    fn ready(&mut self, member: usize) {
        if self.held[member].is_none() {
            self.run.note(format_args!("{member} READY"));
            self.model.listeners[member].ready = true;
            self.model.dispatch(false);
            let effects = self.pool.ready(member);
            self.check(effects);
        }
    }

    fn accept(&mut self, member: usize) {
        self.run.note(format_args!("{member} OK"));
        self.model.accept(member);
        let held = self.held[member].take();
        if let Some(serial) = held {
            self.events[serial as usize].fate = Fate::Handled;
        }
        let (event, effects) = self.pool.accepted(member).unzip();
        assert_eq!(event.map(|event| event.envelope.serial), held);
        self.check(effects.unwrap_or_default());
    }

    /// It says FAIL, or nonsense: then it says nothing sensible any more.
    fn reject(&mut self, member: usize, nonsense: bool) {
        self.run
            .note(format_args!("{member} rejects, nonsense: {nonsense}"));
        if nonsense {
            self.pool.unready(member);
            self.model.listeners[member].ready = false;
        }
        self.held[member] = None;
        self.model.reject(member);
        let effects = self.pool.rejected(member);
        self.check(effects);
    }

    /// It dies, and perhaps there is a new one at once.
    fn die(&mut self, member: usize) {
        self.run.note(format_args!("{member} dies"));
        self.pool.unready(member);
        self.model.listeners[member].ready = false;
        self.set_running(member, false);
        self.held[member] = None;
        self.model.give_back(member);
        let effects = self.pool.returned(member);
        self.check(effects);
        if self.run.once_in(2) {
            self.pool.renewed(member);
            self.model.pardon(member);
            self.set_running(member, true);
        }
    }

    /// It has closed its standard input before it got anything, or in the middle.
    fn lose_pipe(&mut self, member: usize) {
        let partly = self.run.once_in(2);
        self.run
            .note(format_args!("{member} closes its pipe, partly: {partly}"));
        self.held[member] = None;
        let effects = if partly {
            self.pool.unready(member);
            self.model.listeners[member].ready = false;
            self.model.give_back(member);
            self.pool.returned(member)
        } else {
            self.model.unsendable(member);
            self.pool.unsendable(member)
        };
        self.check(effects);
    }

    /// Also of rests that have ended before their time.
    fn end_rest(&mut self) {
        if !self.timers.is_empty() {
            let place = self.run.index(self.timers.len());
            let rest = self.timers.swap_remove(place);
            self.run.note(format_args!("{rest:?} is over"));
            self.model.rested(rest.0);
            let effects = self.pool.rested(rest);
            self.check(effects);
        }
    }

    fn check(&mut self, effects: Vec<Effect>) {
        let shown: Vec<_> = effects.iter().map(|effect| self.show(effect)).collect();
        self.run.note(format_args!("  {shown:?}"));
        assert_eq!(shown, self.model.shown);
        self.model.shown.clear();
        let working = self.held.iter().flatten().count();
        let known = (self.pool.waiting() + working) as u64;
        assert_eq!(self.count(Fate::Open), known, "lost or doubled");
        assert_eq!(self.pool.in_flight_count(), working);
        let idle = self.model.listeners.iter().any(Listener::is_free);
        let waits = self.pool.waiting() > self.pool.resting();
        assert!(!(idle && waits), "somebody is free and something waits");
    }

    fn show(&mut self, effect: &Effect) -> Shown {
        match effect {
            Effect::Send { member, event } => {
                self.send(*member, event);
                Shown::Send(*member, event.envelope.serial)
            }
            Effect::Discarded(serial) => {
                let fate = &mut self.events[*serial as usize].fate;
                assert_eq!(std::mem::replace(fate, Fate::Discarded), Fate::Open);
                assert!(!self.held.contains(&Some(*serial)), "it is being worked on");
                Shown::Discarded(*serial)
            }
            Effect::Rebuffered { serial, waiting } => Shown::Rebuffered(*serial, *waiting),
            Effect::Rest(rest, time) => {
                self.timers.push(*rest);
                Shown::Rest(*time)
            }
        }
    }

    fn send(&mut self, member: usize, queued: &Queued) {
        let serial = queued.envelope.serial;
        let event = &mut self.events[serial as usize];
        assert_eq!(
            (event.fate, event.poolserial),
            (Fate::Open, queued.poolserial)
        );
        assert!(!self.held.contains(&Some(serial)), "with two at a time");
        assert_eq!(self.held[member].replace(serial), None, "two at a time");
        if !std::mem::replace(&mut event.was_sent, true) {
            assert!(self.newest_sent < Some(serial), "out of order");
            self.newest_sent = Some(serial);
        }
    }

    fn count(&self, fate: Fate) -> u64 {
        self.events
            .iter()
            .filter(|event| event.fate == fate)
            .count() as u64
    }

    /// From here on all listeners work: every event that was not discarded is handled.
    fn wind_up(&mut self) {
        while !self.timers.is_empty() {
            self.end_rest();
        }
        for member in (0..self.held.len()).cycle() {
            if self.pool.waiting() + self.pool.in_flight_count() == 0 {
                break;
            }
            self.set_running(member, true);
            self.accept(member);
            self.ready(member);
        }
        let tally = self.pool.tally();
        assert_eq!(self.count(Fate::Open), 0);
        assert_eq!(self.count(Fate::Handled), tally.delivered);
        assert_eq!(self.count(Fate::Discarded), tally.discarded);
    }
}

#[test]
fn every_pool_follows_the_rules_and_loses_nothing() {
    for mut run in runs(10_000) {
        let steps = 20 + run.below(200);
        let mut world = World::new(run);
        for _ in 0..steps {
            world.step();
        }
        world.wind_up();
    }
}
