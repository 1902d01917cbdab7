//! What a pool makes of a listener's result: the handlers that `result_handler=` can name.

use std::path::Path;

use protocol::listener::{accepts, split_payload};

use crate::logs::rotate::{RotatingFile, Rotation};

/// The handler of the Python package supervisor-stdout, common in containers: its listener
/// returns the event's payload, and the handler prints it on the daemon's standard output.
const SUPERVISOR_STDOUT: &str = "supervisor_stdout:event_handler";

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Handled.
    Accepted,
    /// To be sent again.
    Rejected,
    /// The result makes no sense to the handler; the event counts as handled.
    Senseless,
}

/// A result handler.
pub(super) enum ResultHandler {
    /// `OK` accepts, everything else rejects.
    Default,
    /// Prints `process channel | data`.
    Stdout(Option<RotatingFile>),
}

impl ResultHandler {
    /// The handler of this specification; the configuration has admitted it.
    pub(super) fn of(specification: &str) -> Self {
        match specification {
            SUPERVISOR_STDOUT => {
                let stdout = RotatingFile::open(Path::new("/dev/stdout"), Rotation::NEVER);
                Self::Stdout(stdout.ok())
            }
            _ => Self::Default,
        }
    }

    pub(super) fn judge(&mut self, body: &[u8]) -> Verdict {
        match self {
            Self::Default if accepts(body) => Verdict::Accepted,
            Self::Default => Verdict::Rejected,
            Self::Stdout(stdout) => match printed(body) {
                Some(text) => {
                    if let Some(stdout) = stdout {
                        // A terminal that cannot be written has nobody to be told.
                        let _ = stdout.write(text.as_bytes());
                    }
                    Verdict::Accepted
                }
                None => Verdict::Senseless,
            },
        }
    }
}

/// A PROCESS_LOG payload as supervisor-stdout prints it.
fn printed(body: &[u8]) -> Option<String> {
    let payload = String::from_utf8_lossy(body);
    let (fields, data) = split_payload(&payload);
    let (process, channel) = (fields.get("processname")?, fields.get("channel")?);
    Some(format!("{process} {channel} | {data}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_is_accepted_by_default() {
        let mut handler = ResultHandler::of("supervisor.dispatchers:default_handler");
        assert_eq!(handler.judge(b"OK"), Verdict::Accepted);
        assert_eq!(handler.judge(b"FAIL"), Verdict::Rejected);
    }

    #[test]
    fn payloads_are_printed_with_process_and_channel() {
        let body = b"processname:web groupname:web pid:7 channel:stderr\nhi\nthere\n";
        let text = printed(body).unwrap();
        assert_eq!(text, "web stderr | hi\nthere\n");
        assert_eq!(printed(b"OK"), None);
    }
}
