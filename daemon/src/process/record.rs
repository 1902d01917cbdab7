//! What a process has been through since its group was activated, for those who watch it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::lifecycle::Ending;
use crate::sys::wait::{ExitStatus, Reaped};

/// Counts of starts and ends, and the last end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Record {
    /// Children created.
    pub starts: u32,
    /// Starts that created no child.
    pub failed_starts: u32,
    /// Ends that were asked for.
    pub stopped: u32,
    /// Ends by itself with one of the `exitcodes`.
    pub expected: u32,
    /// Ends by itself with another status, or by a signal.
    pub unexpected: u32,
    /// Ends before `startsecs` were over.
    pub too_quick: u32,
    /// How it ended the last time.
    pub last_end: Option<Arc<LastEnd>>,
}

/// Why and with what a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEnd {
    /// When, in Unix time.
    pub at: i64,
    /// Exit status or signal.
    pub status: ExitStatus,
    /// What it was, as seen from the configuration and requests.
    pub cause: Cause,
    /// The most resident memory it ever had, in bytes.
    pub peak_memory: u64,
    /// CPU time it had used.
    pub cpu: Duration,
}

/// What an end was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// Asked for.
    Stopped,
    /// By itself, with one of the `exitcodes`.
    Expected,
    /// By itself, with another status, or by a signal.
    Unexpected,
    /// Before `startsecs` were over.
    TooQuick,
}

impl Cause {
    /// Its name in answers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Expected => "expected",
            Self::Unexpected => "unexpected",
            Self::TooQuick => "too_quick",
        }
    }
}

impl From<Ending> for Cause {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Stopped => Self::Stopped,
            Ending::Exited(true) => Self::Expected,
            Ending::Exited(false) => Self::Unexpected,
            Ending::TooQuick => Self::TooQuick,
        }
    }
}

impl Record {
    /// Enters the end of a child at Unix time `at`.
    pub(super) fn count_end(&mut self, ending: Ending, child: &Reaped, at: i64) {
        let cause = Cause::from(ending);
        let count = match cause {
            Cause::Stopped => &mut self.stopped,
            Cause::Expected => &mut self.expected,
            Cause::Unexpected => &mut self.unexpected,
            Cause::TooQuick => &mut self.too_quick,
        };
        *count = count.saturating_add(1);
        self.last_end = Some(Arc::new(LastEnd {
            at,
            status: child.status,
            cause,
            peak_memory: child.used.peak_memory,
            cpu: child.used.cpu,
        }));
    }

    /// The counts of ends by cause.
    pub fn ends(&self) -> [(Cause, u32); 4] {
        [
            (Cause::Stopped, self.stopped),
            (Cause::Expected, self.expected),
            (Cause::Unexpected, self.unexpected),
            (Cause::TooQuick, self.too_quick),
        ]
    }
}
