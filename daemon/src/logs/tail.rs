//! Reading pieces of log files for clients.
//!
//! Offsets and lengths are bytes; the answer is text. Characters cut at the edges of the window are
//! dropped, other invalid bytes become U+FFFD.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use thiserror::Error;

use crate::sys::links;

/// The most bytes of a log in one answer: whole logs of the default size, but not a gigabyte at once.
/// What is left is had with the next offset.
const MOST: i64 = 64 * 1024 * 1024;

/// Why there is nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The file does not exist.
    #[error("the log does not exist")]
    NoFile,
    /// The combination of offset and length means nothing.
    #[error("offset and length do not go together")]
    BadArguments,
    /// The file cannot be read.
    #[error("the log cannot be read")]
    Failed,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The text.
    pub data: String,
    /// The size of the log: the offset to ask for next time.
    pub offset: i64,
    /// There was more than was asked for, so something is missing between this and the last tail.
    pub overflow: bool,
}

/// Reads `length` bytes from `offset`, everything up to the end if `length` is 0. A negative
/// `offset` counts from the end and allows no `length`. Of more than [`MOST`] bytes the first are
/// read, the last if counted from the end.
pub fn read(path: &Path, offset: i64, length: i64) -> Result<String, ReadError> {
    let bad = if offset < 0 { length != 0 } else { length < 0 };
    let mut file = open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => ReadError::NoFile,
        _ if bad => ReadError::BadArguments,
        _ => ReadError::Failed,
    })?;
    if bad {
        return Err(ReadError::BadArguments);
    }
    let size = size_of(&file).map_err(|_| ReadError::Failed)?;
    let start = match offset {
        ..0 => size.saturating_add(offset.max(-MOST)).max(0),
        0.. => offset.min(size),
    };
    let length = if length == 0 {
        size.saturating_sub(start)
    } else {
        length
    };
    window(&mut file, start, length.min(MOST)).map_err(|_| ReadError::Failed)
}

/// The last `length` bytes, [`MOST`] at most, of what was written since `offset`, as Supervisor
/// computes them.
///
/// Never fails: a missing or unreadable log is empty.
pub fn tail(path: &Path, offset: i64, length: i64) -> Tail {
    let nothing = |offset| Tail {
        data: String::new(),
        offset,
        overflow: false,
    };
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return nothing(0),
        Err(_) => return nothing(offset),
    };
    let Ok(size) = size_of(&file) else {
        return nothing(offset);
    };
    let (start, count, overflow) = tail_window(size, offset, length.min(MOST));
    match window(&mut file, start, count) {
        Ok(data) => Tail {
            data,
            offset: size,
            overflow,
        },
        Err(_) => nothing(offset),
    }
}

/// Start, length and overflow flag of a tail of a file of `size` bytes.
fn tail_window(size: i64, offset: i64, length: i64) -> (i64, i64, bool) {
    let end = offset.saturating_add(length);
    let overflow = size > end;
    let (start, count) = if overflow || (end > size && offset < size) {
        (size.saturating_sub(length.max(0)), length)
    } else if end > size {
        (size, 0)
    } else {
        (offset, length)
    };
    (start.max(0), count.max(0), overflow)
}

/// Opens a file, or a device that has positions, like `/dev/null`. A pipe or terminal in its place
/// has none, and would make the daemon wait.
fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let mut file = links::open(path, File::options().read(true), flags)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

fn size_of(file: &File) -> io::Result<i64> {
    Ok(i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX))
}

fn window(file: &mut File, start: i64, length: i64) -> io::Result<String> {
    let (start, length) = (start.unsigned_abs(), length.unsigned_abs());
    file.seek(SeekFrom::Start(start))?;
    let there = file.metadata()?.len().saturating_sub(start);
    let mut data = Vec::with_capacity(usize::try_from(length.min(there)).unwrap_or(0));
    file.take(length).read_to_end(&mut data)?;
    let from = if start > 0 {
        leading_fragment(&data)
    } else {
        0
    };
    data.truncate(from.max(data.len() - trailing_fragment(&data[from..])));
    data.drain(..from);
    Ok(match String::from_utf8(data) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Bytes at the start that continue a character which began before.
fn leading_fragment(data: &[u8]) -> usize {
    data.iter()
        .take(3)
        .take_while(|byte| is_continuation(**byte))
        .count()
}

/// Bytes at the end that begin a character which goes on afterwards.
fn trailing_fragment(data: &[u8]) -> usize {
    let continuations = data
        .iter()
        .rev()
        .take(3)
        .take_while(|byte| is_continuation(**byte))
        .count();
    let Some(position) = data.len().checked_sub(continuations + 1) else {
        return 0;
    };
    let complete = match data[position] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return 0,
    };
    let found = continuations + 1;
    if found < complete { found } else { 0 }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file_of(data: &[u8]) -> tempfile::TempPath {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, data).unwrap();
        path
    }

    #[test]
    fn reading_by_offset_and_length() {
        let path = file_of(b"0123456789");
        let rows = [
            (0, 0, Ok("0123456789")),
            (4, 0, Ok("456789")),
            (2, 3, Ok("234")),
            (8, 100, Ok("89")),
            (50, 0, Ok("")),
            (50, 5, Ok("")),
            (-3, 0, Ok("789")),
            (-100, 0, Ok("0123456789")),
            (i64::MIN, 0, Ok("0123456789")),
            (i64::MAX, i64::MAX, Ok("")),
            (-3, 1, Err(ReadError::BadArguments)),
            (0, -1, Err(ReadError::BadArguments)),
        ];
        for (offset, length, expected) in rows {
            let expected = expected.map(str::to_owned);
            assert_eq!(
                read(&path, offset, length),
                expected,
                "({offset}, {length})"
            );
        }
    }

    #[test]
    fn tailing_as_supervisor_does() {
        let path = file_of(b"0123456789");
        let rows = [
            (0, 4, "6789", true),
            (5, 3, "789", true),
            (8, 5, "56789", false),
            (10, 5, "", false),
            (0, 0, "", true),
            (-3, 5, "56789", true),
            (0, 10, "0123456789", false),
            (0, 100, "0123456789", false),
            (3, 7, "3456789", false),
            (-3, 13, "0123456789", false),
            (0, -5, "", true),
            (0, 1, "9", true),
            (i64::MAX, i64::MAX, "", false),
            (i64::MIN, i64::MIN, "", true),
        ];
        for (offset, length, data, overflow) in rows {
            let expected = Tail {
                data: data.into(),
                offset: 10,
                overflow,
            };
            assert_eq!(
                tail(&path, offset, length),
                expected,
                "({offset}, {length})"
            );
        }
    }

    #[test]
    fn an_answer_has_its_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(3 << 30).unwrap();
        let most = MOST.unsigned_abs() as usize;
        let rows = [(0, 0), (1, 0), (0, i64::MAX), (-(2 << 30), 0)];
        for (offset, length) in rows {
            let part = read(file.path(), offset, length).unwrap();
            assert_eq!(part.len(), most, "({offset}, {length})");
        }
        assert_eq!(read(file.path(), (3 << 30) - 5, 0).unwrap().len(), 5);
        let end = tail(file.path(), 0, 2 << 30);
        assert_eq!((end.data.len(), end.offset), (most, 3 << 30));
        assert!(end.overflow);
    }

    #[test]
    fn missing_and_unreadable_logs() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let nothing = |offset| Tail {
            data: String::new(),
            offset,
            overflow: false,
        };
        assert_eq!(read(&missing, 0, 0), Err(ReadError::NoFile));
        assert_eq!(read(&missing, -1, 7), Err(ReadError::NoFile));
        assert_eq!(tail(&missing, 7, 7), nothing(0));
        assert_eq!(read(directory.path(), 0, 0), Err(ReadError::Failed));
        assert_eq!(tail(directory.path(), 7, 7), nothing(7));
        let fifo = directory.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(&fifo, 0, 0), Err(ReadError::Failed));
    }

    #[test]
    fn cut_characters_are_dropped_and_invalid_ones_replaced() {
        let path = file_of("aé€😀z".as_bytes());
        let rows = [
            (0, 0, "aé€😀z"),
            (0, 2, "a"),
            (2, 0, "€😀z"),
            (4, 3, ""),
            (5, 5, "😀"),
            (8, 3, "z"),
        ];
        for (offset, length, text) in rows {
            assert_eq!(
                read(&path, offset, length).unwrap(),
                text,
                "({offset}, {length})"
            );
        }
        let path = file_of(b"\x80a\xffb\xc3");
        assert_eq!(read(&path, 0, 0).unwrap(), "\u{fffd}a\u{fffd}b");
    }

    proptest! {
        #[test]
        fn a_window_of_valid_text_has_no_replacement(
            text in "(a|é|€|😀){0,20}", offset in 0_i64..40, length in 1_i64..40,
        ) {
            let path = file_of(text.as_bytes());
            let part = read(&path, offset, length).unwrap();
            let is_part = text.contains(&part);
            prop_assert!(is_part, "{} of {}", part, text);
        }
    }
}
