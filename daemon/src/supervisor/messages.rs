//! What may be asked of the supervisor. Refusals are the faults clients see.

use std::path::PathBuf;
use std::sync::Arc;

use actix::Message;
use config::Changes;
use config::model::ProcessConfig;
use protocol::events::Channel;
use protocol::faults::Fault;
use protocol::states::{DaemonState, ProcessState};

use crate::logs::changes::Follower;
pub use crate::pool::PoolInfo;
use crate::process::record::Record;
pub use crate::upgrade::LastUpgrade;

/// Whom a start, stop or signal is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A name as the client wrote it: `name`, `group:name`, `group:*` or `group:`.
    Named(String),
    /// Every member of a group, by the group's bare name.
    Group(String),
    /// Every process.
    All,
}

/// The answer to a start, stop or signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A single process was meant and it is done.
    One,
    /// Several were meant: a row each, in the order of completion.
    Each(Vec<Row>),
}

/// What became of one process of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Process name.
    pub name: String,
    /// Group name.
    pub group: String,
    /// Done, or why not.
    pub result: Result<(), Fault>,
}

/// Starts processes. With `wait`, answers when they are RUNNING or have failed.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Done, Fault>")]
pub struct Start {
    /// Whom.
    pub target: Target,
    /// Answer only when the outcome is known.
    pub wait: bool,
}

/// Stops processes. With `wait`, answers when they are gone.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Done, Fault>")]
pub struct Stop {
    /// Whom.
    pub target: Target,
    /// Answer only when the outcome is known.
    pub wait: bool,
}

/// Sends a signal without the intention to stop anything.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Done, Fault>")]
pub struct Signal {
    /// Whom.
    pub target: Target,
    /// Name or number as the client wrote it; checked after the target's name.
    pub signal: String,
}

/// Asks for one process's state.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<ProcessInfo, Fault>")]
pub struct GetInfo(pub String);

/// Asks for every process's state, by (group, process) name.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Vec<ProcessInfo>")]
pub struct GetAllInfo;

/// The state of one process at one moment.
#[derive(Debug, Clone)]
pub struct ProcessInfo {
    /// Its configuration: name, group and all.
    pub config: Arc<ProcessConfig>,
    /// State.
    pub state: ProcessState,
    /// Pid, 0 when there is none.
    pub pid: i32,
    /// Unix time of the last start, 0 for never.
    pub start: i64,
    /// Unix time of the last end, 0 for never.
    pub stop: i64,
    /// Unix time of this answer.
    pub now: i64,
    /// Why the last start or run failed; empty if it did not.
    pub spawnerr: Arc<str>,
    /// Exit status of the last run, -1 after a signal, 0 if unset.
    pub exitstatus: i32,
    /// Log of standard output (AUTO resolved), if there is one.
    pub stdout_logfile: Option<Arc<PathBuf>>,
    /// Log of standard error (AUTO resolved), if there is one.
    pub stderr_logfile: Option<Arc<PathBuf>>,
    /// The human-readable line of `getProcessInfo`.
    pub description: String,
    /// What it has been through.
    pub record: Record,
    /// Bytes of standard output and standard error given to the logs so far.
    pub logged: (u64, u64),
}

/// Asks for the state of one pool of listeners.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<PoolInfo, Fault>")]
pub struct GetPool(pub String);

/// Asks for the state of every pool of listeners, by name.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Vec<PoolInfo>")]
pub struct GetAllPools;

/// Asks for every configured process of the most recently read configuration.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Vec<ConfigInfo>")]
pub struct GetAllConfig;

/// One configured process.
#[derive(Debug, Clone)]
pub struct ConfigInfo {
    /// Its configuration.
    pub config: Arc<ProcessConfig>,
    /// Priority of its group.
    pub group_priority: i64,
    /// Its group is active.
    pub inuse: bool,
    /// Log of standard output where AUTO has been resolved by an active group.
    pub stdout_logfile: Option<Arc<PathBuf>>,
    /// Log of standard error where AUTO has been resolved by an active group.
    pub stderr_logfile: Option<Arc<PathBuf>>,
}

/// Reads the configuration again and says which groups differ; applies nothing.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<Changes, Fault>")]
pub struct Reread;

/// Makes a configured group active.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct AddGroup(pub String);

/// Removes a stopped group.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct RemoveGroup(pub String);

/// Stops everything and exits.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Shutdown;

/// Stops everything and begins again with the configuration as it is then.
/// Refused, with nothing stopped, while the configuration cannot be read.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct Restart;

/// Replaces the daemon by the program that is installed now, nothing being stopped. Answers when
/// that program has looked at the state of this one and found that it can go on with it; refused,
/// with nothing done, otherwise.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct Upgrade;

/// Asks what became of the last upgrade.
#[derive(Debug, Clone, Message)]
#[rtype(result = "LastUpgrade")]
pub struct GetLastUpgrade;

/// Asks about the daemon itself.
#[derive(Debug, Clone, Message)]
#[rtype(result = "DaemonInfo")]
pub struct GetDaemon;

/// The daemon itself.
#[derive(Debug, Clone)]
pub struct DaemonInfo {
    /// State.
    pub state: DaemonState,
    /// Pid.
    pub pid: i32,
    /// `[supervisord] identifier`.
    pub identifier: Arc<str>,
    /// Path of the activity log; `None` for syslog.
    pub logfile: Option<Arc<PathBuf>>,
}

/// Writes text to a process's standard input.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct SendStdin {
    /// Whose.
    pub name: String,
    /// What.
    pub chars: String,
}

/// Raises a REMOTE_COMMUNICATION event.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct SendRemoteEvent {
    /// Its type.
    pub kind: String,
    /// Its data.
    pub data: String,
}

/// Asks where a process's log is, and to be told of changes to it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<LogLocation, Fault>")]
pub struct LocateLog {
    /// Whose.
    pub name: String,
    /// Which.
    pub channel: Channel,
}

/// Where a log is.
#[derive(Debug)]
pub struct LogLocation {
    /// The file; `None` when the output is kept nowhere.
    pub path: Option<Arc<PathBuf>>,
    /// Changes after each write, rotation or clearing by the daemon.
    pub changed: Follower,
}

/// Asks where the activity log is.
#[derive(Debug, Clone, Message)]
#[rtype(result = "LogLocation")]
pub struct LocateMainLog;

/// Removes and reopens the activity log.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct ClearMainLog;

/// Removes and reopens both logs of a process.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct ClearLogs(pub String);

/// Clears the logs of every process, by ascending priority.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Vec<Row>")]
pub struct ClearAllLogs;
