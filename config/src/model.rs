//! What a configuration means once it has been read: plain values, nothing to expand or look up.
//!
//! Everything here compares with `==`; `reread` calls a group changed exactly when its
//! [`GroupConfig`] differs from the active one.
//!
//! A daemon that is upgraded in place hands its configuration to its successor, which may be of
//! another version: a field that is added needs `#[serde(default)]`, and none may change its meaning.
//! What was shared by `Arc` is not any more when it has been read back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::{Gid, Uid};
use serde::{Deserialize, Serialize};

pub use crate::signal::SignalNumber;

/// Environment variables by name, sorted.
pub type Environment = BTreeMap<String, String>;

/// A whole configuration: the daemon's own settings, its servers and its groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// `[supervisord]`, command line merged in.
    pub daemon: DaemonConfig,
    /// `[inet_http_server*]`, then `[unix_http_server*]`, each kind in file order.
    pub servers: Vec<ServerConfig>,
    /// `[user:x]` sections, in file order.
    pub accounts: Vec<Account>,
    /// Names of the `[rpcinterface:*]` sections whose factory is Supervisor's own.
    pub rpc_interfaces: Vec<String>,
    /// Groups by (priority, name); of two with one name only the first.
    pub groups: Vec<Arc<GroupConfig>>,
    /// What the reader has to tell, to be logged once logging works.
    pub notices: Vec<Notice>,
}

/// A message for the activity log, found while reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How loud.
    pub level: LogLevel,
    /// The text, without time or level.
    pub text: String,
}

/// Levels of the activity log, quietest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LogLevel {
    /// `CRIT`
    Critical,
    /// `ERRO`
    Error,
    /// `WARN`
    Warn,
    /// `INFO`
    Info,
    /// `DEBG`
    Debug,
    /// `TRAC`
    Trace,
    /// `BLAT`
    Blather,
}

/// `[supervisord]` after command-line options have been laid over it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonConfig {
    /// Activity log.
    pub logfile: ActivityLog,
    /// Bytes after which the activity log rotates; 0 or less: never.
    pub logfile_maxbytes: i64,
    /// Rotated activity logs that are kept; 0: the log is truncated in place.
    pub logfile_backups: i64,
    /// Messages quieter than this are dropped.
    pub loglevel: LogLevel,
    /// Absolute path of the pidfile.
    pub pidfile: PathBuf,
    /// Umask, applied when daemonizing.
    pub umask: u32,
    /// Working directory, applied when daemonizing.
    pub directory: Option<PathBuf>,
    /// Stay in the foreground.
    pub nodaemon: bool,
    /// In the foreground, do not mirror the activity log on stdout.
    pub silent: bool,
    /// Refuse to start where everybody could control the daemon.
    pub strict: bool,
    /// Soft RLIMIT_NOFILE is raised to this.
    pub minfds: i64,
    /// Soft RLIMIT_NPROC is raised to this.
    pub minprocs: i64,
    /// The user to become, as configured.
    pub user: Option<UserConfig>,
    /// Name of this instance in events, `getIdentification` and AUTO log names.
    pub identifier: String,
    /// Directory of AUTO logs.
    pub childlogdir: PathBuf,
    /// Keep old AUTO logs at start.
    pub nocleanup: bool,
    /// Remove ANSI escape sequences from child output.
    pub strip_ansi: bool,
    /// What becomes of the programs when the daemon is killed.
    #[serde(default)]
    pub programs_on_death: ProgramsOnDeath,
    /// Variables for every child (already merged into each program's own set as well).
    pub environment: Environment,
}

/// What becomes of the programs when the daemon dies without having stopped them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ProgramsOnDeath {
    /// They go on, and nobody looks after them, as with Supervisor.
    #[default]
    Leave,
    /// They go on, and the daemon is started again and takes them over.
    Keep,
    /// They are killed.
    Kill,
}

/// Where the activity log goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityLog {
    /// A file, absolute.
    File(PathBuf),
    /// The system log.
    Syslog,
}

/// A user to run as. Two spellings of one user are equal.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub struct UserConfig {
    /// As written in the file, for messages.
    pub spelled: String,
    /// Resolved user id.
    #[serde(with = "crate::saved::uid")]
    pub uid: Uid,
}

impl PartialEq for UserConfig {
    fn eq(&self, other: &Self) -> bool {
        self.uid == other.uid
    }
}

/// One HTTP server section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerConfig {
    /// The section's name, for instance `inet_http_server:2`.
    pub section: String,
    /// Where it listens.
    pub address: ServerAddress,
    /// Basic authentication; `None`: open to everybody.
    pub credentials: Option<Credentials>,
    /// TLS, on TCP only; `None`: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Names by which browsers may call a TCP server, besides addresses and the host's own name.
    pub server_names: Vec<String>,
}

/// Where a server's certificate is; both files are PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFiles {
    /// The certificate, then those that vouch for it.
    pub certificates: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerAddress {
    /// TCP. An empty host means every interface.
    Inet {
        /// Host name or address, lower-cased, without brackets.
        host: String,
        /// Port, 1 to 65535.
        port: u16,
    },
    /// A Unix stream socket.
    Unix {
        /// Absolute path.
        path: PathBuf,
        /// Mode of the socket file.
        mode: u32,
        /// Owner of the socket file, if it is to be changed.
        #[serde(with = "crate::saved::owner")]
        owner: Option<(Uid, Option<Gid>)>,
    },
}

/// User name and password as configured: plain, or `{SHA}` and a hex SHA-1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Plain password, or `{SHA}` followed by the lower-case hex SHA-1 of it.
    pub password: String,
}

/// Somebody whom the servers know, of a `[user:x]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name to give with the password.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Plain, `{SHA}` and a hex SHA-1, or an Argon2 hash in PHC format; `None`: no way in by password.
    pub password: Option<String>,
    /// Patterns of names that an operator may act on.
    pub programs: Vec<String>,
    /// User ids that are this user on a Unix socket.
    pub unix_users: Vec<u32>,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Look, and change nothing.
    ReadOnly,
    /// Look, and act on named programs.
    Operator,
    /// Everything.
    Admin,
}

/// A group: what `add`, `remove` and `update` act on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupConfig {
    /// The group's name.
    pub name: String,
    /// Lower starts first, shuts down last.
    pub priority: i64,
    /// What sort of group.
    pub kind: GroupKind,
    /// Members in their order (programs: by name; `[group:x]`: as listed).
    pub processes: Vec<Arc<ProcessConfig>>,
}

/// What sort of group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum GroupKind {
    /// `[program:x]`, `[group:x]` or `[fcgi-program:x]`.
    Programs,
    /// `[eventlistener:x]`.
    Listeners(PoolConfig),
}

/// What an `[eventlistener:x]` adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolConfig {
    /// Subscribed event names, upper case, sorted, each once.
    pub events: Vec<String>,
    /// `buffer_size` when the file sets it. `None`: bounded by memory instead.
    pub buffer_size: Option<usize>,
    /// Result handler specification.
    pub result_handler: String,
    /// What `len` counts.
    pub event_len: EventLen,
    /// Where events outlast the daemon; `None`: nowhere.
    pub buffer_file: Option<BufferFile>,
}

/// Where a pool keeps its events on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferFile {
    /// An absolute path; the files there have it as the beginning of their names.
    pub path: PathBuf,
    /// Most bytes on disk.
    pub maxbytes: u64,
    /// When what is written must have reached the disk.
    pub sync: SyncPolicy,
}

/// When the disk is asked to keep what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncPolicy {
    /// After each event; those that come while it is under way share the next time.
    Always,
    /// This long after an event at the latest.
    Within(Duration),
    /// When the system sees fit.
    Never,
}

/// What the `len` of an event's header counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum EventLen {
    /// Unicode code points, as Supervisor does.
    #[default]
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

/// When an exited process is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AutoRestart {
    /// Always.
    Always,
    /// Never.
    Never,
    /// If its exit status is not one of `exitcodes`.
    Unexpected,
}

/// One process, everything expanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessConfig {
    /// Process name (without the group).
    pub name: String,
    /// Name of the group it is a member of.
    pub group: String,
    /// Section it comes from, for instance `program:web`.
    pub section: String,
    /// The command line as written.
    pub command: String,
    /// Working directory, unchecked.
    pub directory: Option<String>,
    /// Umask; `None`: inherited.
    pub umask: Option<u32>,
    /// Lower starts first.
    pub priority: i64,
    /// Started with the daemon and when its group is added.
    pub autostart: bool,
    /// Restarted after an exit.
    pub autorestart: AutoRestart,
    /// Seconds a process must stay up to be RUNNING; less than 0 is like 0.
    pub startsecs: i64,
    /// Failed starts beyond the first that are tolerated; less than 0 is like 0.
    pub startretries: i64,
    /// Exit statuses that are expected.
    pub exitcodes: Vec<i32>,
    /// Signal that asks the process to stop.
    pub stopsignal: SignalNumber,
    /// Seconds between the stop signal and SIGKILL; less than 0 is like 0.
    pub stopwaitsecs: i64,
    /// Send the stop signal to the whole process group.
    pub stopasgroup: bool,
    /// Send SIGKILL to the whole process group.
    pub killasgroup: bool,
    /// User to run as.
    pub user: Option<UserConfig>,
    /// The child's stderr is its stdout.
    pub redirect_stderr: bool,
    /// What happens to stdout.
    pub stdout: OutputConfig,
    /// What happens to stderr.
    pub stderr: OutputConfig,
    /// `[supervisord] environment` overlaid by the program's own.
    pub environment: Environment,
    /// `serverurl`; `None`: computed from the servers.
    pub serverurl: Option<String>,
    /// The socket of an `[fcgi-program:x]`.
    pub fcgi: Option<Arc<FcgiSocket>>,
    /// Its standard output speaks the listener protocol.
    pub is_listener: bool,
}

/// One output channel of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputConfig {
    /// Log file.
    pub logfile: ChildLog,
    /// Bytes after which the log rotates; 0 or less: never.
    pub maxbytes: i64,
    /// Rotated logs that are kept; 0: truncated in place.
    pub backups: i64,
    /// Capture buffer in bytes; 0: capture mode off.
    pub capture_maxbytes: i64,
    /// Raise PROCESS_LOG events.
    pub events_enabled: bool,
    /// Send each line to the system log.
    pub syslog: bool,
}

/// Target of a child log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChildLog {
    /// Kept nowhere.
    None,
    /// Kept nowhere either, but clients see the empty value of the option.
    Empty,
    /// A file in `childlogdir` named by the daemon when the group is added.
    Auto,
    /// A file.
    File(PathBuf),
}

/// The listening socket of an `[fcgi-program:x]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FcgiSocket {
    /// Where it listens.
    pub address: FcgiAddress,
    /// Listen backlog; `None`: the system's maximum.
    pub backlog: Option<i32>,
}

/// Address of an fcgi socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FcgiAddress {
    /// `unix:///path`
    Unix {
        /// Absolute path.
        path: PathBuf,
        /// Owner, if it is to be changed.
        #[serde(with = "crate::saved::owner")]
        owner: Option<(Uid, Option<Gid>)>,
        /// Mode, default 0700.
        mode: Option<u32>,
    },
    /// `tcp://host:port`
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
}
