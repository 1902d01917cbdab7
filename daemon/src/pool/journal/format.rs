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
            out.push(0);
            numbers(
                out,
                &[counters.position, counters.poolserial, counters.serial],
            );
        }
        Record::Event(entry) => {
            out.push(1);
            numbers(out, &[entry.position, entry.poolserial, entry.serial]);
            out.extend_from_slice(&entry.raised.to_le_bytes());
            out.push(u8::try_from(entry.name.len()).unwrap_or(u8::MAX));
            let name = entry.name.as_bytes();
            out.extend_from_slice(&name[..name.len().min(usize::from(u8::MAX))]);
            out.extend_from_slice(entry.payload.as_bytes());
        }
        Record::Settled { first, last } => {
            out.push(2);
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
            0 => Record::Start(Counters {
                position: self.number()?,
                poolserial: self.number()?,
                serial: self.number()?,
            }),
            1 => Record::Event(self.entry()?),
            2 => Record::Settled {
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
