//! Those who watch events go by: no pool, so without numbers, and nothing is kept for them.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use protocol::events::{Event, EventSet};

/// Somebody who watches. Called within the bus, so it has to be quick and may not call the bus.
pub trait Observer {
    /// An event was raised, at this Unix time in milliseconds.
    fn observe(&self, event: &Event, raised: i64);
}

/// The observers of a bus, shared by the bus and its handles.
#[derive(Clone, Default)]
pub(super) struct Observers(Rc<Inner>);

#[derive(Default)]
struct Inner {
    rows: RefCell<Vec<Row>>,
    next: Cell<u64>,
}

struct Row {
    id: u64,
    events: EventSet,
    observer: Weak<dyn Observer>,
}

impl Observers {
    /// Enters an observer; the answer names it.
    pub(super) fn add(&self, events: EventSet, observer: Weak<dyn Observer>) -> u64 {
        let id = self.0.next.get();
        self.0.next.set(id + 1);
        self.0.rows.borrow_mut().push(Row {
            id,
            events,
            observer,
        });
        id
    }

    pub(super) fn remove(&self, id: u64) {
        self.0.rows.borrow_mut().retain(|row| row.id != id);
    }

    /// Everything that anybody watches.
    pub(super) fn wanted(&self) -> EventSet {
        let rows = self.0.rows.borrow();
        let events = rows.iter().map(|row| row.events);
        events.fold(EventSet::default(), EventSet::union)
    }

    /// Shows an event to those who watch its type.
    pub(super) fn show(&self, event: &Event, raised: impl Fn() -> i64) {
        let event_type = event.event_type();
        for row in self.0.rows.borrow().iter() {
            if let Some(observer) = row
                .observer
                .upgrade()
                .filter(|_| row.events.wants(event_type))
            {
                observer.observe(event, raised());
            }
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.0.rows.borrow().len())
    }
}
