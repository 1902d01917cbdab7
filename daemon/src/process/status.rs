//! What everybody may know of a process: written by its actor alone, read by whoever answers
//! a client, without a message each.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use protocol::states::ProcessState;

use super::record::Record;

/// The published state of a process; clones share it.
#[derive(Debug, Clone)]
pub struct SharedStatus(Rc<RefCell<Status>>);

/// The published state of a process.
#[derive(Debug, Clone)]
pub struct Status {
    /// State.
    pub state: ProcessState,
    /// Pid, 0 when there is none.
    pub pid: i32,
    /// Unix time of the last start, 0 for never.
    pub start: i64,
    /// Unix time of the last end, 0 for never.
    pub stop: i64,
    /// Why the last start or run failed; empty if it did not.
    pub spawnerr: Arc<str>,
    /// Exit status of the last run, -1 after a signal, 0 if unset.
    pub exitstatus: i32,
    /// It has exited and is about to be started again.
    pub restart_due: bool,
    /// What it has been through.
    pub record: Record,
}

impl SharedStatus {
    /// A process that was never started.
    pub fn new(unset: &Arc<str>) -> Self {
        Self(Rc::new(RefCell::new(Status {
            state: ProcessState::Stopped,
            pid: 0,
            start: 0,
            stop: 0,
            spawnerr: Arc::clone(unset),
            exitstatus: 0,
            restart_due: false,
            record: Record::default(),
        })))
    }

    /// A process with a past.
    pub(super) fn resume(status: Status) -> Self {
        Self(Rc::new(RefCell::new(status)))
    }

    /// The status now.
    pub fn get(&self) -> Status {
        self.0.borrow().clone()
    }

    /// The state now.
    pub fn state(&self) -> ProcessState {
        self.0.borrow().state
    }

    /// Whether it has been started, or an attempt been made.
    pub fn was_started(&self) -> bool {
        self.0.borrow().start != 0
    }

    /// Whether there is something to stop: a process, or a start that is going to happen.
    pub fn can_stop(&self) -> bool {
        let status = self.0.borrow();
        status.state.is_running() || status.restart_due
    }

    /// Whether the last start or run has failed.
    pub fn has_spawnerr(&self) -> bool {
        !self.0.borrow().spawnerr.is_empty()
    }

    /// Changes the status; for the actor only.
    pub(super) fn update<R>(&self, change: impl FnOnce(&mut Status) -> R) -> R {
        change(&mut self.0.borrow_mut())
    }
}

impl Status {
    /// The line that `status` shows for the process, at Unix time `now`.
    pub fn description(&self, name: &str, now: i64) -> String {
        match self.state {
            ProcessState::Running => {
                let uptime = uptime(now.saturating_sub(self.start));
                format!("pid {}, uptime {uptime}", self.pid)
            }
            ProcessState::Fatal | ProcessState::Backoff if self.spawnerr.is_empty() => {
                format!("unknown error (try \"tail {name}\")")
            }
            ProcessState::Fatal | ProcessState::Backoff => self.spawnerr.to_string(),
            ProcessState::Stopped | ProcessState::Exited if self.start == 0 || self.stop == 0 => {
                "Not started".to_owned()
            }
            ProcessState::Stopped | ProcessState::Exited => local_minute(self.stop),
            ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => {
                String::new()
            }
        }
    }
}

/// Python's `str(timedelta)`: `0:00:05`, `1 day, 2:03:04`, `12 days, 0:00:00`.
fn uptime(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        _ => format!("{days} days, {clock}"),
    }
}

/// `Nov 21 11:17 AM`, local time.
fn local_minute(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()))
        .map(|time| time.strftime("%b %d %I:%M %p").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_spelled_like_a_timedelta() {
        let rows = [
            (-5, "0:00:00"),
            (5, "0:00:05"),
            (3_661, "1:01:01"),
            (86_400 + 2 * 3600 + 3 * 60 + 4, "1 day, 2:03:04"),
            (12 * 86_400, "12 days, 0:00:00"),
        ];
        for (seconds, text) in rows {
            assert_eq!(uptime(seconds), text);
        }
    }

    #[test]
    fn descriptions_follow_the_state() {
        let mut status = SharedStatus::new(&Arc::from("")).get();
        assert_eq!(status.description("x", 100), "Not started");
        status.start = 95;
        assert_eq!(status.description("x", 100), "Not started");
        status.state = ProcessState::Running;
        status.pid = 4;
        assert_eq!(status.description("x", 100), "pid 4, uptime 0:00:05");
        status.state = ProcessState::Fatal;
        assert_eq!(status.description("x", 1), "unknown error (try \"tail x\")");
        status.spawnerr = Arc::from("can't find command 'y'");
        assert_eq!(status.description("x", 1), "can't find command 'y'");
        status.state = ProcessState::Stopping;
        assert_eq!(status.description("x", 1), "");
    }
}
