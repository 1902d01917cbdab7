//! Whatever is in the files of a pool, they are read without a panic, and every event in them is delivered or counted as
//! lost; what has been settled does not come again.
//!
//! The bytes are a script that writes records and damages them: random bytes would never have the right checksum.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};

use daemon::pool::journal::format::{Counters, Entry, MAGIC, Record, encode};
use daemon::pool::journal::survey::Survey;
use daemon::pool::journal::{Journal, Read};

/// Enough for whatever a script writes.
const MAXBYTES: u64 = 1 << 24;

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    let mut pool = Pool::default();
    let mut script = Script(script);
    while script.step(&mut pool).is_some() {}
    survey(&pool.segments);
    let directory = Directory::new();
    for (number, bytes) in (1u64..).zip(&pool.segments) {
        let path = directory.0.join(format!("events.{number:010}"));
        fs::write(path, bytes).expect("the directory is writable");
    }
    open(&directory.0.join("events"), &pool);
});

/// What a pool has written.
struct Pool {
    segments: Vec<Vec<u8>>,
    /// The position of the next event.
    next: u64,
    /// The positions of those before.
    events: Vec<u64>,
    /// The last segment has ended in something that is no record: whoever goes on does so in another one.
    is_torn: bool,
    /// It has settled nothing but its events.
    is_sane: bool,
    /// Bytes within records have changed. Where that makes one longer, it may hide others that come later.
    is_damaged: bool,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            segments: vec![MAGIC.to_vec()],
            next: 0,
            events: Vec::new(),
            is_torn: false,
            is_sane: true,
            is_damaged: false,
        }
    }
}

impl Pool {
    fn write(&mut self, record: &Record<'_>) {
        if std::mem::take(&mut self.is_torn) {
            self.roll();
        }
        let segment = self.segments.last_mut().expect("there is one");
        encode(record, segment).expect("it is small");
    }

    fn event(&mut self, size: usize) {
        let (position, payload) = (self.next, "x".repeat(size));
        self.write(&Record::Event(entry(position, &payload)));
        self.events.push(position);
        self.next += 1;
    }

    /// No daemon goes back, or gets to the end of the numbers.
    fn jump(&mut self, to: u64) {
        self.next = self.next.max(to >> 1);
    }

    fn roll(&mut self) {
        self.segments.push(MAGIC.to_vec());
        self.start();
    }

    fn start(&mut self) {
        let next = self.next;
        self.write(&Record::Start(Counters {
            position: next,
            poolserial: next,
            serial: next,
        }));
    }

    /// Settles an event and those right behind it.
    fn settle(&mut self, which: u8, most: u8) {
        let from = usize::from(which) % self.events.len().max(1);
        let Some(&first) = self.events.get(from) else {
            return;
        };
        let behind = self.events[from..]
            .iter()
            .zip(first..)
            .take(usize::from(most) + 1);
        let run = behind.take_while(|(position, expected)| *position == expected);
        let last = run.last().map_or(first, |(position, _)| *position);
        self.write(&Record::Settled { first, last });
    }
}

struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn number(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bytes))
    }

    fn step(&mut self, pool: &mut Pool) -> Option<()> {
        match self.byte()? % 10 {
            0 | 1 => pool.event(self.byte()?.into()),
            2 => pool.settle(self.byte()?, self.byte()?),
            3 => {
                let (first, last) = (self.number()?, self.number()?);
                pool.is_sane = false;
                pool.write(&Record::Settled { first, last });
            }
            4 => {
                pool.jump(self.number()?);
                pool.event(1);
            }
            5 => {
                let size = usize::from(self.byte()?).min(self.0.len());
                let (bytes, rest) = self.0.split_at(size);
                self.0 = rest;
                pool.is_torn = true;
                pool.segments.last_mut()?.extend_from_slice(bytes);
            }
            6 => {
                let (at, bits) = (usize::from(self.byte()?) * 7, self.byte()?);
                pool.is_damaged = true;
                if let Some(byte) = pool.segments.last_mut()?.get_mut(at) {
                    *byte ^= bits;
                }
            }
            7 => {
                pool.is_torn = true;
                let segment = pool.segments.last_mut()?;
                segment.truncate(segment.len().saturating_sub(self.byte()?.into()));
            }
            8 => {
                pool.jump(self.number()?);
                pool.start();
            }
            _ => pool.roll(),
        }
        Some(())
    }
}

fn entry(position: u64, payload: &str) -> Entry<'_> {
    Entry {
        position,
        poolserial: position,
        serial: position,
        raised: 0,
        name: "TICK_5",
        payload,
    }
}

/// What is found up to the end of the last record is found without what is behind it.
fn survey(segments: &[Vec<u8>]) {
    let (mut all, mut good) = (Survey::default(), Survey::default());
    for (number, bytes) in (1..).zip(segments) {
        if all.read(number, bytes).is_err() {
            continue;
        }
        let found = *all.segments.last().expect("it was read");
        let length = usize::try_from(found.good).expect("it is in memory");
        assert!(length <= bytes.len());
        assert!(good.read(number, &bytes[..length]).is_ok());
        assert_eq!(
            good.segments.last().map(|again| again.good),
            Some(found.good)
        );
    }
    let before = all.unsettled();
    let lost = all.take_lost();
    assert!(
        all.unsettled() <= before && all.take_lost() == 0,
        "{lost} were lost"
    );
}

fn open(path: &Path, pool: &Pool) {
    let Ok((mut journal, restored)) = Journal::open(path, MAXBYTES) else {
        // Something else has the name of a segment.
        return;
    };
    let (events, lost) = read_all(&mut journal);
    if !pool.is_sane {
        return;
    }
    assert_eq!(events.len() as u64 + lost, restored.events);
    assert!(events.is_sorted_by(|one, other| one < other), "{events:?}");
    for position in events {
        journal.settle(position).expect("there is room");
    }
    let next = restored.counters.position;
    journal
        .append(&entry(next, "new"), false)
        .expect("there is room");
    drop(journal);
    let (mut journal, restored) = Journal::open(path, MAXBYTES).expect("it was open before");
    let (events, _) = read_all(&mut journal);
    if !pool.is_damaged {
        assert_eq!(restored.lost, 0, "they have been counted");
        assert_eq!(events, [next]);
    }
}

/// The positions of all events, and how many could not be read.
fn read_all(journal: &mut Journal) -> (Vec<u64>, u64) {
    let (mut events, mut lost) = (Vec::new(), 0);
    while let Some(read) = journal.read_next() {
        match read {
            Read::Event(event) => events.push(event.position),
            Read::Lost(count, _) => lost += count,
        }
    }
    (events, lost)
}

/// Removed with everything in it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let path = parent.join(format!("callboard-fuzz-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the directory is writable");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What stays is in the way of nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
