//! How fast a child writes, and what to do about it.
//!
//! Reading the moment something is there is right for programs that write now and then. A program
//! that writes little at a time without a pause in between has the daemon wake up for every few of
//! its bytes, and both sides wait for each other's lock on the pipe. Short rests help, and room in
//! the pipe so that the program need not wait meanwhile. Large writes need neither.

use std::time::{Duration, Instant};

/// For how long a pipe is left alone: the least that the event loop can wait for.
pub(super) const REST: Duration = Duration::from_millis(1);

/// Reads that follow each other within this time are hurried.
const HURRY: Duration = Duration::from_micros(300);

/// Hurried reads in a row that make a stream.
const STREAM: u16 = 32;

/// So many times as many after a rest that was too long, again and again up to [`LONGEST_STREAM`].
const CAUTION: u16 = 2;

/// With rests of a millisecond and a gigabyte per second less than a hundredth of the time is lost.
const LONGEST_STREAM: u16 = 16_384;

/// A hurried read of more than this was worth it.
const SMALL: usize = 16 * 1024;

/// A rest in which so much has come was worth it...
const WORTH_RESTING: usize = 4 * 1024;

/// ...unless it was so much that the child may have had to wait.
const MOST_IN_A_REST: usize = 768 * 1024;

/// What would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// To go on like this.
    Nothing,
    /// A larger pipe.
    Enlarge,
    /// To let something come together for [`REST`].
    Rest,
}

/// What the last reads of one pipe were like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    last: Option<Instant>,
    /// Bytes since the last rest, if there was one and the pipe has not been emptied since.
    after_rest: Option<usize>,
    /// Hurried reads in a row.
    hurried: u16,
    /// So many hurried reads make a stream.
    stream: u16,
    room: Room,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Room {
    #[default]
    Usual,
    Large,
    /// There is no more to be had.
    Refused,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            last: None,
            after_rest: None,
            hurried: 0,
            stream: STREAM,
            room: Room::Usual,
        }
    }
}

impl Pace {
    /// A read has given `count` bytes at `now`, and has left more in the pipe or has not.
    pub(super) fn note(&mut self, count: usize, more: bool, now: Instant) -> Advice {
        let gap = self.last.replace(now).map(|last| now.duration_since(last));
        if let Some(before) = self.after_rest {
            let came = before + count;
            self.after_rest = more.then_some(came);
            return match came {
                _ if more => Advice::Nothing,
                ..WORTH_RESTING => Advice::Nothing,
                WORTH_RESTING..=MOST_IN_A_REST => {
                    self.stream = STREAM;
                    self.rest()
                }
                _ => {
                    self.stream = self.stream.saturating_mul(CAUTION).min(LONGEST_STREAM);
                    Advice::Nothing
                }
            };
        }
        self.hurried = match gap {
            Some(gap) if gap < HURRY && count < SMALL => self.hurried.saturating_add(1),
            _ => 0,
        };
        let streams = self.hurried >= self.stream;
        match self.room {
            Room::Usual if streams => Advice::Enlarge,
            Room::Large if streams => self.rest(),
            Room::Usual | Room::Large | Room::Refused => Advice::Nothing,
        }
    }

    /// The pipe was enlarged, or that was not possible.
    pub(super) fn enlarged(&mut self, done: bool) {
        self.room = if done { Room::Large } else { Room::Refused };
    }

    /// Whether the pipe was enlarged.
    pub(super) fn is_large(&self) -> bool {
        self.room == Room::Large
    }

    fn rest(&mut self) -> Advice {
        self.after_rest = Some(0);
        self.hurried = 0;
        Advice::Rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds reads of (microseconds since the one before, bytes); the advice that is not to go on.
    fn advice(pace: &mut Pace, reads: impl IntoIterator<Item = (u64, usize)>) -> Vec<Advice> {
        let mut now = pace.last.unwrap_or_else(Instant::now);
        let mut given = Vec::new();
        for (gap, count) in reads {
            now += Duration::from_micros(gap);
            let one = pace.note(count, false, now);
            if one == Advice::Enlarge {
                pace.enlarged(true);
            }
            given.extend((one != Advice::Nothing).then_some(one));
        }
        given
    }

    fn times(count: usize, read: (u64, usize)) -> impl Iterator<Item = (u64, usize)> {
        std::iter::repeat_n(read, count)
    }

    #[test]
    fn whoever_writes_now_and_then_is_read_at_once() {
        let rows = [(1_000, 100), (301, 1), (20, SMALL), (50, 65_536)];
        for read in rows {
            assert_eq!(advice(&mut Pace::default(), times(1_000, read)), []);
        }
        let bursts = (0..100).flat_map(|_| times(31, (10, 100)).chain([(1_000, 100)]));
        assert_eq!(advice(&mut Pace::default(), bursts), []);
    }

    #[test]
    fn a_stream_of_small_writes_gets_rests_as_long_as_they_are_worth_it() {
        let mut pace = Pace::default();
        let begun = advice(&mut pace, times(34, (5, 100)));
        assert_eq!(begun, [Advice::Enlarge, Advice::Rest]);
        // Reads after rests, then one that found little.
        let goes_on = advice(&mut pace, times(10, (1_100, 200_000)));
        assert_eq!(goes_on, [Advice::Rest; 10]);
        assert_eq!(advice(&mut pace, [(1_100, 100), (1_100, 100)]), []);
    }

    #[test]
    fn a_rest_that_was_too_long_is_not_followed_by_another() {
        let mut pace = Pace::default();
        advice(&mut pace, times(34, (5, 100)));
        assert_eq!(advice(&mut pace, [(1_100, 1_000_000)]), []);
        let hurried = |count| times(count, (5, 100));
        assert_eq!(advice(&mut pace, hurried(63)), []);
        assert_eq!(advice(&mut pace, hurried(1)), [Advice::Rest]);
        // One that was worth it.
        advice(&mut pace, [(1_100, 10_000), (1_100, 0)]);
        assert_eq!(advice(&mut pace, hurried(32)), [Advice::Rest]);
    }

    #[test]
    fn what_comes_in_several_reads_after_a_rest_counts_as_one() {
        let mut pace = Pace::default();
        advice(&mut pace, times(34, (5, 100)));
        let now = pace.last.unwrap();
        assert_eq!(pace.note(262_144, true, now), Advice::Nothing);
        assert_eq!(pace.note(50_000, false, now), Advice::Rest);
        assert_eq!(pace.note(600_000, true, now), Advice::Nothing);
        assert_eq!(pace.note(300_000, false, now), Advice::Nothing);
    }

    #[test]
    fn without_room_there_is_no_rest() {
        let mut pace = Pace::default();
        pace.enlarged(false);
        assert_eq!(advice(&mut pace, times(1_000, (5, 100))), []);
    }
}
