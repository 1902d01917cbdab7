//! The JSON forms of what the daemon answers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use config::model::{ChildLog, OutputConfig};
use protocol::faults::FaultCode;
use protocol::states::ProcessState;
use serde::Serialize;
use serde_json::json;

use super::routes::STATES;
use super::schema::{Asked, Json, Schema, Schemas, object};
use crate::process::record::{LastEnd, Record};
use crate::supervisor::messages::{self, ConfigInfo, PoolInfo, ProcessInfo};
use crate::vitals;

/// The name of a process's state.
#[derive(Debug, Serialize)]
pub(super) struct StateName(&'static str);

impl Schema for StateName {
    fn schema(_: &mut Schemas) -> Json {
        json!({"type": "string", "enum": STATES})
    }
}

object! {
    /// A process: what getProcessInfo tells, and more.
    pub(super) struct Process<'a> {
        /// Name of the process.
        name: &'a str,
        /// Name of its group.
        group: &'a str,
        /// Unix time of the last start, 0 for never.
        start: i64,
        /// Unix time of the last end, 0 for never.
        stop: i64,
        /// Unix time of this answer.
        now: i64,
        /// Number of its state.
        state: i32,
        /// Its state.
        statename: StateName,
        /// Why the last start failed; empty if it did not.
        spawnerr: &'a str,
        /// Exit status of the last run, -1 after a signal.
        exitstatus: i32,
        /// As stdout_logfile.
        logfile: Cow<'a, str>,
        /// Log of standard output, empty if there is none.
        stdout_logfile: Cow<'a, str>,
        /// Log of standard error, empty if there is none.
        stderr_logfile: Cow<'a, str>,
        /// Its process id, 0 when there is none.
        pid: i32,
        /// What `supervisorctl status` shows.
        description: &'a str,
        /// What it has been through since its group was activated.
        record: History,
        /// Whether the caller may act on it.
        may_operate: Asked<bool>,
        /// What it uses of the machine; null when it does not run.
        usage: Asked<Option<Usage>>,
        /// The last lines of its logs.
        log_tail: Asked<LogTail>,
    }
}

object! {
    /// What a process has been through since its group was activated.
    pub(super) struct History {
        /// Processes created.
        starts: u32,
        /// Starts that created none.
        failed_starts: u32,
        /// How it ended, and how often.
        exits: Exits,
        /// How it ended the last time; null if it never did.
        last_end: Option<End>,
        /// Bytes given to the logs so far.
        log_bytes: LogBytes,
    }
}

object! {
    /// Counts of ends by cause.
    pub(super) struct Exits {
        /// Asked for.
        stopped: u32,
        /// By itself, with one of the `exitcodes`.
        expected: u32,
        /// By itself, with another status or by a signal.
        unexpected: u32,
        /// Before `startsecs` were over.
        too_quick: u32,
    }
}

object! {
    /// How and with what a process ended.
    pub(super) struct End {
        /// Unix time of the end.
        time: i64,
        /// `stopped`, `expected`, `unexpected` or `too_quick`.
        cause: &'static str,
        /// Exit status; null after a signal.
        exitstatus: Option<i32>,
        /// Name of the signal that ended it; null if none did.
        signal: Option<String>,
        /// It left a core dump.
        core_dumped: bool,
        /// The most resident memory it ever had, in bytes.
        peak_memory: u64,
        /// CPU time it had used, in seconds.
        cpu_seconds: f64,
        /// All this in a few words, as in the activity log.
        description: String,
    }
}

object! {
    /// Bytes given to the logs.
    pub(super) struct LogBytes {
        /// Of standard output.
        stdout: u64,
        /// Of standard error.
        stderr: u64,
    }
}

object! {
    /// The last lines of both logs.
    pub(super) struct LogTail {
        /// Of standard output.
        stdout: Vec<String>,
        /// Of standard error.
        stderr: Vec<String>,
    }
}

object! {
    /// What a process uses of the machine.
    pub(super) struct Usage {
        /// Resident memory in bytes.
        memory: u64,
        /// CPU time so far, in seconds.
        cpu_seconds: f64,
        /// Open descriptors; null where the daemon may not look.
        descriptors: Option<u32>,
    }
}

object! {
    /// The daemon.
    pub(super) struct Daemon<'a> {
        /// Name of this instance.
        identification: &'a str,
        /// Which version of Supervisor it behaves like.
        supervisor_version: &'static str,
        /// Version of the XML-RPC interface.
        api_version: &'static str,
        /// Version of the daemon itself.
        version: &'static str,
        /// Number of its state.
        state: i32,
        /// Its state.
        statename: &'static str,
        /// Its process id.
        pid: i32,
        /// Unix time of the start of this life, which a restart ends.
        started: i64,
        /// Unix time of this answer.
        now: i64,
        /// Its log; null for syslog.
        logfile: Option<Cow<'a, str>>,
        /// What it uses of the machine.
        usage: Asked<Option<Usage>>,
    }
}

object! {
    /// A piece of a log. Bytes that are no UTF-8 are U+FFFD.
    pub(super) struct LogText {
        /// The text.
        text: String,
        /// With `tail`, the size of the log: the offset to ask for next time.
        size: Asked<i64>,
        /// With `tail`, whether something is missing before the text.
        overflow: Asked<bool>,
    }
}

object! {
    /// What became of one process of several.
    pub(super) struct Row {
        /// Name of the process.
        name: String,
        /// Name of its group.
        group: String,
        /// 80, or the number of a fault.
        status: i32,
        /// `OK`, or the text of the fault.
        description: String,
    }
}

object! {
    /// Names of groups that a new reading of the configuration has.
    pub(super) struct Changes {
        /// In the new configuration only.
        added: Json,
        /// In both, with a difference.
        changed: Json,
        /// Active, and not in the new configuration.
        removed: Json,
    }
}

object! {
    /// An active group.
    pub(super) struct Group {
        /// Its name.
        name: String,
        /// Whether it is a pool of event listeners.
        is_pool: bool,
        /// Names of its processes.
        processes: Vec<String>,
        /// How many of them are in which state.
        states: BTreeMap<&'static str, u32>,
    }
}

object! {
    /// A pool of event listeners.
    pub(super) struct Pool<'a> {
        /// Its name.
        name: &'a str,
        /// Events that wait.
        buffered: u64,
        /// What they take: bytes of memory, or of the pool's files.
        bytes: u64,
        /// For how many seconds the oldest has been waiting.
        oldest: u64,
        /// Those that rest because they were rejected again and again.
        resting: u64,
        /// Events that listeners are working on.
        in_flight: u64,
        /// Events accepted by a listener.
        delivered: u64,
        /// Events come back, and to be sent again.
        rejected: u64,
        /// Events thrown away.
        discarded: u64,
        /// Where it keeps its events; null if in memory.
        buffer_file: Option<Cow<'a, str>>,
        /// The disk refuses to keep them.
        disk_failed: bool,
        /// Its listeners, in the order of the configuration.
        listeners: Vec<Listener<'a>>,
    }
}

object! {
    /// A listener of a pool.
    pub(super) struct Listener<'a> {
        /// Name of its process.
        name: &'a str,
        /// Its process id, 0 when there is none.
        pid: i32,
        /// Number of its state in the protocol.
        state: i32,
        /// Its state in the protocol.
        statename: &'static str,
    }
}

object! {
    /// A configured process. Where there is nothing a member is null.
    pub(super) struct ConfigEntry<'a> {
        /// Name of the process.
        name: &'a str,
        /// Name of its group.
        group: &'a str,
        /// Its group is active.
        inuse: bool,
        /// The command line.
        command: &'a str,
        /// Working directory.
        directory: Option<&'a str>,
        /// User to run as.
        uid: Option<u32>,
        /// Started with the daemon and when its group is added.
        autostart: bool,
        /// Priority of its group.
        group_prio: i64,
        /// Its priority in the group.
        process_prio: i64,
        /// Exit statuses that are expected.
        exitcodes: &'a [i32],
        /// Seconds it has to stay up.
        startsecs: i64,
        /// Failed starts that are tolerated.
        startretries: i64,
        /// Number of the signal that asks it to stop.
        stopsignal: i32,
        /// Seconds between that and SIGKILL.
        stopwaitsecs: i64,
        /// SIGKILL goes to the whole process group.
        killasgroup: bool,
        /// Standard error goes where standard output goes.
        redirect_stderr: bool,
        /// What becomes of standard output.
        stdout: OutputEntry<'a>,
        /// What becomes of standard error.
        stderr: OutputEntry<'a>,
        /// The address its environment tells it.
        serverurl: Option<&'a str>,
    }
}

object! {
    /// What becomes of an output channel.
    pub(super) struct OutputEntry<'a> {
        /// The log file; `auto` until the group is active.
        logfile: Option<Cow<'a, str>>,
        /// Bytes after which it is rotated, 0 for never.
        logfile_maxbytes: i64,
        /// Rotated files that are kept.
        logfile_backups: i64,
        /// Size of the capture buffer, 0 if there is none.
        capture_maxbytes: i64,
        /// Output becomes events.
        events_enabled: bool,
        /// Lines go to the system log.
        syslog: bool,
    }
}

impl Schema for &[i32] {
    fn schema(schemas: &mut Schemas) -> Json {
        Vec::<i32>::schema(schemas)
    }
}

/// `true`.
#[derive(Debug, Serialize)]
pub(super) struct Done;

impl Schema for Done {
    fn schema(_: &mut Schemas) -> Json {
        json!({"const": true})
    }
}

/// `true`, or a row for each process if a group was meant.
#[derive(Debug, Serialize)]
pub(super) struct DoneOrRows;

impl Schema for DoneOrRows {
    fn schema(schemas: &mut Schemas) -> Json {
        json!({"oneOf": [Done::schema(schemas), Vec::<Row>::schema(schemas)]})
    }
}

/// The member of [`Changes`].
impl Schema for Json {
    fn schema(_: &mut Schemas) -> Json {
        json!({"type": "array", "items": {"type": "string"}})
    }
}

impl<'a> Process<'a> {
    pub(super) fn of(info: &'a ProcessInfo) -> Self {
        let stdout_logfile = path_or_empty(info.stdout_logfile.as_deref());
        Self {
            name: &info.config.name,
            group: &info.config.group,
            start: info.start,
            stop: info.stop,
            now: info.now,
            state: info.state.code(),
            statename: info.state.into(),
            spawnerr: &info.spawnerr,
            exitstatus: info.exitstatus,
            logfile: stdout_logfile.clone(),
            stdout_logfile,
            stderr_logfile: path_or_empty(info.stderr_logfile.as_deref()),
            pid: info.pid,
            description: &info.description,
            record: History::of(&info.record, info.logged),
            may_operate: Asked(None),
            usage: Asked(None),
            log_tail: Asked(None),
        }
    }
}

impl From<ProcessState> for StateName {
    fn from(state: ProcessState) -> Self {
        Self(state.name())
    }
}

impl History {
    fn of(record: &Record, (stdout, stderr): (u64, u64)) -> Self {
        Self {
            starts: record.starts,
            failed_starts: record.failed_starts,
            exits: Exits {
                stopped: record.stopped,
                expected: record.expected,
                unexpected: record.unexpected,
                too_quick: record.too_quick,
            },
            last_end: record.last_end.as_deref().map(End::of),
            log_bytes: LogBytes { stdout, stderr },
        }
    }
}

impl End {
    fn of(end: &LastEnd) -> Self {
        let signal = end.status.signal();
        Self {
            time: end.at,
            cause: end.cause.name(),
            exitstatus: end.status.code(),
            signal: signal.map(|number| config::model::SignalNumber::from_raw(number).to_string()),
            core_dumped: end.status.core_dumped(),
            peak_memory: end.peak_memory,
            cpu_seconds: end.cpu.as_secs_f64(),
            description: end.status.to_string(),
        }
    }
}

impl From<vitals::Usage> for Usage {
    fn from(usage: vitals::Usage) -> Self {
        Self {
            memory: usage.memory,
            cpu_seconds: usage.cpu.as_secs_f64(),
            descriptors: usage.descriptors,
        }
    }
}

impl<'a> Pool<'a> {
    pub(super) fn of(pool: &'a PoolInfo) -> Self {
        let listeners = pool.listeners.iter().map(|listener| Listener {
            name: &listener.name,
            pid: listener.pid,
            state: listener.state.code(),
            statename: listener.state.name(),
        });
        Self {
            name: &pool.name,
            buffered: pool.buffered,
            bytes: pool.bytes,
            oldest: pool.oldest,
            resting: pool.resting,
            in_flight: pool.in_flight,
            delivered: pool.tally.delivered,
            rejected: pool.tally.rejected,
            discarded: pool.tally.discarded,
            buffer_file: pool.buffer_file.as_ref().map(|path| path.to_string_lossy()),
            disk_failed: pool.disk_failed,
            listeners: listeners.collect(),
        }
    }
}

impl<'a> ConfigEntry<'a> {
    pub(super) fn of(info: &'a ConfigInfo) -> Self {
        let config = &*info.config;
        Self {
            name: &config.name,
            group: &config.group,
            inuse: info.inuse,
            command: &config.command,
            directory: config.directory.as_deref(),
            uid: config.user.as_ref().map(|user| user.uid.as_raw()),
            autostart: config.autostart,
            group_prio: info.group_priority,
            process_prio: config.priority,
            exitcodes: &config.exitcodes,
            startsecs: config.startsecs,
            startretries: config.startretries,
            stopsignal: config.stopsignal.number(),
            stopwaitsecs: config.stopwaitsecs,
            killasgroup: config.killasgroup,
            redirect_stderr: config.redirect_stderr,
            stdout: OutputEntry::of(&config.stdout, info.stdout_logfile.as_deref()),
            stderr: OutputEntry::of(&config.stderr, info.stderr_logfile.as_deref()),
            serverurl: config.serverurl.as_deref(),
        }
    }
}

impl<'a> OutputEntry<'a> {
    fn of(output: &'a OutputConfig, resolved: Option<&'a PathBuf>) -> Self {
        let logfile = match &output.logfile {
            ChildLog::None | ChildLog::Empty => None,
            ChildLog::Auto => Some(resolved.map_or("auto".into(), |path| path.to_string_lossy())),
            ChildLog::File(path) => Some(path.to_string_lossy()),
        };
        Self {
            logfile,
            logfile_maxbytes: output.maxbytes,
            logfile_backups: output.backups,
            capture_maxbytes: output.capture_maxbytes,
            events_enabled: output.events_enabled,
            syslog: output.syslog,
        }
    }
}

impl From<&messages::Row> for Row {
    fn from(row: &messages::Row) -> Self {
        let (status, description) = match &row.result {
            Ok(()) => (FaultCode::Success, "OK".to_owned()),
            Err(fault) => (fault.code, fault.to_string()),
        };
        Self {
            name: row.name.clone(),
            group: row.group.clone(),
            status: status.code(),
            description,
        }
    }
}

fn path_or_empty(path: Option<&PathBuf>) -> Cow<'_, str> {
    path.map_or("".into(), |path| path.to_string_lossy())
}
