//! What daemon and keeper say to each other, byte for byte.
//!
//! A message is a packet: a byte that says which one it is, then its fields, numbers in little-endian
//! order. The keeper stays what it is when the daemon is upgraded, so nothing in here may ever
//! change its meaning; both sides pass over messages they do not know.

use std::os::fd::RawFd;
use std::time::Duration;

/// No message is longer, in bytes; a body that is goes as a file.
pub(super) const LONGEST: usize = 32 * 1024;

/// What the daemon tells the keeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told<'a> {
    /// A record, in place of the one of this key.
    Put(Put<'a>),
    /// There is no record of this key any more.
    Forget(&'a [u8]),
    /// There are no records any more.
    Clear,
    /// The daemon has reaped a child of its own.
    Reaped(Ending),
    /// What is to happen when the daemon dies.
    Fate(Fate, &'a [u8]),
}

/// A record on its way; its descriptors are beside the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Put<'a> {
    /// Which one.
    pub(super) key: &'a [u8],
    /// The child it is about, 0 for none.
    pub(super) pid: i32,
    /// The descriptors of the record before stay with it.
    pub(super) as_before: bool,
    /// The body is the file whose descriptor comes first.
    pub(super) in_file: bool,
    /// What a successor is to know.
    pub(super) body: &'a [u8],
}

/// How a child has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) pid: i32,
    /// As waitpid(2) reports it.
    pub(super) status: i32,
    /// In bytes.
    pub(super) peak_memory: u64,
    pub(super) cpu: Duration,
    /// When that was seen, on the monotonic clock.
    pub(super) at: Duration,
}

/// What the keeper does when the daemon has died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Dies the same way.
    Leave,
    /// Kills everything, then dies the same way.
    Kill,
    /// Stops the programs, then dies the same way.
    Finish,
    /// Stops the programs, then starts the daemon as if for the first time.
    Anew,
    /// Starts the daemon, which takes the programs over.
    Keep,
}

const PUT: u8 = 1;
const FORGET: u8 = 2;
const CLEAR: u8 = 3;
const REAPED: u8 = 4;
const FATE: u8 = 5;

const AS_BEFORE: u8 = 1;
const IN_FILE: u8 = 2;

impl Fate {
    const ALL: [Self; 5] = [
        Self::Leave,
        Self::Kill,
        Self::Finish,
        Self::Anew,
        Self::Keep,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| *fate as u8 == number)
    }
}

impl Told<'_> {
    /// The packet.
    pub(super) fn write(&self) -> Vec<u8> {
        match self {
            Self::Put(put) => {
                let flag = |set: bool, flag: u8| if set { flag } else { 0 };
                let flags = flag(put.as_before, AS_BEFORE) | flag(put.in_file, IN_FILE);
                let mut packet = vec![PUT, flags];
                packet.extend(put.pid.to_le_bytes());
                write_bytes(put.key, &mut packet);
                packet.extend(put.body);
                packet
            }
            Self::Forget(key) => [&[FORGET], *key].concat(),
            Self::Clear => vec![CLEAR],
            Self::Reaped(ending) => {
                let mut packet = vec![REAPED];
                ending.write(&mut packet);
                packet
            }
            Self::Fate(fate, note) => [&[FATE, *fate as u8], *note].concat(),
        }
    }
}

impl<'a> Told<'a> {
    /// Reads a packet. `None`: a later version has invented it.
    pub(super) fn read(packet: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(packet);
        Some(match reader.number::<1>()?[0] {
            PUT => {
                let [flags] = reader.number()?;
                Self::Put(Put {
                    pid: i32::from_le_bytes(reader.number()?),
                    as_before: flags & AS_BEFORE != 0,
                    in_file: flags & IN_FILE != 0,
                    key: reader.bytes()?,
                    body: reader.0,
                })
            }
            FORGET => Self::Forget(reader.0),
            CLEAR => Self::Clear,
            REAPED => Self::Reaped(Ending::read(&mut reader)?),
            FATE => Self::Fate(Fate::from_number(reader.number::<1>()?[0])?, reader.0),
            _ => return None,
        })
    }
}

const ENDED: u8 = 1;

impl Ending {
    /// The packet by which the keeper tells of a child that it has now.
    pub(super) fn tell(&self) -> Vec<u8> {
        let mut packet = vec![ENDED];
        self.write(&mut packet);
        packet
    }

    /// Reads such a packet. `None`: a later version has invented it.
    pub(super) fn told(packet: &[u8]) -> Option<Self> {
        let mut reader = Reader(packet);
        match reader.number()? {
            [ENDED] => Self::read(&mut reader),
            _ => None,
        }
    }

    fn write(&self, packet: &mut Vec<u8>) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        packet.extend(self.pid.to_le_bytes());
        packet.extend(self.status.to_le_bytes());
        packet.extend(self.peak_memory.to_le_bytes());
        packet.extend(micros(self.cpu).to_le_bytes());
        packet.extend(micros(self.at).to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            pid: i32::from_le_bytes(reader.number()?),
            status: i32::from_le_bytes(reader.number()?),
            peak_memory: u64::from_le_bytes(reader.number()?),
            cpu: Duration::from_micros(u64::from_le_bytes(reader.number()?)),
            at: Duration::from_micros(u64::from_le_bytes(reader.number()?)),
        })
    }
}

/// What a daemon leaves: everything a successor finds in the file it is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// The daemon that has died, and how; when that was, on the monotonic clock.
    pub(super) death: Ending,
    /// What relative paths meant at the first start.
    pub(super) start_dir: Vec<u8>,
    /// Why everything begins anew, if it does.
    pub(super) note: Vec<u8>,
    /// The records, by key.
    pub(super) records: Vec<LeftRecord>,
}

/// A record for a successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftRecord {
    pub(super) key: Vec<u8>,
    pub(super) body: LeftBody,
    pub(super) descriptors: Vec<RawFd>,
}

/// The body of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeftBody {
    Bytes(Vec<u8>),
    /// The file with this descriptor.
    File(RawFd),
}

/// The first bytes, with the number of the format.
const MAGIC: &[u8] = b"callboard estate 1\n";

impl Left {
    /// The file.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        self.death.write(&mut file);
        write_bytes(&self.start_dir, &mut file);
        write_bytes(&self.note, &mut file);
        for record in &self.records {
            write_bytes(&record.key, &mut file);
            match &record.body {
                LeftBody::Bytes(body) => {
                    file.push(0);
                    write_bytes(body, &mut file);
                }
                LeftBody::File(fd) => {
                    file.push(1);
                    file.extend(fd.to_le_bytes());
                }
            }
            let count = u16::try_from(record.descriptors.len()).unwrap_or(u16::MAX);
            file.extend(count.to_le_bytes());
            let descriptors = record.descriptors.iter().take(count.into());
            descriptors.for_each(|fd| file.extend(fd.to_le_bytes()));
        }
        file
    }

    /// Reads the file.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let mut reader = Reader(file.strip_prefix(MAGIC)?);
        let death = Ending::read(&mut reader)?;
        let start_dir = reader.bytes()?.to_vec();
        let note = reader.bytes()?.to_vec();
        let mut records = Vec::new();
        while !reader.0.is_empty() {
            records.push(LeftRecord::read(&mut reader)?);
        }
        Some(Self {
            death,
            start_dir,
            note,
            records,
        })
    }
}

impl LeftRecord {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let key = reader.bytes()?.to_vec();
        let body = match reader.number()? {
            [0] => LeftBody::Bytes(reader.bytes()?.to_vec()),
            [1] => LeftBody::File(RawFd::from_le_bytes(reader.number()?)),
            _ => return None,
        };
        let count = u16::from_le_bytes(reader.number()?);
        let descriptors = (0..count).map(|_| Some(RawFd::from_le_bytes(reader.number()?)));
        Some(Self {
            key,
            body,
            descriptors: descriptors.collect::<Option<_>>()?,
        })
    }
}

fn write_bytes(bytes: &[u8], packet: &mut Vec<u8>) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    packet.extend(length.to_le_bytes());
    packet.extend(bytes.iter().take(length as usize));
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*number)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.number()?);
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENDING: Ending = Ending {
        pid: 4711,
        status: 0x0700,
        peak_memory: 1 << 40,
        cpu: Duration::from_micros(1_234_567),
        at: Duration::from_secs(98_765),
    };

    #[test]
    fn what_is_told_is_understood() {
        let put = Put {
            key: b"process\0g\0p",
            pid: 12,
            as_before: true,
            in_file: false,
            body: b"{}",
        };
        let in_file = Put {
            as_before: false,
            in_file: true,
            body: b"",
            ..put.clone()
        };
        let mut rows = vec![
            Told::Put(put),
            Told::Put(in_file),
            Told::Forget(b"key"),
            Told::Clear,
            Told::Reaped(ENDING),
        ];
        rows.extend(Fate::ALL.map(|fate| Told::Fate(fate, b"why")));
        for told in rows {
            assert_eq!(Told::read(&told.write()), Some(told));
        }
        assert_eq!(Ending::told(&ENDING.tell()), Some(ENDING));
    }

    /// A keeper of this version has to understand every daemon to come.
    #[test]
    fn the_bytes_stay_what_they_are() {
        let put = Put {
            key: b"k",
            pid: 1,
            as_before: true,
            in_file: false,
            body: b"b",
        };
        assert_eq!(Told::Put(put).write(), b"\x01\x01\x01\0\0\0\x01\0\0\0kb");
        assert_eq!(Told::Forget(b"k").write(), b"\x02k");
        assert_eq!(Told::Clear.write(), b"\x03");
        assert_eq!(Told::Reaped(ENDING).write()[..5], *b"\x04\x67\x12\0\0");
        let fates = Fate::ALL.map(|fate| Told::Fate(fate, b"").write()[1]);
        assert_eq!(fates, [0, 1, 2, 3, 4]);
        assert_eq!(ENDING.tell().len(), 33);
    }

    #[test]
    fn what_is_left_is_found() {
        let record = |key: &[u8], body, descriptors: &[RawFd]| LeftRecord {
            key: key.to_vec(),
            body,
            descriptors: descriptors.to_vec(),
        };
        let left = Left {
            death: ENDING,
            start_dir: b"/tmp".to_vec(),
            note: Vec::new(),
            records: vec![
                record(b"a", LeftBody::Bytes(b"body".to_vec()), &[]),
                record(b"", LeftBody::File(7), &[3, 4, 5]),
            ],
        };
        let file = left.write();
        assert_eq!(Left::read(&file), Some(left));
        for end in 0..file.len() {
            let cut = Left::read(&file[..end]);
            assert!(cut.is_none_or(|cut| cut.records.len() < 2));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_any_harm(packet: Vec<u8>) {
            if let Some(told) = Told::read(&packet) {
                let again = told.write();
                prop_assert_eq!(Told::read(&again), Some(told));
            }
            let _ = Ending::told(&packet);
            let _ = Left::read(&[MAGIC, &packet].concat());
        }
    }
}
