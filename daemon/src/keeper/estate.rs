//! What the records say, and the state that a successor makes of them.
//!
//! A record is JSON, so that either side may be the newer, as with `upgrade::state`: fields that are
//! unknown are passed over, fields added later need `#[serde(default)]`, and what an older version
//! could misunderstand needs a higher [`FORMAT`].

use std::collections::HashMap;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::time::Duration;

use config::model::Config;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bus::snapshot::BusSnapshot;
use crate::http::ServerSnapshot;
use crate::logs::activity::Unsent;
use crate::process::fcgi::Found;
use crate::process::keepsake::KeptProcess;
use crate::supervisor::keepsake::KeptGroup;
use crate::supervisor::snapshot::SupervisorSnapshot;
use crate::upgrade::VERSION;
use crate::upgrade::state::State;

/// The newest format that this version can read, and the one it writes.
const FORMAT: u32 = 1;

/// The key of [`KeptDaemon`].
pub const DAEMON: &[u8] = b"daemon";

/// The key of the configuration most recently read.
pub const CONFIG: &[u8] = b"config";

/// The key of the first number that may be given to an event.
pub const SERIAL: &[u8] = b"serial";

const GROUP: &[u8] = b"group\0";

const PROCESS: &[u8] = b"process\0";

/// The key of a group.
pub fn group_key(name: &str) -> Vec<u8> {
    [GROUP, name.as_bytes()].concat()
}

/// The key of a process.
pub fn process_key(group: &str, name: &str) -> Vec<u8> {
    [PROCESS, group.as_bytes(), b"\0", name.as_bytes()].concat()
}

/// The daemon but for its groups; its descriptors are those of the servers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptDaemon {
    format: u32,
    version: String,
    /// The program as it is installed.
    program: PathBuf,
    /// How many upgrades were tried.
    #[serde(default)]
    upgrades: u64,
    servers: Vec<ServerSnapshot>,
    /// Hosts of `[fcgi-program:x]` sockets.
    #[serde(default)]
    hosts: HashMap<String, Found>,
}

/// Why a successor cannot go on.
#[derive(Debug, Error)]
pub enum EstateError {
    /// A record that there has to be is not there: the daemon had not come to work.
    #[error("the record of the {0} is missing")]
    Missing(&'static str),
    /// A record makes no sense.
    #[error("the record of {what} cannot be read: {error}")]
    Unreadable {
        /// Which one.
        what: String,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// It comes from a later version.
    #[error("the records are of format {0}; this version reads formats up to {FORMAT}")]
    TooNew(u32),
}

/// A record: its key, its body, and the descriptors by the numbers that they have now.
pub(super) type Found3 = (Vec<u8>, Vec<u8>, Vec<RawFd>);

/// Everything there is to know of a daemon that has died.
#[derive(Default)]
pub(super) struct Estate {
    daemon: Option<KeptDaemon>,
    config: Option<Config>,
    serial: u64,
    groups: Vec<(String, KeptGroup)>,
    processes: HashMap<String, Vec<(String, KeptProcess, Vec<RawFd>)>>,
}

impl KeptDaemon {
    /// What there is to keep.
    pub fn new(
        program: PathBuf,
        upgrades: u64,
        servers: Vec<ServerSnapshot>,
        hosts: HashMap<String, Found>,
    ) -> Self {
        Self {
            format: FORMAT,
            version: VERSION.to_owned(),
            program,
            upgrades,
            servers,
            hosts,
        }
    }

    /// The descriptors, in their order.
    pub fn descriptors(&self) -> Vec<RawFd> {
        self.servers.iter().map(|server| server.fd).collect()
    }

    fn renumber(&mut self, descriptors: &[RawFd]) {
        for (server, fd) in self.servers.iter_mut().zip(descriptors) {
            server.fd = *fd;
        }
    }
}

impl Estate {
    /// Sorts records. Those that this version does not know are passed over.
    ///
    /// # Errors
    /// One of them makes no sense.
    pub(super) fn of(records: impl Iterator<Item = Found3>) -> Result<Self, EstateError> {
        let mut estate = Self::default();
        for (key, body, descriptors) in records {
            estate.take(&key, &body, descriptors)?;
        }
        estate.groups.sort_by_key(|(_, group)| group.order);
        Ok(estate)
    }

    fn take(
        &mut self,
        key: &[u8],
        body: &[u8],
        descriptors: Vec<RawFd>,
    ) -> Result<(), EstateError> {
        if key == DAEMON {
            let mut daemon: KeptDaemon = parse(key, body)?;
            if daemon.format > FORMAT {
                return Err(EstateError::TooNew(daemon.format));
            }
            daemon.renumber(&descriptors);
            self.daemon = Some(daemon);
        } else if key == CONFIG {
            self.config = Some(parse(key, body)?);
        } else if key == SERIAL {
            self.serial = body.try_into().map_or(0, u64::from_le_bytes);
        } else if let Some(name) = key.strip_prefix(GROUP) {
            let name = String::from_utf8_lossy(name).into_owned();
            self.groups.push((name, parse(key, body)?));
        } else if let Some(names) = key.strip_prefix(PROCESS) {
            let names = String::from_utf8_lossy(names);
            let (group, name) = names.split_once('\0').unwrap_or((&names, ""));
            let process = (name.to_owned(), parse(key, body)?, descriptors);
            let processes = self.processes.entry(group.to_owned()).or_default();
            processes.push(process);
        }
        Ok(())
    }

    /// The state to go on with at this time on the monotonic clock; with it comes the version that
    /// has left it.
    ///
    /// # Errors
    /// Something is missing.
    pub(super) fn into_state(
        mut self,
        start_dir: PathBuf,
        now: Duration,
    ) -> Result<(State, String), EstateError> {
        let daemon = self.daemon.ok_or(EstateError::Missing("daemon"))?;
        let config = self.config.ok_or(EstateError::Missing("configuration"))?;
        let groups = self.groups.into_iter().map(|(name, group)| {
            let processes = self.processes.remove(&name).unwrap_or_default();
            let members = processes.into_iter().map(|(name, process, descriptors)| {
                (name, process.into_snapshot(&descriptors, now))
            });
            group.into_snapshot(name, members.collect())
        });
        let state = State {
            program: daemon.program,
            start_dir,
            begun: Duration::ZERO,
            upgrades: daemon.upgrades,
            supervisor: SupervisorSnapshot::new(config, groups.collect()),
            bus: BusSnapshot::from_number(self.serial),
            log: Unsent::default(),
            servers: daemon.servers,
            connections: Vec::new(),
            hosts: daemon.hosts,
            abandoned: HashMap::new(),
            signals: Vec::new(),
            pidfile: false,
            keeper: None,
        };
        Ok((state, daemon.version))
    }
}

fn parse<'a, T: Deserialize<'a>>(key: &[u8], body: &'a [u8]) -> Result<T, EstateError> {
    serde_json::from_slice(body).map_err(|error| EstateError::Unreadable {
        what: String::from_utf8_lossy(key).replace('\0', " "),
        error,
    })
}
