//! The file of dead letters: events that could not be delivered, a JSON object a line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use listener_kit::{log, unix_now};
use serde::{Deserialize, Serialize};

use crate::notice::Notice;

/// Events of one request that were not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// When they were given up, Unix seconds.
    pub(crate) failed: i64,
    /// Why.
    pub(crate) error: String,
    /// The events.
    pub(crate) events: Vec<Notice>,
}

/// The file, or the log in its stead.
#[derive(Debug, Clone)]
pub(crate) struct Letters {
    path: Option<PathBuf>,
}

impl Letters {
    /// Letters in the file of this name; without one they are lost.
    pub(crate) const fn new(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    /// Keeps the events of a request, or says in the log what is lost.
    pub(crate) fn keep(&self, notices: &[Notice], error: &str) {
        let kept = self.try_keep(notices, error);
        let count = notices.len();
        // A log that cannot be written cannot be complained about either.
        let _ = match kept {
            Ok(()) => writeln!(log(), "{count} events kept as dead letters: {error}"),
            Err(reason) => lost(notices, error, &reason),
        };
    }

    /// Keeps the events of a request.
    ///
    /// # Errors
    /// When the file cannot be written, or there is none.
    pub(crate) fn try_keep(&self, notices: &[Notice], error: &str) -> io::Result<()> {
        match &self.path {
            Some(path) => write(path, notices, error),
            None => Err(io::Error::other("there is no file for them")),
        }
    }

    /// Keeps any number of events, in letters of `batch`.
    pub(crate) fn keep_all(&self, notices: &[Notice], error: &str, batch: usize) {
        for notices in notices.chunks(batch.max(1)) {
            self.keep(notices, error);
        }
    }
}

fn lost(notices: &[Notice], error: &str, reason: &io::Error) -> io::Result<()> {
    for notice in notices {
        writeln!(log(), "lost ({error}; {reason}): {}", notice.summary())?;
    }
    Ok(())
}

fn write(path: &Path, notices: &[Notice], error: &str) -> io::Result<()> {
    let letter = Letter {
        failed: unix_now(),
        error: error.to_owned(),
        events: notices.to_vec(),
    };
    let mut line = serde_json::to_vec(&letter)?;
    line.push(b'\n');
    append(path, &line)
}

/// Adds lines to the file, on disk before this returns.
pub(crate) fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = open(path)?;
    file.lock()?;
    add(&mut file, lines)
}

/// Adds lines to a file nobody else writes to. What a crash left without a line end does not spoil them.
fn add(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_data()
}

/// Moves all lines to the end of another file, which nobody else writes to. A listener may add lines meanwhile.
pub(crate) fn move_to(path: &Path, aside: &mut File) -> io::Result<()> {
    let mut file = open(path)?;
    file.lock()?;
    let mut lines = Vec::new();
    file.read_to_end(&mut lines)?;
    add(aside, &lines)?;
    // Only what is safe on the other side is removed.
    file.set_len(0)
}

/// Opens such a file, or makes one. Only its owner may read what processes wrote.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// The lines of a file.
pub(crate) fn lines(path: &Path) -> io::Result<Vec<String>> {
    let text = fs::read(path)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;

    #[test]
    fn letters_are_lines() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("dead");
        let letters = Letters::new(Some(path.clone()));
        let notices = [notice("TICK_5", "when:5"), notice("TICK_5", "when:10")];
        letters.keep_all(&notices, "status 500", 1);
        let lines = lines(&path).expect("a file");
        let letter: Letter = serde_json::from_str(&lines[1]).expect("a letter");
        assert_eq!((lines.len(), letter.error.as_str()), (2, "status 500"));
        assert_eq!(letter.events, notices[1..]);
    }

    #[test]
    fn half_a_line_does_not_spoil_the_next() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("dead");
        fs::write(&path, "{\"fail").expect("a file");
        append(&path, b"whole\n").expect("a file");
        assert_eq!(lines(&path).expect("a file"), ["{\"fail", "whole"]);
    }

    #[test]
    fn lines_are_moved_behind_those_left_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, aside) = (dir.path().join("dead"), dir.path().join("aside"));
        append(&path, b"b\nc\n").expect("a file");
        append(&aside, b"a\n").expect("a file");
        move_to(&path, &mut open(&aside).expect("a file")).expect("files");
        assert_eq!(lines(&path).expect("a file"), Vec::<String>::new());
        assert_eq!(lines(&aside).expect("a file"), ["a", "b", "c"]);
    }

    #[test]
    fn without_a_file_events_are_lost() {
        let kept = Letters::new(None).try_keep(&[notice("TICK_5", "when:5")], "status 500");
        assert_eq!(
            kept.expect_err("no file").to_string(),
            "there is no file for them"
        );
    }
}
