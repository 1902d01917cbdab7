//! A log file that rotates by size.
//!
//! The rule is Supervisor's: after each write, a file of `maxbytes` or more becomes `f.1`, what was
//! `f.1` becomes `f.2`, and so on up to the number of backups; without backups it is emptied. The
//! write that crosses the limit stays whole.
//!
//! Different from Supervisor: what is not a regular file (pipe, terminal, socket) never rotates and
//! never makes the daemon wait; a file that somebody else has moved away is simply opened again; a
//! failed write is reported once and logging resumes as soon as writing works again.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::changes::Changes;
use super::stream::{Loss, Stream};
use crate::sys::links;

/// A backup of at least this many bytes is freed by a helper thread: dropping the blocks of a
/// 50 MB file takes the file system some 20 ms.
const SLOW_TO_FREE: u64 = 4 * 1024 * 1024;

/// When a log rotates and what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Size in bytes at which the file rotates; 0: never.
    pub maxbytes: u64,
    /// Rotated files that are kept; 0: the file is emptied instead.
    pub backups: u32,
}

impl Rotation {
    /// From the configuration's numbers, where nothing below zero has a meaning.
    pub fn new(maxbytes: i64, backups: i64) -> Self {
        Self {
            maxbytes: u64::try_from(maxbytes).unwrap_or(0),
            backups: u32::try_from(backups.max(0)).unwrap_or(u32::MAX),
        }
    }

    /// A file that only grows.
    pub const NEVER: Self = Self {
        maxbytes: 0,
        backups: 0,
    };
}

/// How long after a failed reopening it is tried again.
const REOPEN: Duration = Duration::from_secs(1);

/// What became of a write. Never a reason to stop; something to tell the user about.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// Written, or queued for a reader that is slow.
    Written,
    /// Writing has begun to fail: report this.
    Failed(io::Error),
    /// Still failing, already reported; the data is lost.
    StillFailing,
    /// Works again after so many bytes were lost: report this.
    Resumed {
        /// Bytes lost meanwhile.
        lost: u64,
    },
    /// Written, but rotating has begun to fail, and the file grows: report this.
    Unrotated(io::Error),
    /// Written, and rotating works again: report this.
    Rotates,
    /// Written, to the right file again after a failed [`reopen`](RotatingFile::reopen): report this.
    Reopened,
}

/// An open log: a file that rotates, or a stream.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    rotation: Rotation,
    /// Permissions of new files, before the umask.
    mode: u32,
    target: Target,
    changes: Changes,
    /// Writing fails, as has been reported.
    failing: bool,
    lost: u64,
    /// Rotating fails, as has been reported.
    unrotated: bool,
    /// The path could not be opened again, and is to be tried at this time.
    reopen_at: Option<Instant>,
}

#[derive(Debug)]
enum Target {
    File(Regular),
    Stream(Stream),
}

#[derive(Debug)]
struct Regular {
    file: File,
    /// Bytes in the file, as far as we wrote them.
    size: u64,
    /// The size that triggers the next rotation; pushed up when a rotation fails.
    rotate_at: u64,
}

impl RotatingFile {
    /// Opens for appending; a missing file is created with the permissions the umask leaves.
    ///
    /// `/dev/stdout` and its like work whatever they are, see [`Stream`]'s notes.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        Self::open_with(path, rotation, 0o666, Changes::default())
    }

    /// Like [`open`](Self::open), with the mode of new files (0600 for AUTO logs) and a change
    /// signal that others have subscribed to already.
    pub fn open_with(
        path: &Path,
        rotation: Rotation,
        mode: u32,
        changes: Changes,
    ) -> io::Result<Self> {
        let target = open_target(path, mode, rotation)?;
        let path = path.to_owned();
        Ok(Self {
            path,
            rotation,
            mode,
            target,
            changes,
            failing: false,
            lost: 0,
            unrotated: false,
            reopen_at: None,
        })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `data`, then rotates if the file has reached its size.
    pub fn write(&mut self, data: &[u8]) -> Outcome {
        if data.is_empty() {
            return Outcome::Written;
        }
        let reopened = self.reopen_if_due();
        let written = match &mut self.target {
            Target::File(regular) => regular.append(data),
            Target::Stream(stream) => stream.write(data),
        };
        self.changes.wrote(data.len());
        let rotated = self.rotate_if_due();
        match self.judge(written) {
            Outcome::Written if reopened => Outcome::Reopened,
            Outcome::Written => self.judge_rotation(rotated),
            other => other,
        }
    }

    /// A slow reader has left something in the queue: [`flush`](Self::flush) it now and then.
    pub fn has_pending(&self) -> bool {
        matches!(&self.target, Target::Stream(stream) if stream.has_pending())
    }

    /// What a slow reader has left.
    pub fn pending(&self) -> Vec<u8> {
        match &self.target {
            Target::File(_) => Vec::new(),
            Target::Stream(stream) => stream.pending(),
        }
    }

    /// Queues what another daemon could not deliver.
    pub fn resume(&mut self, pending: &[u8]) {
        if let Target::Stream(stream) = &mut self.target {
            // No more than fits: it comes from such a queue.
            let _ = stream.enqueue(pending);
        }
    }

    /// Tries again to deliver what is queued, without waiting. Every write does so, too.
    pub fn flush(&mut self) -> Outcome {
        let Target::Stream(stream) = &mut self.target else {
            return Outcome::Written;
        };
        if !stream.has_pending() {
            return Outcome::Written;
        }
        let flushed = stream.flush();
        self.judge(flushed)
    }

    /// Gives the reader of a stream until `deadline` to take what is queued. Waits.
    pub fn linger(&mut self, deadline: Instant) {
        if let Target::Stream(stream) = &mut self.target {
            stream.linger(deadline);
        }
    }

    /// Opens the path again, for a file that was moved away. A failure keeps the old file; it is
    /// tried again once a second when there is something to write.
    pub fn reopen(&mut self) -> io::Result<()> {
        if let Target::File(_) = self.target {
            self.reopen_at = Some(Instant::now() + REOPEN);
            self.target = open_target(&self.path, self.mode, self.rotation)?;
            self.reopen_at = None;
            self.changes.announce();
        }
        Ok(())
    }

    /// True if it was due and has worked.
    fn reopen_if_due(&mut self) -> bool {
        let is_due = self.reopen_at.is_some_and(|at| at <= Instant::now());
        is_due && self.reopen().is_ok()
    }

    /// Removes the file and opens a new one; backups stay. Where it may not be removed it is
    /// emptied. Streams have nothing to clear.
    pub fn clear(&mut self) -> io::Result<()> {
        if let Target::File(_) = self.target {
            let is_file = |metadata: fs::Metadata| metadata.is_file();
            let removed = match fs::symlink_metadata(&self.path).is_ok_and(is_file) {
                true => fs::remove_file(&self.path),
                false => Ok(()),
            };
            removed.or_else(|_| clear_path(&self.path))?;
        }
        self.reopen()
    }

    /// True if it was due.
    fn rotate_if_due(&mut self) -> io::Result<bool> {
        let Target::File(regular) = &mut self.target else {
            return Ok(false);
        };
        if regular.size < regular.rotate_at {
            return Ok(false);
        }
        let successor = match regular.is_still_at(&self.path) {
            true => rotate(&self.path, self.rotation, self.mode),
            false => open_regular(&self.path, self.mode, self.rotation, false),
        };
        match successor {
            Ok(successor) => *regular = successor,
            Err(error) => {
                regular.rotate_at = regular.size.saturating_add(self.rotation.maxbytes);
                return Err(error);
            }
        }
        Ok(true)
    }

    fn judge_rotation(&mut self, rotated: io::Result<bool>) -> Outcome {
        match (rotated, self.unrotated) {
            (Ok(true), true) => {
                self.unrotated = false;
                Outcome::Rotates
            }
            (Err(error), false) => {
                self.unrotated = true;
                Outcome::Unrotated(error)
            }
            (Ok(_) | Err(_), _) => Outcome::Written,
        }
    }

    fn judge(&mut self, result: Result<(), Loss>) -> Outcome {
        let result = result.map_err(|loss| {
            self.lost += loss.bytes;
            loss.error
        });
        match (result, self.failing) {
            (Ok(()), false) => Outcome::Written,
            (Ok(()), true) => {
                self.failing = false;
                Outcome::Resumed {
                    lost: std::mem::take(&mut self.lost),
                }
            }
            (Err(error), false) => {
                self.failing = true;
                Outcome::Failed(error)
            }
            (Err(_), true) => Outcome::StillFailing,
        }
    }
}

impl Regular {
    fn new(file: File, size: u64, rotation: Rotation) -> Self {
        let rotate_at = match rotation.maxbytes {
            0 => u64::MAX,
            maxbytes => maxbytes,
        };
        Self {
            file,
            size,
            rotate_at,
        }
    }

    /// Appends everything, or as much as goes.
    fn append(&mut self, data: &[u8]) -> Result<(), Loss> {
        let mut rest = data;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(Loss::new(rest.len(), ErrorKind::WriteZero)),
                Ok(written) => {
                    self.size += written as u64;
                    rest = &rest[written..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Loss::new(rest.len(), error)),
            }
        }
        Ok(())
    }

    /// Whether the path still leads to this file. If not, somebody else has rotated or removed it.
    fn is_still_at(&self, path: &Path) -> bool {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::metadata(path)) {
            (Ok(ours), Ok(theirs)) => identity(ours) == identity(theirs),
            _ => false,
        }
    }
}

/// Empties the log of a process that does not run. What is missing or no regular file (a pipe, the
/// link `/dev/stdout`) stays as it is.
pub fn clear_path(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            let mut options = OpenOptions::new();
            options.write(true).truncate(true);
            options.custom_flags(libc::O_NOFOLLOW).open(path)?;
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn open_target(path: &Path, mode: u32, rotation: Rotation) -> io::Result<Target> {
    if let Some(stream) = Stream::standard(path) {
        return stream.map(Target::Stream);
    }
    let file = open_file(path, mode, false)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        return Ok(Target::File(Regular::new(file, metadata.len(), rotation)));
    }
    Ok(Target::Stream(Stream::nonblocking(file.into())))
}

fn open_regular(path: &Path, mode: u32, rotation: Rotation, empty: bool) -> io::Result<Regular> {
    let file = open_file(path, mode, empty)?;
    let size = file.metadata()?.len();
    Ok(Regular::new(file, size, rotation))
}

/// O_NONBLOCK makes a named pipe without a reader an error instead of a hang, and means nothing
/// for regular files.
fn open_file(path: &Path, mode: u32, empty: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(mode);
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    links::open(
        path,
        &options,
        flags | if empty { libc::O_TRUNC } else { 0 },
    )
}

/// Shifts the backups and returns the new, empty file.
fn rotate(path: &Path, rotation: Rotation, mode: u32) -> io::Result<Regular> {
    if rotation.backups > 0 {
        retire(&numbered(path, rotation.backups));
        for number in (1..rotation.backups).rev() {
            shift(&numbered(path, number), &numbered(path, number + 1))?;
        }
        shift(path, &numbered(path, 1))?;
    }
    open_regular(path, mode, rotation, true)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn shift(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes the oldest backup. If that fails, the rename over it will tell.
///
/// Removed before the rename rather than by it, which would make ext4 flush the file that takes
/// the name. Held open meanwhile if it is big: the blocks are then freed by the last close, which
/// may happen on another thread.
fn retire(path: &Path) {
    let held = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(path);
    let removed = fs::remove_file(path);
    if let (Ok(file), Ok(())) = (held, removed)
        && file
            .metadata()
            .is_ok_and(|metadata| metadata.len() >= SLOW_TO_FREE)
    {
        // Without a thread the closure is dropped here, and the file with it.
        let _ = thread::Builder::new()
            .name("old log".into())
            .spawn(move || drop(file));
    }
}

#[cfg(test)]
mod tests;
