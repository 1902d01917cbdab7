//! Ticks nobody needs any more.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Event;

/// A tick this many periods old says nothing: then a clock was set, or somebody plays events by hand.
const CREDIBLE_PERIODS: i64 = 100;

/// Tells which ticks piled up while an earlier one was handled.
///
/// supervisord sends an event only when the listener is done with the one before, so a handler that took minutes finds the
/// ticks of those minutes queued, and would check, or restart, as often in a row. A tick is stale when the next tick of its
/// period was due before the last handling ended: that next one is queued behind it, or its purpose is fulfilled.
#[derive(Debug, Default)]
pub struct StaleTicks {
    /// When the last handling ended, Unix seconds.
    handled: Option<i64>,
}

impl StaleTicks {
    /// Notes that a tick was handled and the handling ended at `now`, Unix seconds.
    pub const fn handled(&mut self, now: i64) {
        self.handled = Some(now);
    }

    /// Whether `event` is a tick to pass over.
    pub fn is_stale(&self, event: &Event<'_>) -> bool {
        let Some((handled, period, when)) = self.stamps(event) else {
            return false;
        };
        let age = handled.saturating_sub(when);
        (period..period.saturating_mul(CREDIBLE_PERIODS)).contains(&age)
    }

    fn stamps(&self, event: &Event<'_>) -> Option<(i64, i64, i64)> {
        let period = event.header.eventname.strip_prefix("TICK_")?.parse().ok()?;
        let when = event.fields().get("when")?.parse().ok()?;
        Some((self.handled?, period, when))
    }
}

/// The wall clock, Unix seconds.
pub fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::listener::EventHeader;

    fn stale(handled: Option<i64>, name: &str, payload: &str) -> bool {
        let mut ticks = StaleTicks::default();
        if let Some(now) = handled {
            ticks.handled(now);
        }
        let line = format!("eventname:{name} len:0");
        let header = EventHeader::parse(&line).expect("a header");
        ticks.is_stale(&Event { header, payload })
    }

    #[test]
    fn a_tick_is_stale_once_its_successor_is_due() {
        let rows = [
            (None, "TICK_5", "when:1000", false),
            (Some(1000), "TICK_5", "when:1000", false),
            (Some(1004), "TICK_5", "when:1000", false),
            (Some(1005), "TICK_5", "when:1000", true),
            (Some(1059), "TICK_60", "when:1000", false),
            (Some(1060), "TICK_60", "when:1000", true),
            (Some(990), "TICK_5", "when:1000", false),
            (Some(1499), "TICK_5", "when:1000", true),
            (Some(1500), "TICK_5", "when:1000", false),
            (Some(1005), "TICK_5", "", false),
            (Some(1005), "TICK", "when:1000", false),
            (Some(1005), "PROCESS_STATE_EXITED", "when:1000", false),
            (
                Some(i64::MAX),
                "TICK_9223372036854775807",
                "when:-9223372036854775808",
                false,
            ),
        ];
        for (handled, name, payload, want) in rows {
            assert_eq!(
                stale(handled, name, payload),
                want,
                "{handled:?} {name} {payload}"
            );
        }
    }
}
