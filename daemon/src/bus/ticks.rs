//! Tick events: raised when wall-clock time enters a new slice of 5, 60 or 3600 seconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::events::{Event, EventSet, EventType};

/// Periods in seconds, in the order in which ticks that fall together are raised.
const PERIODS: [(EventType, i64); 3] = [
    (EventType::Tick5, 5),
    (EventType::Tick60, 60),
    (EventType::Tick3600, 3600),
];

/// Longest sleep, so that a clock set forward is noticed within a minute.
const LONGEST: Duration = Duration::from_secs(60);

/// The slices last seen.
#[derive(Debug)]
pub(super) struct Ticks(pub(super) [i64; 3]);

impl Default for Ticks {
    /// Records the current slices; the first tick comes with the next.
    fn default() -> Self {
        Self(slices(now().as_secs()))
    }
}

impl Ticks {
    /// Ticks that have become due since the last call. A slice that was slept through is not made
    /// up for; a clock set back raises a tick as well.
    pub(super) fn due(&mut self) -> Vec<Event> {
        self.due_at(now().as_secs())
    }

    fn due_at(&mut self, seconds: u64) -> Vec<Event> {
        let current = slices(seconds);
        let changed = (0..PERIODS.len()).filter(|&i| current[i] != self.0[i]);
        let events = changed
            .map(|i| Event::Tick {
                period: PERIODS[i].0,
                when: current[i],
            })
            .collect();
        self.0 = current;
        events
    }

    /// How long until the next tick that somebody wants.
    pub(super) fn next(&self, wanted: EventSet) -> Option<Duration> {
        let now = now();
        PERIODS
            .iter()
            .filter(|(event_type, _)| wanted.wants(*event_type))
            .map(|(_, period)| until_next(now, *period))
            .min()
    }
}

fn until_next(now: Duration, period: i64) -> Duration {
    let period = Duration::from_secs(period.unsigned_abs());
    let into = Duration::from_nanos((now.as_nanos() % period.as_nanos()) as u64);
    (period - into).min(LONGEST)
}

fn slices(seconds: u64) -> [i64; 3] {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    PERIODS.map(|(_, period)| seconds / period * period)
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_fall_on_slices_in_order() {
        let mut ticks = Ticks(slices(3599));
        assert_eq!(ticks.due_at(3599), []);
        let due: Vec<_> = ticks.due_at(3600).iter().map(Event::event_type).collect();
        assert_eq!(
            due,
            [EventType::Tick5, EventType::Tick60, EventType::Tick3600]
        );
        assert_eq!(ticks.due_at(3604), []);
        let due = ticks.due_at(3620);
        assert_eq!(
            due,
            [Event::Tick {
                period: EventType::Tick5,
                when: 3620
            }]
        );
    }

    #[test]
    fn the_sleep_ends_at_the_boundary_of_the_shortest_wanted_period() {
        let now = Duration::from_millis(3_598_500);
        assert_eq!(until_next(now, 5), Duration::from_millis(1500));
        assert_eq!(until_next(Duration::from_secs(10), 3600), LONGEST);
        let ticks = Ticks::default();
        assert_eq!(ticks.next(EventSet::default()), None);
        let wanted = [EventType::Tick].into_iter().collect();
        assert!(ticks.next(wanted).unwrap() <= Duration::from_secs(5));
    }
}
