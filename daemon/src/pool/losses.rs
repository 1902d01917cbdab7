//! Says in the log which events were thrown away: the first ones each, of a flood only how many.

/// So many events in a period get a line of their own.
const LINES: u64 = 10;

/// The losses of a period.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Since the period began.
    count: u64,
    last: u64,
}

/// What to do about a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reaction {
    /// Write a line about it.
    pub(super) tell: bool,
    /// A period begins: end it after a second.
    pub(super) begins: bool,
}

impl Losses {
    /// The event of this serial is lost.
    pub(super) fn note(&mut self, serial: u64) -> Reaction {
        self.count += 1;
        self.last = serial;
        Reaction {
            tell: self.count <= LINES,
            begins: self.count == 1,
        }
    }

    /// The period is over: how many got no line, and the serial of the last.
    pub(super) fn end(&mut self) -> Option<(u64, u64)> {
        let ended = std::mem::take(self);
        let untold = ended.count.saturating_sub(LINES);
        (untold > 0).then_some((untold, ended.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_summed_up() {
        let mut losses = Losses::default();
        let told: Vec<_> = (0..25).map(|serial| losses.note(serial).tell).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 10);
        assert!(told[..10].iter().all(|told| *told));
        assert_eq!(losses.end(), Some((15, 24)));
        assert_eq!(losses.end(), None);
        assert_eq!(
            losses.note(30),
            Reaction {
                tell: true,
                begins: true
            }
        );
        assert_eq!(
            losses.note(31),
            Reaction {
                tell: true,
                begins: false
            }
        );
        assert_eq!(losses.end(), None);
    }
}
