//! What the segments of a pool say when they are read one after the other.

use super::format::{Counters, Flaw, NoSegment, Record, after_magic, decode};
use super::runs::Runs;

/// What was found in all segments read so far, oldest first.
#[derive(Debug, Default)]
pub struct Survey {
    /// Per segment.
    pub segments: Vec<Found>,
    /// Positions that need not be delivered any more, as far as their segments are there.
    pub settled: Runs,
    /// The numbers to go on with.
    pub counters: Counters,
    /// The position of the last event.
    last: Option<u64>,
}

/// What was found in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub number: u64,
    /// Bytes up to the first flaw.
    pub good: u64,
    /// What is behind them, if anything is.
    pub flaw: Option<Flaw>,
    /// Positions of its first and last event.
    pub span: Option<(u64, u64)>,
    /// Events that are to be delivered.
    pub unsettled: u64,
}

impl Survey {
    /// Reads the next segment.
    ///
    /// # Errors
    /// When the file is none; it counts for nothing then.
    pub fn read(&mut self, number: u64, bytes: &[u8]) -> Result<(), NoSegment> {
        let mut rest = after_magic(bytes)?;
        self.segments.push(Found {
            number,
            good: 0,
            flaw: None,
            span: None,
            unsettled: 0,
        });
        let mut flaw = None;
        while !rest.is_empty() {
            match decode(rest) {
                Ok((record, length)) => {
                    self.note(&record);
                    rest = &rest[length..];
                }
                Err(found) => {
                    flaw = Some(found);
                    break;
                }
            }
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.good = (bytes.len() - rest.len()) as u64;
            segment.flaw = flaw;
        }
        Ok(())
    }

    /// Events that are to be delivered.
    pub fn unsettled(&self) -> u64 {
        self.segments.iter().map(|segment| segment.unsettled).sum()
    }

    fn note(&mut self, record: &Record<'_>) {
        match record {
            Record::Start(counters) => self.counters.raise(*counters),
            Record::Event(entry) => {
                self.counters.pass(entry);
                if is_next(&mut self.last, entry.position)
                    && let Some(segment) = self.segments.last_mut()
                {
                    let (first, _) = segment.span.unwrap_or((entry.position, entry.position));
                    segment.span = Some((first, entry.position));
                    segment.unsettled += 1;
                }
            }
            Record::Settled { first, last } => self.settle(*first, *last),
        }
    }

    fn settle(&mut self, first: u64, last: u64) {
        for segment in &mut self.segments {
            let Some((low, high)) = segment.span else {
                continue;
            };
            let new = self.settled.insert(first.max(low), last.min(high));
            segment.unsettled = segment.unsettled.saturating_sub(new);
        }
    }
}

/// Whether an event is behind all before it; one that is not was written twice.
pub(super) fn is_next(last: &mut Option<u64>, position: u64) -> bool {
    let is_next = last.is_none_or(|last| position > last);
    if is_next {
        *last = Some(position);
    }
    is_next
}

#[cfg(test)]
mod tests {
    use super::super::format::{Entry, MAGIC, encode};
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Append(u8),
        /// The event at this place among those that wait, out of 256.
        Settle(u8),
        Roll,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => any::<u8>().prop_map(Step::Append),
            5 => (0u8..20).prop_map(Step::Settle),
            1 => Just(Step::Roll),
        ]
    }

    /// A pool's files and what they must say.
    struct Model {
        segments: Vec<Vec<u8>>,
        next: u64,
        waiting: Vec<u64>,
        /// Per record of the last segment: where it ends, and what waited when it was written.
        ends: Vec<(usize, Vec<u64>)>,
    }

    impl Model {
        fn new() -> Self {
            let mut model = Self {
                segments: Vec::new(),
                next: 0,
                waiting: Vec::new(),
                ends: Vec::new(),
            };
            model.roll();
            model
        }

        fn roll(&mut self) {
            self.segments.push(MAGIC.to_vec());
            self.ends = vec![(0, self.waiting.clone())];
            let counters = Counters {
                position: self.next,
                poolserial: self.next + 100,
                serial: self.next * 2,
            };
            self.write(&Record::Start(counters));
        }

        fn write(&mut self, record: &Record<'_>) {
            let Some(segment) = self.segments.last_mut() else {
                return;
            };
            encode(record, segment).unwrap();
            self.ends.push((segment.len(), self.waiting.clone()));
        }

        fn take(&mut self, step: Step) {
            match step {
                Step::Append(size) => {
                    let position = self.next;
                    self.next += 1;
                    self.waiting.push(position);
                    self.write(&Record::Event(Entry {
                        position,
                        poolserial: position + 100,
                        serial: position * 2,
                        raised: 0,
                        name: "TICK_5",
                        payload: &"x".repeat(size.into()),
                    }));
                }
                Step::Settle(place) if !self.waiting.is_empty() => {
                    let place = usize::from(place) % self.waiting.len();
                    let position = self.waiting.remove(place);
                    self.write(&Record::Settled {
                        first: position,
                        last: position,
                    });
                }
                Step::Settle(_) => {}
                Step::Roll => self.roll(),
            }
        }
    }

    fn survey(segments: &[Vec<u8>]) -> Survey {
        let mut survey = Survey::default();
        for (number, bytes) in (1..).zip(segments) {
            let _ = survey.read(number, bytes);
        }
        survey
    }

    /// What a reader delivers, in its order.
    fn delivered(segments: &[Vec<u8>]) -> Vec<u64> {
        let survey = survey(segments);
        let mut delivered = Vec::new();
        for bytes in segments {
            let mut rest = after_magic(bytes).unwrap_or_default();
            while let Ok((record, length)) = decode(rest) {
                if let Record::Event(entry) = record
                    && !survey.settled.contains(entry.position)
                {
                    delivered.push(entry.position);
                }
                rest = &rest[length..];
            }
        }
        delivered
    }

    proptest! {
        /// Whatever was written, and wherever the last write was cut off: what waited at the last
        /// whole record is found, in order, and no number is given twice.
        #[test]
        fn nothing_unsettled_is_lost(
            steps in prop::collection::vec(step(), 0..120),
            cut: prop::sample::Index,
            garbage in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut model = Model::new();
            for step in steps {
                model.take(step);
            }
            let mut segments = model.segments.clone();
            let last = segments.last_mut().unwrap();
            let cut = cut.index(last.len() + 1);
            last.truncate(cut);
            let whole = model.ends.iter().rev().find(|(end, _)| *end <= cut).unwrap();
            if cut >= MAGIC.len() {
                // What a crash of the machine may leave behind a write.
                last.extend_from_slice(&garbage);
            }
            let survey = survey(&segments);
            prop_assert_eq!(&delivered(&segments), &whole.1);
            prop_assert_eq!(survey.unsettled(), whole.1.len() as u64);
            let beyond = whole.1.iter().max().map_or(0, |position| position + 1);
            prop_assert!(survey.counters.position >= beyond);
            prop_assert!(survey.counters.poolserial >= beyond);
        }

        #[test]
        fn any_bytes_may_be_a_segment(records: Vec<u8>, settled in prop::collection::vec((any::<u64>(), any::<u64>()), 0..4)) {
            let mut bytes = MAGIC.to_vec();
            for (first, last) in settled {
                encode(&Record::Settled { first, last }, &mut bytes).unwrap();
            }
            bytes.extend_from_slice(&records);
            let mut survey = Survey::default();
            prop_assert_eq!(survey.read(1, &bytes), Ok(()));
            prop_assert_eq!(survey.unsettled(), 0);
        }
    }

    #[test]
    fn the_first_flaw_ends_a_segment_and_is_told() {
        let mut model = Model::new();
        model.take(Step::Append(3));
        let good = model.segments[0].len() as u64;
        model.segments[0].extend_from_slice(&[7; 3]);
        model.take(Step::Roll);
        model.take(Step::Append(3));
        let survey = survey(&model.segments);
        let flaws: Vec<_> = survey
            .segments
            .iter()
            .map(|found| (found.good, found.flaw))
            .collect();
        assert_eq!(flaws[0], (good, Some(Flaw::Short)));
        assert_eq!(flaws[1].1, None);
        assert_eq!(survey.unsettled(), 2);
    }
}
