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

use super::strays::Launch;
use crate::bus::Stranded;
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

const EVENT: &[u8] = b"event\0";

const GROUP: &[u8] = b"group\0";

const PROCESS: &[u8] = b"process\0";

/// The key of an event on its way.
pub fn event_key(number: u64) -> Vec<u8> {
    [EVENT, &number.to_be_bytes()].concat()
}

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
pub(super) type Entry = (Vec<u8>, Vec<u8>, Vec<RawFd>);

/// Everything there is to know of a daemon that has died.
#[derive(Default)]
pub(super) struct Estate {
    daemon: Option<KeptDaemon>,
    config: Option<Config>,
    serial: u64,
    stranded: Vec<Stranded>,
    groups: Vec<(String, KeptGroup)>,
    processes: HashMap<String, Vec<(String, KeptProcess, Vec<RawFd>)>>,
    /// What was being started.
    pub(super) launches: Vec<Launch>,
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
    pub(super) fn of(records: impl Iterator<Item = Entry>) -> Result<Self, EstateError> {
        let mut estate = Self::default();
        for (key, body, descriptors) in records {
            estate.take(&key, &body, descriptors)?;
        }
        estate.groups.sort_by_key(|(_, group)| group.order);
        estate.stranded.sort_by_key(|event| event.number);
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
        } else if let Some(number) = key.strip_prefix(EVENT) {
            let number = number.try_into().map_or(0, u64::from_be_bytes);
            self.stranded.extend(Stranded::read(number, body));
        } else if let Some(name) = key.strip_prefix(GROUP) {
            let name = String::from_utf8_lossy(name).into_owned();
            self.groups.push((name, parse(key, body)?));
        } else if let Some(names) = key.strip_prefix(PROCESS) {
            let names = String::from_utf8_lossy(names);
            let (group, name) = names.split_once('\0').unwrap_or((&names, ""));
            let process: KeptProcess = parse(key, body)?;
            self.launches.extend(process.launched().map(|at| Launch {
                group: group.to_owned(),
                process: name.to_owned(),
                at,
            }));
            let processes = self.processes.entry(group.to_owned()).or_default();
            processes.push((name.to_owned(), process, descriptors));
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
            bus: BusSnapshot::after_death(self.serial, self.stranded),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::process::snapshot::ProcessSnapshot;

    /// The records of the first state that was ever written, their descriptors numbered from 1000 on.
    fn records() -> Vec<Entry> {
        let document = include_bytes!("../../tests/fixtures/state-1.json");
        let document: Value = serde_json::from_slice(document).unwrap();
        let state = &document["state"];
        let daemon = json!({
            "format": 1, "version": "0.1.0", "program": "/usr/bin/supervisord", "servers": state["servers"], "new": 1
        });
        let serial = 2048u64.to_le_bytes().to_vec();
        let mut records = vec![
            (DAEMON.to_vec(), daemon.to_string().into_bytes()),
            (
                CONFIG.to_vec(),
                state["supervisor"]["config"].to_string().into_bytes(),
            ),
            (SERIAL.to_vec(), serial),
            (b"invented later".to_vec(), b"?".to_vec()),
        ];
        let groups = state["supervisor"]["groups"].as_array().unwrap();
        for (order, group) in groups.iter().enumerate() {
            let name = group["name"].as_str().unwrap();
            let kept =
                json!({"order": 100 - order, "identifier": "board", "config": group["config"]});
            records.push((group_key(name), kept.to_string().into_bytes()));
            for member in group["members"].as_array().unwrap() {
                let key = process_key(name, member[0].as_str().unwrap());
                let kept = json!({"taken": {"secs": 10, "nanos": 0}, "process": member[1]});
                records.push((key, kept.to_string().into_bytes()));
            }
        }
        let numbered = records.into_iter().enumerate();
        numbered
            .map(|(place, (key, body))| {
                let first = 1000 + 10 * RawFd::try_from(place).unwrap();
                (key, body, (first..first + 4).collect())
            })
            .collect()
    }

    fn state(records: Vec<Entry>) -> Result<(State, String), EstateError> {
        let now = Duration::from_secs(11);
        Estate::of(records.into_iter())?.into_state("/tmp".into(), now)
    }

    #[test]
    fn records_become_a_state() {
        let (state, version) = state(records()).unwrap();
        assert_eq!(version, "0.1.0");
        assert_eq!(state.supervisor.children(), 4);
        assert_eq!(state.bus.next_serial, 2048);
        let descriptors = state.descriptors();
        assert!(descriptors.len() > 10);
        assert!(descriptors.iter().all(|fd| *fd >= 1000), "{descriptors:?}");
        let (again, _) = State::read(&state.write().unwrap()).unwrap();
        assert_eq!(again.descriptors(), descriptors);
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_told() {
        let without = |key: &[u8]| {
            let mut records = records();
            records.retain(|it| it.0 != key);
            records
        };
        let reason = |records: Vec<Entry>| state(records).err().map(|error| error.to_string());
        let rows = [
            (without(DAEMON), "the record of the daemon is missing"),
            (
                without(CONFIG),
                "the record of the configuration is missing",
            ),
            (Vec::new(), "the record of the daemon is missing"),
        ];
        for (records, text) in rows {
            assert_eq!(reason(records).as_deref(), Some(text));
        }
        let with = |key: &[u8], body: &str| {
            let record = (key.to_vec(), body.as_bytes().to_vec(), Vec::new());
            reason(records().into_iter().chain([record]).collect()).unwrap()
        };
        let text = with(b"process\0g\0p", "{}");
        assert_eq!(
            text,
            "the record of process g p cannot be read: missing field `taken` at line 1 column 2"
        );
        let newer = json!({"format": 2, "version": "9.1", "program": "/x", "servers": []});
        let text = with(DAEMON, &newer.to_string());
        assert_eq!(
            text,
            "the records are of format 2; this version reads formats up to 1"
        );
    }

    #[test]
    fn a_launch_that_was_under_way_is_noticed() {
        let mut snapshot = serde_json::to_value(ProcessSnapshot::default()).unwrap();
        snapshot["phase"] = json!({"starting": null});
        let kept = json!({"taken": {"secs": 10, "nanos": 0}, "process": snapshot});
        let record = (
            process_key("g", "p"),
            kept.to_string().into_bytes(),
            Vec::new(),
        );
        let estate = Estate::of([record].into_iter()).unwrap();
        let launch = Launch {
            group: "g".to_owned(),
            process: "p".to_owned(),
            at: Duration::from_secs(10),
        };
        assert_eq!(estate.launches, [launch]);
    }
}
