//! How long the keeper waits before it starts the daemon again.

use std::time::{Duration, Instant};

/// A daemon that has worked for so long is well: starting it again as often costs next to nothing.
const HEALTH: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);

/// The wait after a death: none after the first, then 1, 2, 4 ... 60 s, until one works for a while.
#[derive(Debug, Default)]
pub(super) struct Pause {
    deaths: u32,
    until: Option<Instant>,
    /// The last one did not come to work.
    has_failed: bool,
}

impl Pause {
    /// A daemon has died that had worked for so long, if it had come to work.
    pub(super) fn begin(&mut self, worked: Option<Duration>) {
        if worked.is_some_and(|worked| worked >= HEALTH) {
            self.deaths = 0;
        }
        self.until = Some(Instant::now() + wait_after(self.deaths));
        self.deaths = self.deaths.saturating_add(1);
        self.has_failed = worked.is_none();
    }

    /// Another program may fare better than the one that did not come to work.
    pub(super) fn wants_another(&self) -> bool {
        self.has_failed && self.deaths.is_multiple_of(2)
    }

    /// What is left of the wait.
    pub(super) fn left(&self) -> Duration {
        let until = self
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        until.unwrap_or_default()
    }
}

/// The wait after so many deaths in a row before this one.
fn wait_after(deaths: u32) -> Duration {
    match deaths {
        0 => Duration::ZERO,
        1..=6 => Duration::from_secs(1 << (deaths - 1)),
        _ => LONGEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows() {
        let seconds: Vec<u64> = (0..10).map(|deaths| wait_after(deaths).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn health_is_rewarded() {
        let mut pause = Pause::default();
        assert!(pause.left().is_zero());
        pause.begin(Some(Duration::ZERO));
        assert!(pause.left().is_zero());
        pause.begin(Some(Duration::ZERO));
        assert!(!pause.left().is_zero());
        pause.begin(None);
        assert!(pause.left() > HEALTH);
        pause.begin(Some(HEALTH));
        assert!(pause.left().is_zero());
    }

    #[test]
    fn another_program_is_tried_every_other_time() {
        let mut pause = Pause::default();
        pause.begin(Some(HEALTH));
        assert!(!pause.wants_another());
        let tried: Vec<bool> = (0..4)
            .map(|_| {
                pause.begin(None);
                pause.wants_another()
            })
            .collect();
        assert_eq!(tried, [true, false, true, false]);
    }
}
