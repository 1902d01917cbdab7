//! Log lines about clients that are turned away: few, however many there are.

use std::cell::Cell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::reply::Reply;
use crate::logs::activity::ActivityLog;

/// The shortest time between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest user name that is logged.
const NAME_CHARS: usize = 64;

/// Writes about refusals; clones share the count of what is left out.
#[derive(Debug, Clone)]
pub(super) struct Refusals {
    log: ActivityLog,
    inner: Rc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: Cell<Option<Instant>>,
    unsaid: Cell<u64>,
}

/// What the log says about one refusal besides its status; travels with the answer.
#[derive(Debug, Clone)]
pub(super) struct Remark(String);

impl Remark {
    /// The answer, with a reason for the log.
    pub(super) fn on(mut reply: Reply, reason: impl Display) -> Reply {
        let remark = Self(format!(" ({reason})"));
        reply.extensions_mut().insert(remark);
        reply
    }

    /// The answer, with the name that was given for the log.
    pub(super) fn naming(mut reply: Reply, name: &str) -> Reply {
        let name: String = name.chars().take(NAME_CHARS).collect();
        reply.extensions_mut().insert(Self(format!(" as {name:?}")));
        reply
    }

    /// What goes with an answer; empty for most.
    pub(super) fn of(reply: &Reply) -> &str {
        let remark = reply.extensions().get::<Self>();
        remark.map_or("", |Self(remark)| remark)
    }
}

impl Refusals {
    pub(super) fn new(log: ActivityLog) -> Self {
        Self {
            log,
            inner: Rc::default(),
        }
    }

    /// Tells what was refused and why, or at least counts it.
    pub(super) fn tell(&self, what: impl Display) {
        match self.inner.turn(Instant::now()) {
            Some(0) => self.log.warn(format_args!("{what}")),
            Some(unsaid) => self
                .log
                .warn(format_args!("{what} ({unsaid} more refusals before)")),
            None => {}
        }
    }
}

impl Inner {
    /// How many were left out since the last line, if there may be one now.
    fn turn(&self, now: Instant) -> Option<u64> {
        let is_early = |last| now.duration_since(last) < PAUSE;
        if self.last.get().is_some_and(is_early) {
            self.unsaid.set(self.unsaid.get() + 1);
            return None;
        }
        self.last.set(Some(now));
        Some(self.unsaid.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_make_few_lines() {
        let inner = Inner::default();
        let begun = Instant::now();
        let turns =
            [0, 10, 20, 1000, 1500, 3000].map(|at| inner.turn(begun + Duration::from_millis(at)));
        assert_eq!(turns, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
