//! How listeners are started and spoken to in this run.

use std::env;
use std::process::Command;
use std::time::Duration;

use protocol::events::EventSet;
use protocol::listener::payload_len;

use crate::conversation::Conversation;
use crate::fault::{Fault, Kind};
use crate::options::Options;
use crate::process::Process;
use crate::samples::{self, Sample};

/// The address of no supervisor.
const NOWHERE: &str = "unix:///nonexistent/supervisor.sock";

/// What a header's length counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Characters, as Supervisor does.
    Characters,
    /// Bytes, as Callboard does on demand.
    Bytes,
    /// Units of UTF-16, as nobody does.
    Units,
}

impl Count {
    /// The length of a payload.
    pub(crate) fn of(self, payload: &str) -> usize {
        match self {
            Self::Characters => payload_len(payload),
            Self::Bytes => payload.len(),
            Self::Units => payload.encode_utf16().count(),
        }
    }
}

/// A listener's command and the daemon's ways.
#[derive(Debug)]
pub(crate) struct Rig {
    command: Vec<String>,
    url: String,
    wanted: EventSet,
    /// Time for an answer.
    pub(crate) timeout: Duration,
    /// What lengths count.
    pub(crate) count: Count,
    /// An event of each type the listener gets.
    pub(crate) samples: Vec<Sample>,
}

impl Rig {
    /// The rig the options ask for.
    pub(crate) fn new(options: &Options) -> Self {
        let url = options.url.clone();
        let url = url.or_else(|| env::var("SUPERVISOR_SERVER_URL").ok());
        Self {
            command: options.command.clone(),
            url: url.unwrap_or_else(|| NOWHERE.to_owned()),
            wanted: options.events,
            timeout: options.timeout,
            count: match options.bytes {
                true => Count::Bytes,
                false => Count::Characters,
            },
            samples: samples::all(options.events),
        }
    }

    /// Starts the listener.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(&self) -> Result<Conversation, Fault> {
        self.start_counting(self.count)
    }

    /// Starts the listener for a conversation with other lengths.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start_counting(&self, count: Count) -> Result<Conversation, Fault> {
        let (program, arguments) = match self.command.split_first() {
            Some((program, arguments)) => (program.as_str(), arguments),
            None => ("", &[][..]),
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("SUPERVISOR_ENABLED", "1")
            .env("SUPERVISOR_SERVER_URL", &self.url)
            .env("SUPERVISOR_PROCESS_NAME", "listener")
            .env("SUPERVISOR_GROUP_NAME", "listener");
        match Process::start(command) {
            Ok(process) => Ok(Conversation::new(process, self.timeout, count)),
            Err(error) => {
                let mut fault = Fault::new(Kind::NotStarted);
                fault.ending = Some(error.to_string());
                Err(fault)
            }
        }
    }

    /// An event whose payload ends with this text, if the listener gets any that carry text.
    pub(crate) fn carrying(&self, text: &str) -> Option<Sample> {
        samples::carrying(text, self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_differ_by_what_they_count() {
        let text = "aé€𝄞";
        let lengths = [Count::Characters, Count::Bytes, Count::Units].map(|count| count.of(text));
        assert_eq!(lengths, [4, 10, 5]);
    }
}
