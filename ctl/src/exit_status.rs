//! Exit statuses, after the Linux Standard Base's for init scripts.

use std::process::ExitCode;

/// What the process exits with. The last problem decides; a success never takes one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// No problem.
    Success = 0,
    /// Unknown names, bad arguments, most refusals.
    Failed = 1,
    /// `start` without a name, or of a group that does not exist.
    BadArguments = 2,
    /// `status`: a process is STOPPED, EXITED, FATAL or UNKNOWN. Otherwise: the server lacks the `supervisor`
    /// namespace.
    NotAllRunning = 3,
    /// `status`: unknown name or unreachable server. Otherwise: the server refuses connections.
    Unknown = 4,
    /// The server speaks another version of the API.
    WrongVersion = 5,
    /// A process does not run, or there is no socket.
    NotRunning = 7,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
