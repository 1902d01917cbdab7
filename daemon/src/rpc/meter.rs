//! How often each method was called, how long that took, and how often it was refused.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use protocol::methods::Method;

/// Counts calls by method; clones share the counts.
#[derive(Debug, Clone)]
pub struct Meter(Rc<Counts>);

#[derive(Debug)]
struct Counts {
    /// In the order of the table of methods.
    methods: Box<[Cell<Calls>]>,
    /// Of methods that do not exist.
    unknown: Cell<Calls>,
}

/// What methods that do not exist are counted as, whatever clients call them.
const UNKNOWN: &str = "unknown";

/// The calls of one method so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Answered ones, refused ones among them.
    pub count: u64,
    /// Those answered with a fault.
    pub faults: u64,
    /// The time they took in all, their waiting included.
    pub time: Duration,
}

impl Default for Meter {
    fn default() -> Self {
        Self(Rc::new(Counts {
            methods: Method::TABLE.iter().map(|_| Cell::default()).collect(),
            unknown: Cell::default(),
        }))
    }
}

impl Meter {
    /// Counts a call that was answered.
    pub(super) fn count(&self, method: Method, time: Duration, is_fault: bool) {
        add(&self.0.methods[method as usize], time, is_fault);
    }

    /// Counts a call of a method that does not exist.
    pub(super) fn count_unknown(&self) {
        add(&self.0.unknown, Duration::ZERO, true);
    }

    /// The names of the methods that were called at all, and their calls.
    pub fn called(&self) -> impl Iterator<Item = (&'static str, Calls)> {
        let rows = Method::TABLE.iter().zip(self.0.methods.iter());
        let rows = rows.map(|(spec, calls)| (spec.names[0], calls.get()));
        rows.chain([(UNKNOWN, self.0.unknown.get())])
            .filter(|(_, calls)| calls.count > 0)
    }
}

fn add(cell: &Cell<Calls>, time: Duration, is_fault: bool) {
    let calls = cell.get();
    cell.set(Calls {
        count: calls.count + 1,
        faults: calls.faults + u64::from(is_fault),
        time: calls.time.saturating_add(time),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_add_up_by_method() {
        let meter = Meter::default();
        assert_eq!(meter.called().count(), 0);
        meter.count(Method::GetState, Duration::from_millis(2), false);
        meter
            .clone()
            .count(Method::GetState, Duration::from_millis(3), true);
        let expected = Calls {
            count: 2,
            faults: 1,
            time: Duration::from_millis(5),
        };
        meter.count_unknown();
        let unknown = Calls {
            count: 1,
            faults: 1,
            time: Duration::ZERO,
        };
        assert_eq!(
            meter.called().collect::<Vec<_>>(),
            [
                (Method::GetState.spec().names[0], expected),
                ("unknown", unknown)
            ]
        );
    }
}
