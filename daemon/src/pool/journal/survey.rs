//! What the segments of a pool say when they are read one after the other.

use super::format::{Counters, Gap, Item, NoSegment, Record, Records, after_magic};
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
    /// What makes no sense: the segment, where in it, and what.
    pub gaps: Vec<(u64, u64, Gap)>,
    /// The counters are those of a record.
    begun: bool,
    /// The position of the last event.
    last: Option<u64>,
    /// Events may be missing since the last position.
    missing: Option<Missing>,
    /// Positions whose events are not there.
    pub missed: Runs,
    /// Events that are not there, their positions unknown.
    missed_at_least: u64,
}

/// Events that may be missing, until a number tells how many they are.
#[derive(Debug, Clone, Copy)]
struct Missing {
    /// Place of the segment.
    segment: usize,
    /// Its records began with an event.
    was_event: bool,
}

/// What was found in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub number: u64,
    /// Bytes up to the end of its last record.
    pub good: u64,
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
        let mut records = Records::new(after_magic(bytes)?);
        let place = self.segments.len();
        let mut good = (bytes.len() - records.rest().len()) as u64;
        self.segments.push(Found {
            number,
            good,
            span: None,
            unsettled: 0,
        });
        while let Some(item) = records.next() {
            match item {
                Item::Record(record) => {
                    self.note(place, &record);
                    good = (bytes.len() - records.rest().len()) as u64;
                }
                Item::Gap(gap) => self.note_gap(place, number, good, gap),
            }
        }
        self.segments[place].good = good;
        Ok(())
    }

    /// Events that are to be delivered.
    pub fn unsettled(&self) -> u64 {
        self.segments.iter().map(|segment| segment.unsettled).sum()
    }

    /// There is nothing more to read: how many events are lost. What is missing counts as settled from now on. Where no
    /// number tells how many they are, it is one for each gap that began with an event.
    pub fn take_lost(&mut self) -> u64 {
        if let Some(missing) = self.missing.take() {
            self.missed_at_least += u64::from(missing.was_event);
        }
        let before = self.unsettled();
        for (first, last) in self.missed.clone().iter() {
            self.settle(first, last);
        }
        before - self.unsettled() + std::mem::take(&mut self.missed_at_least)
    }

    fn note(&mut self, place: usize, record: &Record<'_>) {
        match record {
            Record::Start(counters) => {
                self.miss_until(counters.position);
                self.counters.raise(*counters);
                self.begun = true;
            }
            Record::Event(entry) => {
                self.miss_until(entry.position);
                self.counters.pass(entry);
                self.begun = true;
                if is_next(&mut self.last, entry.position) {
                    self.add(place, entry.position, entry.position);
                }
            }
            Record::Settled { first, last } => {
                if self.last.is_none_or(|known| known < *last) {
                    // There has been such an event.
                    self.miss(*last);
                }
                self.settle(*first, *last);
            }
        }
    }

    fn note_gap(&mut self, segment: usize, number: u64, at: u64, gap: Gap) {
        self.gaps.push((number, at, gap));
        let was_event = gap.was_event;
        let missing = self.missing.get_or_insert(Missing { segment, was_event });
        missing.was_event |= was_event;
    }

    /// What was missing ends before this position.
    fn miss_until(&mut self, position: u64) {
        if self.missing.is_some()
            && let Some(last) = position.checked_sub(1)
        {
            self.miss(last);
        }
        self.missing = None;
    }

    /// What is missing reaches up to this position, at least.
    fn miss(&mut self, last: u64) {
        let Some(missing) = &mut self.missing else {
            return;
        };
        let first = self.counters.position;
        // Without any number before them nobody knows how many were missing.
        if first > last || !self.begun {
            return;
        }
        missing.was_event = false;
        let segment = missing.segment;
        self.add(segment, first, last);
        self.missed.insert(first, last);
        self.last = Some(last);
        let count = (last - first).saturating_add(1);
        self.counters.raise(Counters {
            position: last.saturating_add(1),
            poolserial: self.counters.poolserial.saturating_add(count),
            serial: self.counters.serial.saturating_add(count),
        });
    }

    /// Events of a segment that are to be delivered, behind all before them.
    fn add(&mut self, place: usize, first: u64, last: u64) {
        let Some(segment) = self.segments.get_mut(place) else {
            return;
        };
        let (low, _) = segment.span.unwrap_or((first, last));
        segment.span = Some((low, last));
        let count = (last - first).saturating_add(1);
        segment.unsettled = segment.unsettled.saturating_add(count);
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
    use super::super::format::{Entry, Flaw, MAGIC, decode, encode};
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

    /// What is lost when this record of the segment is damaged, and what is delivered.
    fn damaged(model: &Model, segment: usize, record: usize) -> (u64, u64, usize) {
        let mut segments = model.segments.clone();
        let bytes = &mut segments[segment];
        let mut rest = after_magic(bytes).unwrap();
        for _ in 0..record {
            rest = &rest[decode(rest).unwrap().1..];
        }
        // The first bit of the second number of whatever record it is.
        let at = bytes.len() - rest.len() + 17;
        bytes[at] ^= 1;
        let mut survey = survey(&segments);
        let lost = survey.take_lost();
        (lost, survey.unsettled(), survey.gaps.len())
    }

    #[test]
    fn one_bad_byte_costs_one_event() {
        let mut model = Model::new();
        for size in 0..4 {
            model.take(Step::Append(size));
        }
        model.take(Step::Settle(1));
        model.take(Step::Roll);
        model.take(Step::Append(9));
        model.take(Step::Settle(0));
        // Segment, record, events lost, events left.
        let rows = [
            (0, 0, 0, 3),
            (0, 1, 0, 3), // the first has been settled
            (0, 2, 0, 3), // the second as well
            (0, 3, 1, 2),
            (0, 4, 1, 2),
            (0, 5, 0, 4), // what was settled comes again
            (1, 0, 0, 3),
            (1, 1, 1, 2),
            (1, 2, 0, 4),
        ];
        for (segment, record, lost, left) in rows {
            let found = damaged(&model, segment, record);
            assert_eq!(found, (lost, left, 1), "{segment} {record}");
        }
    }

    #[test]
    fn a_torn_end_is_told_and_may_be_an_event() {
        let mut model = Model::new();
        model.take(Step::Append(3));
        let good = model.segments[0].len() as u64;
        model.segments[0].extend_from_slice(&[7; 3]);
        model.take(Step::Roll);
        model.take(Step::Append(3));
        model.take(Step::Append(30));
        model.segments[1].pop();
        let mut survey = survey(&model.segments);
        let gaps: Vec<_> = survey
            .gaps
            .iter()
            .map(|(number, at, gap)| (*number, *at, gap.flaw))
            .collect();
        let (_, at, _) = gaps[1];
        assert_eq!(gaps, [(1, good, Flaw::Short), (2, at, Flaw::Short)]);
        assert_eq!(
            (survey.segments[0].good, survey.segments[1].good),
            (good, at)
        );
        assert_eq!((survey.take_lost(), survey.unsettled()), (1, 2));
        assert_eq!(survey.counters.position, 2);
    }
}
