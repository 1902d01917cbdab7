//! States of processes and of the daemon, with the codes clients see.

use std::fmt;

/// State of a managed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessState {
    /// Never started, or stopped on request.
    Stopped,
    /// Forked, not yet up for `startsecs`.
    Starting,
    /// Up for more than `startsecs`.
    Running,
    /// A start failed; waiting to try again.
    Backoff,
    /// Told to stop, not yet reaped.
    Stopping,
    /// Left RUNNING by itself.
    Exited,
    /// Given up.
    Fatal,
    /// Signalling it failed unexpectedly.
    Unknown,
}

impl ProcessState {
    /// Every state, in the order of the codes.
    pub const ALL: [Self; 8] = [
        Self::Stopped,
        Self::Starting,
        Self::Running,
        Self::Backoff,
        Self::Stopping,
        Self::Exited,
        Self::Fatal,
        Self::Unknown,
    ];

    /// The code of `getProcessInfo`'s `state`.
    pub const fn code(self) -> i32 {
        match self {
            Self::Stopped => 0,
            Self::Starting => 10,
            Self::Running => 20,
            Self::Backoff => 30,
            Self::Stopping => 40,
            Self::Exited => 100,
            Self::Fatal => 200,
            Self::Unknown => 1000,
        }
    }

    /// The name clients and listeners see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Backoff => "BACKOFF",
            Self::Stopping => "STOPPING",
            Self::Exited => "EXITED",
            Self::Fatal => "FATAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The state with this code.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// STARTING, RUNNING or BACKOFF: a start is refused, a stop is possible.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Backoff)
    }

    /// STOPPED, EXITED, FATAL or UNKNOWN: the group may be removed.
    pub const fn is_stopped(self) -> bool {
        matches!(
            self,
            Self::Stopped | Self::Exited | Self::Fatal | Self::Unknown
        )
    }

    /// STARTING, RUNNING or STOPPING: there is a process to signal.
    pub const fn is_signallable(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }
}

impl fmt::Display for ProcessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// State of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaemonState {
    /// Something went badly wrong; never seen in practice.
    Fatal,
    /// Working normally.
    Running,
    /// About to start afresh.
    Restarting,
    /// About to exit.
    Shutdown,
}

impl DaemonState {
    /// The code of `getState`'s `statecode`.
    pub const fn code(self) -> i32 {
        match self {
            Self::Fatal => 2,
            Self::Running => 1,
            Self::Restarting => 0,
            Self::Shutdown => -1,
        }
    }

    /// The name of `getState`'s `statename`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fatal => "FATAL",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Shutdown => "SHUTDOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back_to_the_state() {
        for state in ProcessState::ALL {
            assert_eq!(ProcessState::from_code(state.code()), Some(state));
            assert_eq!(ProcessState::from_name(state.name()), Some(state));
        }
        assert_eq!(ProcessState::from_code(1), None);
        assert_eq!(ProcessState::from_name("running"), None);
    }

    #[test]
    fn a_state_is_running_or_stopped_or_stopping() {
        for state in ProcessState::ALL {
            let stopping = state == ProcessState::Stopping;
            let sets = [state.is_running(), state.is_stopped(), stopping];
            assert_eq!(sets.into_iter().filter(|set| *set).count(), 1, "{state}");
        }
    }
}
