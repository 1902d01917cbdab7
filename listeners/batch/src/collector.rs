//! Lines waiting to be sent, and when it is time.

use std::collections::VecDeque;

/// So many lines wait at most; beyond, the oldest go. Only a mail server that is away for long makes so many.
const MOST_LINES: usize = 10_000;

/// A tick's name that says no period.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid TICK event name: {0}")]
pub(crate) struct TickError(String);

/// Collects lines for so many minutes, counted in ticks.
#[derive(Debug)]
pub(crate) struct Collector {
    lines: VecDeque<String>,
    /// How long to collect, in minutes.
    interval: f64,
    /// For how long it has been collecting, in minutes.
    collected: f64,
    tick: String,
    /// Minutes from tick to tick.
    period: f64,
}

impl Collector {
    /// A collector that sends each `interval` minutes, as told by the event `tick`, for instance `TICK_60`.
    ///
    /// # Errors
    /// When the name of the tick does not end in a number of seconds.
    pub(crate) fn new(interval: f64, tick: &str) -> Result<Self, TickError> {
        let seconds = tick
            .strip_prefix("TICK_")
            .and_then(|rest| rest.split('_').next());
        let seconds = seconds.and_then(|seconds| seconds.parse::<u32>().ok());
        let seconds = seconds.ok_or_else(|| TickError(tick.to_owned()))?;
        Ok(Self {
            lines: VecDeque::new(),
            interval,
            collected: 0.0,
            tick: tick.to_owned(),
            period: f64::from(seconds) / 60.0,
        })
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, line: String) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Counts an event, if it is the tick to count by. Returns whether the interval is over; then a new one begins.
    pub(crate) fn is_due(&mut self, eventname: &str) -> bool {
        if eventname != self.tick {
            return false;
        }
        self.collected += self.period;
        let due = self.collected >= self.interval;
        if due {
            self.collected = 0.0;
        }
        due
    }

    /// The lines in one text, if there are any.
    pub(crate) fn body(&mut self) -> Option<String> {
        if self.lines.is_empty() {
            return None;
        }
        Some(self.lines.make_contiguous().join("\n"))
    }

    /// Forgets the lines.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_counted_in_ticks() {
        let rows = [
            (1.0, "TICK_60", vec![1, 2, 3]),
            (0.0, "TICK_5", vec![1, 2, 3]),
            (0.25, "TICK_5", vec![3, 6]),
            (3.0, "TICK_60", vec![3, 6]),
            (90.0, "TICK_3600", vec![2, 4]),
        ];
        for (interval, tick, want) in rows {
            let mut collector = Collector::new(interval, tick).expect("a tick");
            assert!(!collector.is_due("TICK_9"));
            let due: Vec<_> = (1..=6).filter(|_| collector.is_due(tick)).collect();
            assert_eq!(due[..want.len().min(due.len())], want, "{interval} {tick}");
        }
    }

    #[test]
    fn other_names_are_no_ticks() {
        for name in ["", "TICK", "TICK_", "TICK_x", "tick_5", "PROCESS_STATE"] {
            let error = Collector::new(1.0, name).expect_err(name);
            assert_eq!(
                error.to_string(),
                format!("Invalid TICK event name: {name}")
            );
        }
    }

    #[test]
    fn the_oldest_lines_go_first() {
        let mut collector = Collector::new(1.0, "TICK_60").expect("a tick");
        assert_eq!(collector.body(), None);
        for number in 0..=MOST_LINES {
            collector.add(number.to_string());
        }
        let body = collector.body().expect("lines");
        assert!(body.starts_with("1\n2\n") && body.ends_with("\n10000"));
        collector.clear();
        assert_eq!(collector.body(), None);
    }
}
