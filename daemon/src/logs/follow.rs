//! A log file that is read as it grows, over rotation, removal and truncation.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sys::handover::{Inherited, number};
use crate::sys::links;

/// The largest piece read at once.
const PIECE_BYTES: u64 = 64 * 1024;

/// Follows the file that a path leads to.
#[derive(Debug)]
pub struct FileFollower {
    path: PathBuf,
    file: File,
    id: (u64, u64),
    position: u64,
}

/// How far a file has been read, for another program in this same process. With the file itself, as the path may lead
/// to another one by then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FollowerSnapshot {
    path: PathBuf,
    /// The file.
    pub fd: RawFd,
    position: u64,
}

/// What there is to tell.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// More of the file, in the buffer.
    Data,
    /// The file has become shorter and is read from its beginning.
    Truncated,
    /// The file has been removed, and another one is read from its beginning.
    Removed,
    /// Nothing for now.
    Nothing,
}

impl FileFollower {
    /// Starts at the last `head_start` bytes, or at the beginning of a shorter file.
    ///
    /// # Errors
    /// When it cannot be opened; only regular files can be followed.
    pub fn open(path: &Path, head_start: u64) -> io::Result<Self> {
        let file = open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let position = metadata.len().saturating_sub(head_start);
        Ok(Self {
            path: path.to_owned(),
            file,
            id: id(&metadata),
            position,
        })
    }

    /// For another program.
    pub fn snapshot(&self) -> FollowerSnapshot {
        FollowerSnapshot {
            path: self.path.clone(),
            fd: number(&self.file),
            position: self.position,
        }
    }

    /// Goes on where another program has left off. `None` if the file is lost.
    pub fn resume(snapshot: FollowerSnapshot, inherited: &mut Inherited) -> Option<Self> {
        let file = File::from(inherited.claim(snapshot.fd)?);
        Some(Self {
            path: snapshot.path,
            id: id(&file.metadata().ok()?),
            file,
            position: snapshot.position,
        })
    }

    /// Whether what is read next is not the beginning of the file.
    pub const fn is_within(&self) -> bool {
        self.position > 0
    }

    /// The attributes of the file as it is now.
    ///
    /// # Errors
    /// Those of fstat(2).
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Reads on, into a buffer that is replaced. A file that was moved away is read to its end before the one that
    /// has its name now is read from the beginning.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Piece> {
        loop {
            let replaced = fs::metadata(&self.path).is_ok_and(|metadata| id(&metadata) != self.id);
            match self.read(buffer)? {
                Piece::Nothing if replaced => {
                    let is_removed = self.file.metadata()?.nlink() == 0;
                    if self.reopen()? && is_removed {
                        return Ok(Piece::Removed);
                    }
                }
                piece => return Ok(piece),
            }
        }
    }

    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Piece> {
        let size = self.file.metadata()?.len();
        if size < self.position {
            self.position = 0;
            return Ok(Piece::Truncated);
        }
        let wanted = (size - self.position).min(PIECE_BYTES);
        buffer.resize(usize::try_from(wanted).unwrap_or(0), 0);
        let count = match buffer.is_empty() {
            true => 0,
            false => self.file.read_at(buffer, self.position)?,
        };
        buffer.truncate(count);
        self.position += count as u64;
        Ok(if count == 0 {
            Piece::Nothing
        } else {
            Piece::Data
        })
    }

    /// If the new file is gone already, the old one is kept, which is told; there will be another.
    fn reopen(&mut self) -> io::Result<bool> {
        match open(&self.path) {
            Ok(file) => {
                self.id = id(&file.metadata()?);
                self.file = file;
                self.position = 0;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.id = id(&self.file.metadata()?);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// A pipe in the place of a log must not make the daemon wait.
fn open(path: &Path) -> io::Result<File> {
    links::open(path, File::options().read(true), libc::O_NONBLOCK)
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const HEAD_START: u64 = 1024;

    struct Log {
        directory: tempfile::TempDir,
        follower: FileFollower,
    }

    impl Log {
        fn holding(text: &[u8]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("log");
            fs::write(&path, text).unwrap();
            let follower = FileFollower::open(&path, HEAD_START).unwrap();
            Self {
                directory,
                follower,
            }
        }

        fn path(&self) -> PathBuf {
            self.directory.path().join("log")
        }

        fn append(&self, text: &str) {
            let mut file = File::options().append(true).open(self.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn next(&mut self) -> Result<String, Piece> {
            let mut buffer = Vec::new();
            match self.follower.next(&mut buffer).unwrap() {
                Piece::Data => Ok(String::from_utf8(buffer).unwrap()),
                other => Err(other),
            }
        }
    }

    #[test]
    fn short_files_are_read_from_the_beginning_and_long_ones_from_near_the_end() {
        for (size, length) in [
            (1, 1),
            (1023, 1023),
            (1024, 1024),
            (1025, 1024),
            (5000, 1024),
        ] {
            assert_eq!(
                Log::holding(&vec![b'x'; size]).next().unwrap().len(),
                length
            );
        }
        assert_eq!(Log::holding(b"").next(), Err(Piece::Nothing));
    }

    #[test]
    fn what_is_added_is_read() {
        let mut log = Log::holding(b"one\n");
        assert_eq!(log.next(), Ok("one\n".to_owned()));
        assert_eq!(log.next(), Err(Piece::Nothing));
        log.append("two\n");
        assert_eq!(log.next(), Ok("two\n".to_owned()));
    }

    #[test]
    fn a_moved_file_is_read_to_its_end_before_the_new_one() {
        let mut log = Log::holding(b"old\n");
        assert_eq!(log.next(), Ok("old\n".to_owned()));
        log.append("rest\n");
        fs::rename(log.path(), log.directory.path().join("log.1")).unwrap();
        fs::write(log.path(), "new\n").unwrap();
        assert_eq!(log.next(), Ok("rest\n".to_owned()));
        assert_eq!(log.next(), Ok("new\n".to_owned()));
        assert_eq!(log.next(), Err(Piece::Nothing));
    }

    #[test]
    fn a_removed_file_is_awaited() {
        let mut log = Log::holding(b"old\n");
        fs::remove_file(log.path()).unwrap();
        assert_eq!(log.next(), Ok("old\n".to_owned()));
        assert_eq!(log.next(), Err(Piece::Nothing));
        fs::write(log.path(), "new\n").unwrap();
        assert_eq!(log.next(), Err(Piece::Removed));
        assert_eq!(log.next(), Ok("new\n".to_owned()));
    }

    #[test]
    fn truncation_is_told_and_followed() {
        let mut log = Log::holding(b"a long line\n");
        assert!(log.next().is_ok());
        File::create(log.path()).unwrap();
        log.append("short\n");
        assert_eq!(log.next(), Err(Piece::Truncated));
        assert_eq!(log.next(), Ok("short\n".to_owned()));
    }

    #[test]
    fn only_regular_files_are_followed() {
        assert!(FileFollower::open(Path::new("/dev/null"), HEAD_START).is_err());
        assert!(FileFollower::open(Path::new("/nonexistent"), HEAD_START).is_err());
    }
}
