//! How often each method was called, how long that took, and how often it was refused.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use protocol::methods::Method;

/// Counts calls by method; clones share the counts.
#[derive(Debug, Clone)]
pub struct Meter(Rc<[Cell<Calls>]>);

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
        Self(Method::TABLE.iter().map(|_| Cell::default()).collect())
    }
}

impl Meter {
    /// Counts a call that was answered.
    pub(super) fn count(&self, method: Method, time: Duration, is_fault: bool) {
        let cell = &self.0[method as usize];
        let calls = cell.get();
        cell.set(Calls {
            count: calls.count + 1,
            faults: calls.faults + u64::from(is_fault),
            time: calls.time.saturating_add(time),
        });
    }

    /// The methods that were called at all.
    pub fn called(&self) -> impl Iterator<Item = (Method, Calls)> {
        let rows = Method::TABLE.iter().zip(self.0.iter());
        rows.map(|(spec, calls)| (spec.method, calls.get()))
            .filter(|(_, calls)| calls.count > 0)
    }
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
        assert_eq!(
            meter.called().collect::<Vec<_>>(),
            [(Method::GetState, expected)]
        );
    }
}
