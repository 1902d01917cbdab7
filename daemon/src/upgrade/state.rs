//! The document that one daemon leaves for the next.
//!
//! JSON, so that either may be the newer: fields that are unknown are passed over, fields added
//! later need `#[serde(default)]`. What an older version could misunderstand needs a higher
//! [`FORMAT`], which older versions refuse.

use std::collections::HashMap;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::VERSION;
use crate::bus::snapshot::BusSnapshot;
use crate::http::{ConnectionSnapshot, ServerSnapshot};
use crate::logs::activity::Unsent;
use crate::process::fcgi::Found;
use crate::supervisor::snapshot::SupervisorSnapshot;

/// What every such document begins with.
const MAGIC: &str = "callboard state";

/// The newest format that this version can read, and the one it writes.
pub const FORMAT: u32 = 1;

/// Everything there is to hand over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The program as it is installed.
    pub program: PathBuf,
    /// What relative paths mean.
    pub start_dir: PathBuf,
    /// When everything came to rest, since the epoch.
    pub begun: Duration,
    /// How many upgrades were tried before.
    pub upgrades: u64,
    /// The groups and their processes.
    pub supervisor: SupervisorSnapshot,
    /// Numbers and ticks.
    pub bus: BusSnapshot,
    /// What readers of the activity log have not taken.
    pub log: Unsent,
    /// Listening sockets, in the order of the configuration.
    pub servers: Vec<ServerSnapshot>,
    /// Connections to them.
    #[serde(default)]
    pub connections: Vec<ConnectionSnapshot>,
    /// Hosts of `[fcgi-program:x]` sockets.
    pub hosts: HashMap<String, Found>,
    /// Events that went with pools, by name.
    #[serde(default)]
    pub abandoned: HashMap<String, u64>,
    /// Signals that have come meanwhile.
    pub signals: Vec<i32>,
    /// The pidfile is ours.
    pub pidfile: bool,
    /// The line to the keeper.
    #[serde(default)]
    pub keeper: Option<RawFd>,
}

/// Why a document is of no use.
#[derive(Debug, Error)]
pub enum StateError {
    /// It is something else.
    #[error("this is no state of a daemon: {0}")]
    Foreign(serde_json::Error),
    /// It is something else, though similar.
    #[error("this is no state of a daemon")]
    Magic,
    /// It comes from a later version.
    #[error(
        "the state is of format {format}, written by version {version}; version {VERSION} reads formats up to {FORMAT}"
    )]
    TooNew {
        /// Its format.
        format: u32,
        /// Who has written it.
        version: String,
    },
    /// Something in it is missing or makes no sense.
    #[error("the state, written by version {version}, cannot be read: {error}")]
    Unreadable {
        /// Who has written it.
        version: String,
        /// What is wrong.
        error: serde_json::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    magic: String,
    format: u32,
    version: String,
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    header: Header,
    state: &'a State,
}

#[derive(Deserialize)]
struct Body {
    state: State,
}

impl State {
    /// The document.
    ///
    /// # Errors
    /// There is a path in it that is not UTF-8.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        let header = Header {
            magic: MAGIC.to_owned(),
            format: FORMAT,
            version: VERSION.to_owned(),
        };
        serde_json::to_vec(&Written {
            header,
            state: self,
        })
    }

    /// Reads a document; with it comes the version that has written it.
    ///
    /// # Errors
    /// It is none, or one of a later format.
    pub fn read(document: &[u8]) -> Result<(Self, String), StateError> {
        let header: Header = serde_json::from_slice(document).map_err(StateError::Foreign)?;
        let Header {
            magic,
            format,
            version,
        } = header;
        if magic != MAGIC {
            return Err(StateError::Magic);
        }
        if format > FORMAT {
            return Err(StateError::TooNew { format, version });
        }
        match serde_json::from_slice::<Body>(document) {
            Ok(body) => Ok((body.state, version)),
            Err(error) => Err(StateError::Unreadable { version, error }),
        }
    }

    /// The descriptors that must stay open.
    pub fn descriptors(&self) -> Vec<RawFd> {
        let servers = self.servers.iter().map(|server| server.fd);
        let connections = self.connections.iter();
        let connections = connections.flat_map(ConnectionSnapshot::descriptors);
        let descriptors = self.supervisor.descriptors().chain(servers);
        let descriptors = descriptors.chain(connections);
        descriptors.chain(self.keeper).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(document: &str) -> String {
        State::read(document.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        let header = |magic: &str, format: u32| {
            format!(
                r#"{{"magic":"{magic}","format":{format},"version":"9.1","new":[],"state":{{}}}}"#
            )
        };
        assert!(refusal("").starts_with("this is no state of a daemon: "));
        assert!(refusal("{}").starts_with("this is no state of a daemon: "));
        assert_eq!(refusal(&header("x", 1)), "this is no state of a daemon");
        let too_new = refusal(&header(MAGIC, FORMAT + 1));
        assert!(too_new.starts_with("the state is of format 2, written by version 9.1; "));
        let unreadable = refusal(&header(MAGIC, FORMAT));
        let start = "the state, written by version 9.1, cannot be read: missing field `program`";
        assert!(unreadable.starts_with(start), "{unreadable}");
    }

    /// The first state that was ever written can be read by every version to come.
    #[test]
    fn the_first_format_is_read_for_ever() {
        let document = include_bytes!("../../tests/fixtures/state-1.json");
        let (state, version) = State::read(document).unwrap();
        assert_eq!(version, "0.1.0");
        assert_eq!(state.supervisor.children(), 4);
        assert!(state.descriptors().len() > 10);
        let (again, _) = State::read(&state.write().unwrap()).unwrap();
        assert_eq!(again.write().unwrap(), state.write().unwrap());
    }
}
