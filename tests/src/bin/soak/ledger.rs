//! What a program says it has done: a file for each program, a slot for each of its runs.
//!
//! A slot is brought up to date after each write, so when its program is killed it is behind by one write at most.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process;

use crate::stream::Channel;

/// The directory of ledgers, below the daemon's.
pub(crate) const DIRECTORY: &str = "ledger";

const SLOT: u64 = 48;

/// A run of a program.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its process.
    pub(crate) pid: u64,
    /// Bytes written to standard output and to standard error, at least.
    pub(crate) bytes: [u64; 2],
    /// Messages between capture tokens, at least.
    pub(crate) messages: u64,
    /// What it was about to exit with; nothing if it was killed.
    pub(crate) code: Option<u64>,
}

/// The slot of the run that writes it.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: File,
    /// How often the program was started before.
    pub(crate) run: u64,
}

impl Ledger {
    /// Takes the next slot.
    pub(crate) fn open(directory: &Path, name: &str) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(directory.join(name))?;
        let run = file.metadata()?.len().div_ceil(SLOT);
        let ledger = Self { file, run };
        // The whole slot is there from the beginning.
        ledger.put(5, 0)?;
        ledger.put(0, process::id().into())?;
        Ok(ledger)
    }

    /// Notes how many bytes went to a channel so far.
    pub(crate) fn note_bytes(&self, channel: Channel, count: u64) -> io::Result<()> {
        self.put(1 + channel as u64, count)
    }

    /// Notes how many messages were sent so far.
    pub(crate) fn note_messages(&self, count: u64) -> io::Result<()> {
        self.put(3, count)
    }

    /// Notes what the run is about to exit with.
    pub(crate) fn note_code(&self, code: u8) -> io::Result<()> {
        self.put(4, 1 + u64::from(code))
    }

    fn put(&self, field: u64, value: u64) -> io::Result<()> {
        let at = self.run * SLOT + field * 8;
        self.file.write_all_at(&value.to_le_bytes(), at)
    }
}

/// All runs of a program, in order; none if it has no ledger.
pub(crate) fn read(directory: &Path, name: &str) -> Vec<Run> {
    let bytes = fs::read(directory.join(name)).unwrap_or_default();
    let (numbers, _) = bytes.as_chunks();
    let numbers: Vec<u64> = numbers
        .iter()
        .map(|bytes| u64::from_le_bytes(*bytes))
        .collect();
    let (slots, _) = numbers.as_chunks::<{ SLOT as usize / 8 }>();
    let run = |slot: &[u64; SLOT as usize / 8]| Run {
        pid: slot[0],
        bytes: [slot[1], slot[2]],
        messages: slot[3],
        code: slot[4].checked_sub(1),
    };
    slots.iter().map(run).collect()
}

/// The programs that have a ledger.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_as_they_were_noted() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Ledger::open(directory.path(), "a").expect("it opens");
        first.note_bytes(Channel::Err, 7).expect("it is writable");
        first.note_code(0).expect("it is writable");
        let second = Ledger::open(directory.path(), "a").expect("it opens");
        second.note_bytes(Channel::Out, 9).expect("it is writable");
        second.note_messages(2).expect("it is writable");
        let pid = u64::from(process::id());
        let expected = [
            Run {
                pid,
                bytes: [0, 7],
                code: Some(0),
                ..Run::default()
            },
            Run {
                pid,
                bytes: [9, 0],
                messages: 2,
                ..Run::default()
            },
        ];
        assert_eq!(read(directory.path(), "a"), expected);
        assert_eq!(names(directory.path()), ["a"]);
        assert!(read(directory.path(), "b").is_empty());
    }
}
