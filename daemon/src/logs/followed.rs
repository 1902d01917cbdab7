//! A log that somebody reads as it grows: its file, and the occasions to look at it.

use std::io;
use std::path::Path;
use std::time::Duration;

use protocol::events::Channel;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::changes::Follower;
use super::follow::{FileFollower, FollowerSnapshot, Piece};
use crate::sys::handover::Inherited;

/// How often a log is looked at unasked: others may rotate or truncate it.
const UNASKED: Duration = Duration::from_secs(1);

/// Whose log it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichLog {
    /// The daemon's own.
    Daemon,
    /// That of the process of this name: its standard output.
    Stdout(String),
    /// Its standard error.
    Stderr(String),
}

impl WhichLog {
    /// A log of a process.
    pub fn of(name: String, channel: Channel) -> Self {
        match channel {
            Channel::Stdout => Self::Stdout(name),
            Channel::Stderr => Self::Stderr(name),
        }
    }
}

/// A log that is followed.
#[derive(Debug)]
pub struct FollowedLog {
    which: WhichLog,
    file: FileFollower,
    /// The daemon's own signal; it falls silent when the process is removed.
    changes: Option<Follower>,
}

/// A followed log for another program in this same process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FollowedSnapshot {
    which: WhichLog,
    /// How far it has been read.
    pub file: FollowerSnapshot,
}

impl FollowedLog {
    /// Starts at the last `head_start` bytes.
    ///
    /// # Errors
    /// Those of [`FileFollower::open`].
    pub fn open(
        which: WhichLog,
        path: &Path,
        head_start: u64,
        changes: Follower,
    ) -> io::Result<Self> {
        Ok(Self {
            which,
            file: FileFollower::open(path, head_start)?,
            changes: Some(changes),
        })
    }

    /// For another program.
    pub fn snapshot(&self) -> FollowedSnapshot {
        FollowedSnapshot {
            which: self.which.clone(),
            file: self.file.snapshot(),
        }
    }

    /// Goes on where another program has left off; the file is looked at unasked until [`FollowedLog::listen`].
    pub fn resume(snapshot: FollowedSnapshot, inherited: &mut Inherited) -> Option<Self> {
        Some(Self {
            which: snapshot.which,
            file: FileFollower::resume(snapshot.file, inherited)?,
            changes: None,
        })
    }

    /// Whose log it is.
    pub const fn which(&self) -> &WhichLog {
        &self.which
    }

    /// The file.
    pub const fn file(&self) -> &FileFollower {
        &self.file
    }

    /// Takes the daemon's signal as an occasion from now on.
    pub fn listen(&mut self, changes: Follower) {
        self.changes = Some(changes);
    }

    /// Reads on, see [`FileFollower::next`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Piece> {
        self.file.next(buffer)
    }

    /// Waits for an occasion to look again. May be given up and called again.
    pub async fn changed(&mut self) {
        let Some(changes) = &mut self.changes else {
            return sleep(UNASKED).await;
        };
        if let Ok(Err(_)) = timeout(UNASKED, changes.changed()).await {
            self.changes = None;
        }
    }
}
