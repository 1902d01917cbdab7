//! Events on their way into the files of durable pools.
//!
//! An event is raised in one turn of the event loop and written to a pool's file in a later one. Should the daemon be
//! killed in between, nobody would ever hear of it, although what has happened may have been noted down already. So the
//! keeper has a record of such an event until all pools have it, and a successor hands it to them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use protocol::events::{Event, EventSet, EventType};
use serde::{Deserialize, Serialize};

use crate::keeper::estate::event_key;
use crate::keeper::{Keeper, Kept};

/// Which event on its way it is; `None` if no record says so.
pub type Ticket = Option<u64>;

/// An event that was on its way when the daemon died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranded {
    /// Its number among those, which orders them.
    pub number: u64,
    /// The name of its type.
    pub event_type: String,
    /// Its payload.
    pub payload: String,
}

/// What is on its way; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    keeper: Keeper,
    /// What durable pools have subscribed to.
    wanted: Cell<EventSet>,
    next: Cell<u64>,
    /// How many pools have yet to get it.
    expected: RefCell<HashMap<u64, usize>>,
}

impl Stranded {
    /// What a record of this number says.
    pub fn read(number: u64, body: &[u8]) -> Option<Self> {
        let (event_type, payload) = std::str::from_utf8(body).ok()?.split_once('\n')?;
        Some(Self {
            number,
            event_type: event_type.to_owned(),
            payload: payload.to_owned(),
        })
    }

    fn body(event_type: EventType, payload: &str) -> String {
        format!("{}\n{payload}", event_type.name())
    }
}

impl UnderWay {
    pub(super) fn new(keeper: Keeper) -> Self {
        Self(Rc::new(Inner {
            keeper,
            ..Inner::default()
        }))
    }

    /// Durable pools want these from now on.
    pub(super) fn set_wanted(&self, events: EventSet) {
        self.0.wanted.set(events);
    }

    /// What durable pools want.
    pub(super) fn wanted(&self) -> EventSet {
        self.0.wanted.get()
    }

    /// An event sets out.
    pub(super) fn depart(&self, event: &Event) -> Ticket {
        let event_type = event.event_type();
        if !self.0.keeper.keeps() || !self.wanted().wants(event_type) {
            return None;
        }
        let number = self.0.next.get();
        self.0.next.set(number + 1);
        self.0.keeper.put(&Kept {
            key: &event_key(number),
            pid: 0,
            body: Stranded::body(event_type, &event.payload()).as_bytes(),
            descriptors: Some(&[]),
        });
        Some(number)
    }

    /// So many pools are going to get it.
    pub(super) fn expect(&self, ticket: Ticket, pools: usize) {
        let Some(number) = ticket else { return };
        match pools {
            0 => self.0.keeper.forget(&event_key(number)),
            _ => drop(self.0.expected.borrow_mut().insert(number, pools)),
        }
    }

    /// A pool has it.
    pub(super) fn arrived(&self, ticket: Ticket) {
        let Some(number) = ticket else { return };
        let mut expected = self.0.expected.borrow_mut();
        let left = expected.get_mut(&number).map(|pools| {
            *pools -= 1;
            *pools
        });
        if left == Some(0) {
            expected.remove(&number);
            self.0.keeper.forget(&event_key(number));
        }
    }

    /// Later events get numbers behind these, which keep theirs.
    pub(super) fn number_after(&self, stranded: &[Stranded]) {
        let after = stranded.iter().map(|event| event.number + 1).max();
        self.0.next.set(self.0.next.get().max(after.unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_it_was() {
        let body = Stranded::body(EventType::RemoteCommunication, "type:x\ntwo\nlines");
        let stranded = Stranded::read(7, body.as_bytes()).unwrap();
        let expected = Stranded {
            number: 7,
            event_type: "REMOTE_COMMUNICATION".to_owned(),
            payload: "type:x\ntwo\nlines".to_owned(),
        };
        assert_eq!(stranded, expected);
        for body in [&b"REMOTE_COMMUNICATION"[..], b"\xff\n"] {
            assert_eq!(Stranded::read(7, body), None);
        }
    }

    #[test]
    fn without_a_keeper_nothing_is_noted() {
        let under_way = UnderWay::default();
        under_way.set_wanted(EventSet::from_iter([EventType::Event]));
        let event = Event::Tick {
            period: EventType::Tick5,
            when: 0,
        };
        assert_eq!(under_way.depart(&event), None);
    }

    #[test]
    fn numbers_go_on_behind_those_that_were_stranded() {
        let under_way = UnderWay::default();
        under_way.number_after(&[]);
        assert_eq!(under_way.0.next.get(), 0);
        let stranded = |number| Stranded::read(number, b"TICK_5\nwhen:0").unwrap();
        under_way.number_after(&[stranded(9), stranded(4)]);
        assert_eq!(under_way.0.next.get(), 10);
    }
}
