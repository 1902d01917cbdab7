//! Reads the events of the segments, oldest first, at its own pace.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::files::Files;
use super::format::{Flaw, MAGIC, decode, length_of};

/// How much is read at a time, in bytes.
const CHUNK: usize = 128 * 1024;

/// A place in the segments, and what has been read ahead of it.
#[derive(Debug)]
pub(super) struct Reader {
    number: u64,
    /// Of what comes next.
    offset: u64,
    file: Option<File>,
    /// What was read from `offset` on, beginning at `used`.
    buffer: Vec<u8>,
    used: usize,
}

/// Why a segment cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Flaw(#[from] Flaw),
    #[error("its events are not there")]
    End,
}

impl Reader {
    /// At the first record of a segment.
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            offset: MAGIC.len() as u64,
            file: None,
            buffer: Vec::new(),
            used: 0,
        }
    }

    /// The segment it is in.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Goes on at another place.
    pub(super) fn seek(&mut self, number: u64, offset: u64) {
        if number != self.number {
            self.file = None;
        }
        self.number = number;
        self.offset = offset;
        self.buffer = Vec::new();
        self.used = 0;
    }

    /// The bytes of the next record of the segment, which has this many bytes.
    pub(super) fn next(&mut self, files: &Files, length: u64) -> Result<&[u8], Unreadable> {
        if self.offset >= length {
            return Err(Unreadable::End);
        }
        let size = loop {
            let read = &self.buffer[self.used..];
            match decode(read) {
                Ok((_, size)) => break size,
                Err(Flaw::Short) => {}
                Err(flaw) => return Err(flaw.into()),
            }
            let wanted = length_of(read).unwrap_or(0).max(CHUNK);
            if !self.read(files, length, wanted)? {
                return Err(Flaw::Short.into());
            }
        };
        let start = self.used;
        self.used += size;
        self.offset += size as u64;
        Ok(&self.buffer[start..self.used])
    }

    /// What is from the next record to the end of the segment, which has this many bytes.
    pub(super) fn rest(&mut self, files: &Files, length: u64) -> io::Result<&[u8]> {
        let left = usize::try_from(length.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.read(files, length, left)?;
        Ok(&self.buffer)
    }

    /// Leaves out so many bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.seek(self.number, self.offset + bytes as u64);
    }

    /// Has at least this many bytes in the buffer, as far as they are there; whether it got more.
    fn read(&mut self, files: &Files, length: u64, wanted: usize) -> io::Result<bool> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let have = self.buffer.len();
        let left = usize::try_from(length - self.offset).unwrap_or(usize::MAX);
        self.buffer.resize(wanted.min(left).max(have), 0);
        if self.file.is_none() {
            self.file = Some(files.open(self.number)?);
        }
        let mut filled = have;
        while let Some(file) = self.file.as_ref().filter(|_| filled < self.buffer.len()) {
            let offset = self.offset + filled as u64;
            match file.read_at(&mut self.buffer[filled..], offset) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.truncate(filled);
        Ok(filled > have)
    }
}
