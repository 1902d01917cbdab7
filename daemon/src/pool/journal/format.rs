//! What is in a segment: bytes in, records out.
//!
//! ```text
//! segment  MAGIC record*                the first record is a Start
//! record   length:u32 checksum:u32 body
//! body     0 position:u64 poolserial:u64 serial:u64                                  Start
//!          1 position:u64 poolserial:u64 serial:u64 raised:i64 n:u8 name[n] payload  Event
//!          2 first:u64 last:u64                                                      Settled
//! ```
//!
//! Numbers are little-endian; the checksum is over the length and the body.

use thiserror::Error;

use super::crc::crc32;

/// How every segment begins; the last character is the version.
pub const MAGIC: &[u8; 16] = b"callboard pool 1";

/// Length and checksum.
const FRAME: usize = 8;

/// The first byte of a body.
const START: u8 = 0;
const EVENT: u8 = 1;
const SETTLED: u8 = 2;

/// How often the bytes of a segment are looked at, on average, to find what is behind damage.
const PATIENCE: usize = 32;

/// How long a segment is that has only just begun, in bytes.
pub const BEGINNING: u64 = MAGIC.len() as u64 + FRAME as u64 + 1 + 3 * 8;

/// What is written about a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// The numbers that come next.
    Start(Counters),
    /// An event that waits.
    Event(Entry<'a>),
    /// The events from the first to the last position need not be delivered any more.
    Settled {
        /// Position.
        first: u64,
        /// Position.
        last: u64,
    },
}

/// The numbers that the next event gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// In the order of the pool.
    pub position: u64,
    /// As listeners see it.
    pub poolserial: u64,
    /// Of the daemon.
    pub serial: u64,
}

impl Counters {
    /// Goes on behind an event.
    pub fn pass(&mut self, entry: &Entry<'_>) {
        self.raise(Self {
            position: entry.position.saturating_add(1),
            poolserial: entry.poolserial.saturating_add(1),
            serial: entry.serial.saturating_add(1),
        });
    }

    /// The greater of each.
    pub fn raise(&mut self, other: Self) {
        self.position = self.position.max(other.position);
        self.poolserial = self.poolserial.max(other.poolserial);
        self.serial = self.serial.max(other.serial);
    }
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its place in the order of the pool.
    pub position: u64,
    /// Its number in the pool.
    pub poolserial: u64,
    /// Its number in the daemon.
    pub serial: u64,
    /// When it was raised: Unix time in milliseconds.
    pub raised: i64,
    /// Name of its type.
    pub name: &'a str,
    /// Payload.
    pub payload: &'a str,
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Flaw {
    /// It is not all there.
    #[error("it ends within a record")]
    Short,
    /// It is no record.
    #[error("there is no record")]
    Damaged,
}

/// Why a file is no segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoSegment {
    /// Its creation was interrupted: there is nothing in it.
    #[error("it is empty")]
    Unborn,
    /// Something else.
    #[error("it is no file of a pool, or of another version")]
    Foreign,
}

/// Appends a record.
///
/// # Errors
/// When it is larger than 4 GiB; nothing is appended then.
pub fn encode(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME]);
    match record {
        Record::Start(counters) => {
            out.push(START);
            numbers(
                out,
                &[counters.position, counters.poolserial, counters.serial],
            );
        }
        Record::Event(entry) => {
            out.push(EVENT);
            numbers(out, &[entry.position, entry.poolserial, entry.serial]);
            out.extend_from_slice(&entry.raised.to_le_bytes());
            out.push(u8::try_from(entry.name.len()).unwrap_or(u8::MAX));
            let name = entry.name.as_bytes();
            out.extend_from_slice(&name[..name.len().min(usize::from(u8::MAX))]);
            out.extend_from_slice(entry.payload.as_bytes());
        }
        Record::Settled { first, last } => {
            out.push(SETTLED);
            numbers(out, &[*first, *last]);
        }
    }
    let Ok(length) = u32::try_from(out.len() - start - FRAME) else {
        out.truncate(start);
        return Err(TooLarge);
    };
    let length = length.to_le_bytes();
    let checksum = crc32(crc32(0, &length), &out[start + FRAME..]);
    out[start..start + 4].copy_from_slice(&length);
    out[start + 4..start + FRAME].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// A record that no segment can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an event of more than 4 GiB cannot be stored")]
pub struct TooLarge;

/// The record at the start of the bytes, and its length.
///
/// # Errors
/// [`Flaw::Short`] if more bytes may make it one.
pub fn decode(bytes: &[u8]) -> Result<(Record<'_>, usize), Flaw> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(Flaw::Short)?;
    let (checksum, rest) = rest.split_first_chunk::<4>().ok_or(Flaw::Short)?;
    let size = u32::from_le_bytes(*length) as usize;
    let body = rest.get(..size).ok_or(Flaw::Short)?;
    if crc32(crc32(0, length), body) != u32::from_le_bytes(*checksum) {
        return Err(Flaw::Damaged);
    }
    let record = Body(body).record().ok_or(Flaw::Damaged)?;
    Ok((record, FRAME + size))
}

/// How many bytes from its start a record takes, as far as its length is there.
pub fn length_of(bytes: &[u8]) -> Option<usize> {
    let (length, _) = bytes.split_first_chunk::<4>()?;
    Some(FRAME + u32::from_le_bytes(*length) as usize)
}

/// What follows the beginning of a segment.
///
/// # Errors
/// When it is none.
pub fn after_magic(bytes: &[u8]) -> Result<&[u8], NoSegment> {
    match bytes.strip_prefix(MAGIC) {
        Some(records) => Ok(records),
        None if MAGIC.starts_with(bytes) => Err(NoSegment::Unborn),
        None => Err(NoSegment::Foreign),
    }
}

/// What is found in a segment behind its beginning, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// So many bytes that are none, or those of records that are damaged.
    Gap(Gap),
}

/// Bytes that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Why the first of them begins no record.
    pub flaw: Flaw,
    /// How many there are.
    pub bytes: usize,
    /// There is a record behind them.
    pub is_inside: bool,
    /// They begin as an event does.
    pub was_event: bool,
}

/// Reads records, also behind damage: from there on the next bytes count that make a record.
#[derive(Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    /// How many bytes may still be looked at in vain, so that no file takes for ever.
    patience: usize,
}

impl<'a> Records<'a> {
    /// The records in these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            patience: bytes.len().saturating_mul(PATIENCE),
        }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Where the next record is, behind what is none. One whose length is right is left out as a
    /// whole: what is in an event may look like a record.
    fn find(&mut self) -> Option<usize> {
        let whole = length_of(self.rest).filter(|length| self.is_record(*length));
        whole.or_else(|| (1..self.rest.len()).find(|at| self.is_record(*at)))
    }

    fn is_record(&mut self, at: usize) -> bool {
        let Some(bytes) = self.rest.get(at..).filter(|bytes| may_be_record(bytes)) else {
            return false;
        };
        let size = length_of(bytes).unwrap_or(bytes.len());
        match self.patience.checked_sub(size) {
            Some(left) => self.patience = left,
            None => return false,
        }
        decode(bytes).is_ok()
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        match decode(self.rest) {
            Ok((record, size)) => {
                self.rest = &self.rest[size..];
                Some(Item::Record(record))
            }
            Err(flaw) => {
                let found = self.find();
                let bytes = found.unwrap_or(self.rest.len());
                let gap = Gap {
                    flaw,
                    bytes,
                    is_inside: found.is_some(),
                    was_event: self.rest.get(FRAME) == Some(&EVENT),
                };
                self.rest = &self.rest[bytes..];
                Some(Item::Gap(gap))
            }
        }
    }
}

/// Kind, four numbers, and a name of one letter at least.
const LEAST_EVENT: usize = 1 + 4 * 8 + 1;

/// Whether it is worth while to compute a checksum: the kind and its least length are right, and
/// all of it is there.
fn may_be_record(bytes: &[u8]) -> bool {
    let (Some(size), Some(kind)) = (length_of(bytes), bytes.get(FRAME)) else {
        return false;
    };
    let body = size - FRAME;
    size <= bytes.len()
        && match *kind {
            START => body == 1 + 3 * 8,
            EVENT => body >= LEAST_EVENT,
            SETTLED => body == 1 + 2 * 8,
            _ => false,
        }
}

fn numbers(out: &mut Vec<u8>, numbers: &[u64]) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// What is left of a body.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn record(mut self) -> Option<Record<'a>> {
        let record = match self.byte()? {
            START => Record::Start(Counters {
                position: self.number()?,
                poolserial: self.number()?,
                serial: self.number()?,
            }),
            EVENT => Record::Event(self.entry()?),
            SETTLED => Record::Settled {
                first: self.number()?,
                last: self.number()?,
            },
            _ => return None,
        };
        self.0.is_empty().then_some(record)
    }

    fn entry(&mut self) -> Option<Entry<'a>> {
        Some(Entry {
            position: self.number()?,
            poolserial: self.number()?,
            serial: self.number()?,
            raised: self.number()?.cast_signed(),
            name: {
                let length = usize::from(self.byte()?);
                self.text(length)?
            },
            payload: self.text(self.0.len())?,
        })
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(record: &Record<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        encode(record, &mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(position: u64, poolserial: u64, serial: u64, raised: i64, payload: String) {
            let entry = Entry { position, poolserial, serial, raised, name: "TICK_5", payload: &payload };
            let counters = Counters { position, poolserial, serial };
            let settled = Record::Settled { first: position, last: serial };
            for record in [Record::Event(entry), Record::Start(counters), settled] {
                let bytes = encoded(&record);
                prop_assert_eq!(decode(&bytes), Ok((record, bytes.len())));
                prop_assert_eq!(length_of(&bytes), Some(bytes.len()));
                for cut in 0..bytes.len() {
                    prop_assert_eq!(decode(&bytes[..cut]), Err(Flaw::Short));
                }
            }
        }

        #[test]
        fn a_changed_bit_is_noticed(payload: String, at: prop::sample::Index, bit in 0u32..8) {
            let entry = Entry { position: 1, poolserial: 2, serial: 3, raised: 4, name: "EVENT", payload: &payload };
            let mut bytes = encoded(&Record::Event(entry));
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn any_bytes_may_be_read(bytes: Vec<u8>) {
            let _ = decode(&bytes);
            let _ = after_magic(&bytes);
        }
    }

    proptest! {
        /// One bad byte costs one record, whichever it is.
        #[test]
        fn records_behind_damage_are_found(sizes in prop::collection::vec(0usize..300, 1..20), at: prop::sample::Index, bit in 0u32..8) {
            let payloads: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for (position, payload) in (0..).zip(&payloads) {
                let entry = Entry { position, poolserial: 0, serial: 0, raised: 0, name: "EVENT", payload };
                encode(&Record::Event(entry), &mut bytes).unwrap();
                ends.push(bytes.len());
            }
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            let start = ends.iter().rev().find(|end| **end <= at).copied().unwrap_or(0);
            let seems = start + length_of(&bytes[start..]).unwrap();
            // A wrong length that leads to another record is taken for right.
            prop_assume!(at >= start + 4 || !ends.contains(&seems));
            let damaged = ends.iter().filter(|end| **end <= at).count() as u64;
            let mut found = Vec::new();
            let mut gaps = Vec::new();
            for item in Records::new(&bytes) {
                match item {
                    Item::Record(Record::Event(entry)) => found.push(entry.position),
                    Item::Record(_) => {}
                    Item::Gap(gap) => gaps.push(gap),
                }
            }
            let expected: Vec<u64> = (0..sizes.len() as u64).filter(|position| *position != damaged).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(gaps.len(), 1);
            prop_assert_eq!(gaps[0].is_inside, damaged + 1 < sizes.len() as u64);
        }

        #[test]
        fn every_byte_is_read_once(bytes: Vec<u8>) {
            let gaps = Records::new(&bytes).map(|item| match item {
                Item::Gap(gap) => gap.bytes,
                Item::Record(_) => 0,
            });
            prop_assert_eq!(gaps.sum::<usize>(), bytes.len());
        }
    }

    #[test]
    fn a_record_within_a_damaged_event_is_none() {
        let inner = encoded(&Record::Settled { first: 0, last: 9 });
        let payload = String::from_utf8_lossy(&inner).into_owned();
        let entry = Entry {
            position: 1,
            poolserial: 2,
            serial: 3,
            raised: 4,
            name: "EVENT",
            payload: &payload,
        };
        let mut bytes = encoded(&Record::Event(entry));
        let length = bytes.len();
        bytes[length - inner.len()..].copy_from_slice(&inner);
        let start = encoded(&Record::Start(Counters::default()));
        bytes.extend_from_slice(&start);
        let items: Vec<_> = Records::new(&bytes).collect();
        let gap = Gap {
            flaw: Flaw::Damaged,
            bytes: length,
            is_inside: true,
            was_event: true,
        };
        assert_eq!(
            items,
            [
                Item::Gap(gap),
                Item::Record(Record::Start(Counters::default()))
            ]
        );
    }

    #[test]
    fn a_search_ends_soon_in_what_looks_like_records_everywhere() {
        let mut bytes = Vec::new();
        while bytes.len() < 1 << 20 {
            bytes.extend_from_slice(&[0, 0, 8, 0, 0, 0, 0, 0, EVENT]);
        }
        assert_eq!(Records::new(&bytes).count(), 1);
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(decode(&[0; 64]), Err(Flaw::Damaged));
    }

    #[test]
    fn segments_are_known_by_their_beginning() {
        let rows = [
            ("", Err(NoSegment::Unborn)),
            ("callboard", Err(NoSegment::Unborn)),
            ("callboard pool 1", Ok("".as_bytes())),
            ("callboard pool 1x", Ok("x".as_bytes())),
            ("callboard pool 2", Err(NoSegment::Foreign)),
        ];
        for (text, expected) in rows {
            assert_eq!(after_magic(text.as_bytes()), expected);
        }
    }
}
