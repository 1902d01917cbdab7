//! A log as server-sent events, a line each, and unfinished lines for those who ask for them.

use std::io;
use std::path::Path;

use bytes::Bytes;
use protocol::events::Channel;
use protocol::faults::FaultCode;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::params::Given;
use super::problem::Problem;
use super::source::{BEGINNING, HEARTBEAT, SIGN_OF_LIFE, write_event};
use crate::logs::changes::Follower;
use crate::logs::follow::Piece;
use crate::logs::followed::{FollowedLog, FollowedSnapshot, WhichLog};
use crate::rpc::{RpcContext, locate_log};
use crate::sys::handover::Inherited;
use crate::upgrade::Blob;

/// A line that is longer comes in pieces.
const LONGEST_LINE: usize = 64 * 1024;

/// Follows a process's log.
pub(super) async fn follow(context: &RpcContext, given: &Given) -> Result<Box<LogLines>, Problem> {
    let name = given.text("name").unwrap_or_default().to_owned();
    let channel = match given.text("channel") {
        Some("stderr") => Channel::Stderr,
        _ => Channel::Stdout,
    };
    open(context, WhichLog::of(name, channel), given).await
}

/// Follows the daemon's own log.
pub(super) async fn follow_main(
    context: &RpcContext,
    given: &Given,
) -> Result<Box<LogLines>, Problem> {
    open(context, WhichLog::Daemon, given).await
}

async fn open(
    context: &RpcContext,
    which: WhichLog,
    given: &Given,
) -> Result<Box<LogLines>, Problem> {
    let location = locate_log(context, &which).await?;
    let path = location.path.ok_or(FaultCode::NoFile.bare())?;
    let lines = LogLines::open(which, &path, given.count("tail") as u64, location.changed);
    let mut lines = lines.map_err(|_| FaultCode::NoFile.about(path.to_string_lossy()))?;
    lines.text.tells_unfinished = given.flag("unfinished");
    Ok(Box::new(lines))
}

/// A log that is followed.
#[derive(Debug)]
pub(crate) struct LogLines {
    log: FollowedLog,
    text: Lines,
    begun: bool,
    last: Instant,
}

/// Such a log for another program in this same process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LinesSnapshot {
    pub(crate) log: FollowedSnapshot,
    partial: Blob,
    is_cut: bool,
    begun: bool,
    #[serde(default)]
    tells_unfinished: bool,
    #[serde(default)]
    told: usize,
}

/// Turns pieces of a file into events.
#[derive(Debug, Default)]
struct Lines {
    /// A line whose end is not there yet.
    partial: Vec<u8>,
    /// The first line has begun before.
    is_cut: bool,
    /// Somebody wants to see lines before their end is there.
    tells_unfinished: bool,
    /// Bytes of `partial` that have been told.
    told: usize,
}

impl LogLines {
    fn open(which: WhichLog, path: &Path, head_start: u64, changed: Follower) -> io::Result<Self> {
        let log = FollowedLog::open(which, path, head_start, changed)?;
        Ok(Self {
            text: Lines {
                is_cut: log.file().is_within() && head_start > 0,
                ..Lines::default()
            },
            log,
            begun: false,
            last: Instant::now(),
        })
    }

    /// For another program.
    pub(super) fn snapshot(&self) -> LinesSnapshot {
        LinesSnapshot {
            log: self.log.snapshot(),
            partial: Blob(self.text.partial.clone()),
            is_cut: self.text.is_cut,
            begun: self.begun,
            tells_unfinished: self.text.tells_unfinished,
            told: self.text.told,
        }
    }

    /// Goes on where another program has left off.
    pub(super) fn resume(snapshot: LinesSnapshot, inherited: &mut Inherited) -> Option<Self> {
        Some(Self {
            log: FollowedLog::resume(snapshot.log, inherited)?,
            text: Lines {
                partial: snapshot.partial.0,
                is_cut: snapshot.is_cut,
                tells_unfinished: snapshot.tells_unfinished,
                told: snapshot.told,
            },
            begun: snapshot.begun,
            last: Instant::now(),
        })
    }

    /// The log.
    pub(super) const fn log_mut(&mut self) -> &mut FollowedLog {
        &mut self.log
    }

    /// The next piece; `None` when the file cannot be read any more.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.ready().ok()? {
                self.last = Instant::now();
                return Some(piece);
            }
            if self.last.elapsed() >= HEARTBEAT {
                self.last = Instant::now();
                return Some(SIGN_OF_LIFE);
            }
            self.log.changed().await;
        }
    }

    /// What is there.
    pub(super) fn ready(&mut self) -> io::Result<Option<Bytes>> {
        if !std::mem::replace(&mut self.begun, true) {
            return Ok(Some(BEGINNING));
        }
        let (mut buffer, mut out) = (Vec::new(), Vec::new());
        while out.is_empty() {
            match self.log.next(&mut buffer)? {
                Piece::Data => self.text.feed(&buffer, &mut out),
                Piece::Truncated | Piece::Removed => self.text.truncated(&mut out),
                Piece::Nothing => {
                    self.text.tell_unfinished(&mut out);
                    if out.is_empty() {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(out.into()))
    }
}

impl Lines {
    fn feed(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            self.partial.extend_from_slice(&piece[..end]);
            piece = &piece[end + 1..];
            self.finish(out);
        }
        self.partial.extend_from_slice(piece);
        if self.partial.len() >= LONGEST_LINE {
            self.finish(out);
        }
    }

    /// The line is complete, or too long to wait for its end.
    fn finish(&mut self, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.is_cut) {
            let line = self.partial.strip_suffix(b"\r").unwrap_or(&self.partial);
            write_event(None, &String::from_utf8_lossy(line), out);
        }
        self.forget();
    }

    /// Tells what has been added to the line whose end is not there yet. A character that is not complete waits.
    fn tell_unfinished(&mut self, out: &mut Vec<u8>) {
        let news = self.partial.get(self.told..).unwrap_or_default();
        let news = &news[..news.len() - incomplete_end(news)];
        if !self.tells_unfinished || news.is_empty() {
            return;
        }
        write_event(Some("unfinished"), &String::from_utf8_lossy(news), out);
        self.told += news.len();
        // What has been begun to be told is told to its end.
        self.is_cut = false;
    }

    fn forget(&mut self) {
        self.partial.clear();
        self.told = 0;
    }

    fn truncated(&mut self, out: &mut Vec<u8>) {
        self.forget();
        self.is_cut = false;
        write_event(Some("truncated"), "the file was emptied", out);
    }
}

/// How many bytes at the end are the beginning of a character.
fn incomplete_end(bytes: &[u8]) -> usize {
    let end = bytes
        .utf8_chunks()
        .last()
        .map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(end) {
        Err(error) if error.error_len().is_none() => end.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_lines_are_told_piece_by_piece() {
        let mut lines = Lines {
            tells_unfinished: true,
            is_cut: true,
            ..Lines::default()
        };
        let mut told = |piece: &[u8]| {
            let mut out = Vec::new();
            lines.feed(piece, &mut out);
            lines.tell_unfinished(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(told(b"rest\n"), "");
        assert_eq!(told(b"10%\r2"), "event: unfinished\ndata: 10%\ndata: 2\n\n");
        assert_eq!(told(b""), "");
        // An "ü" in two pieces, and a byte that begins nothing.
        assert_eq!(told(b"\xc3"), "");
        assert_eq!(
            told(b"\xbc\xff"),
            "event: unfinished\ndata: \u{fc}\u{fffd}\n\n"
        );
        assert_eq!(
            told(b"!\nnext"),
            "data: 10%\ndata: 2\u{fc}\u{fffd}!\n\nevent: unfinished\ndata: next\n\n"
        );
        let mut out = Vec::new();
        lines.truncated(&mut out);
        lines.tell_unfinished(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "event: truncated\ndata: the file was emptied\n\n"
        );
    }

    #[test]
    fn only_characters_that_begin_are_incomplete() {
        let rows: [(&[u8], usize); 6] = [
            (b"", 0),
            (b"a", 0),
            (b"a\xc3", 1),
            (b"\xe2\x82", 2),
            (b"\xff", 0),
            ("\u{fc}".as_bytes(), 0),
        ];
        for (bytes, expected) in rows {
            assert_eq!(incomplete_end(bytes), expected, "{bytes:?}");
        }
    }

    fn fed(pieces: &[&str], is_cut: bool) -> String {
        let mut lines = Lines {
            is_cut,
            ..Lines::default()
        };
        let mut out = Vec::new();
        pieces
            .iter()
            .for_each(|piece| lines.feed(piece.as_bytes(), &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_put_together() {
        assert_eq!(
            fed(&["a", "b\r\nc\n", "d"], false),
            "data: ab\n\ndata: c\n\n"
        );
        assert_eq!(fed(&["rest\nwhole\n"], true), "data: whole\n\n");
        assert_eq!(fed(&["\n"], false), "data: \n\n");
    }

    #[test]
    fn endless_lines_come_in_pieces() {
        let long = "x".repeat(LONGEST_LINE + 5);
        assert!(fed(&[&long], false).starts_with("data: xxx"));
    }

    #[actix::test]
    async fn silence_is_broken_by_signs_of_life() {
        tokio::time::pause();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let changes = crate::logs::changes::Changes::default();
        let mut lines = LogLines::open(WhichLog::Daemon, &path, 5, changes.subscribe()).unwrap();
        let mut next = async || lines.next().await.unwrap();
        assert_eq!(next().await, BEGINNING);
        assert_eq!(next().await, "data: two\n\n");
        let before = Instant::now();
        assert_eq!(next().await, SIGN_OF_LIFE);
        assert_eq!(before.elapsed().as_secs(), HEARTBEAT.as_secs());
    }
}
