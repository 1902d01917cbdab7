//! What can go wrong while reading a command line or a configuration.

use std::fmt;

use thiserror::Error;

use crate::convert::Invalid;
use crate::expand::ExpandError;
use crate::python::{python_list, python_repr};
use crate::reader::SyntaxError;

/// A configuration that cannot be used. The text is what follows `Error: ` on the terminal, and
/// the detail of a CANT_REREAD fault: Supervisor's message, then where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The file does not exist.
    #[error("could not find config file {0}")]
    Missing(String),
    /// The file cannot be read, or is a directory.
    #[error("could not read config file {0}")]
    Unreadable(String),
    /// Without `-c`, no file was found.
    #[error(
        "No config file found at default paths ({}); use the -c option to specify a config file at a different path",
        .0.join(", ")
    )]
    NotFound(Vec<String>),
    /// A file is no configuration file.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The section that must be there is not.
    #[error(".ini file does not include {0} section")]
    NoSection(&'static str),
    /// An option is missing, has a bad value, or contradicts another.
    #[error(transparent)]
    Option(#[from] Box<OptionError>),
}

/// A problem with one option, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionError {
    /// What is wrong.
    pub reason: Reason,
    /// The section it stands in; `None`: it stands on the command line.
    pub section: Option<String>,
    /// For a process option: its section, and the file in which that appears first.
    pub process: Option<(String, String)>,
    /// Where the option or its section stands, if it stands anywhere.
    pub location: Option<Location>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The option; `None` for a section.
    pub option: Option<&'static str>,
}

/// The message of Supervisor comes first and unchanged; the place follows in parentheses.
impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        let mut shown = None;
        if let Some((section, file)) = &self.process {
            write!(
                f,
                " in section {} (file: {})",
                python_repr(section),
                python_repr(file)
            )?;
            shown = Some(file);
        }
        let Some(location) = &self.location else {
            return Ok(());
        };
        f.write_str(" (")?;
        if shown != Some(&location.file) {
            write!(f, "{}, ", location.file)?;
        }
        write!(f, "line {}", location.line)?;
        if let Some(option) = location.option {
            write!(f, ", option {option}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for OptionError {}

/// What is wrong with an option.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the messages say it
pub enum Reason {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Expand(#[from] ExpandError),
    #[error("{}", message.replace("{}", section))]
    Required {
        message: &'static str,
        section: String,
        option: &'static str,
    },
    #[error(".ini file has [include] section, but no files setting")]
    NoFiles,
    #[error(
        "Section [{0}] contains incomplete authentication: If a username or a password is specified, \
         both the username and password must be specified"
    )]
    IncompleteAuthentication(String),
    #[error("Section [{0}] cannot be used: {1}")]
    Unusable(String, String),
    #[error("Section [{0}] has an empty password, which strict=true forbids")]
    EmptyPassword(String),
    #[error("Section [user:] names nobody: [user:ann] would")]
    NamelessUser,
    #[error("user '{0}' has neither a password nor unix_users, so nobody can be that user")]
    NoWayIn(String),
    #[error("user '{0}' is an operator without programs")]
    OperatorOfNothing(String),
    #[error("Section [{0}] needs both certfile and keyfile for TLS")]
    HalfTls(String),
    #[error(
        "Section [{0}] would let everybody who can reach it control the daemon, which strict=true forbids: set username \
         and password, add [user:x] sections, or listen on 127.0.0.1"
    )]
    OpenPort(String),
    #[error(
        "Section [{0}] would let every user of this machine control the daemon, which strict=true forbids: set username \
         and password, add [user:x] sections, or take the permission to write from others"
    )]
    OpenSocket(String),
    #[error("Invalid sockchown value {0}")]
    Chown(String),
    #[error("Invalid chmod value {0}")]
    Chmod(String),
    #[error("Invalid socket_owner value {0}")]
    SocketOwner(String),
    #[error("Invalid socket_mode value {0}")]
    SocketMode(String),
    #[error("Invalid socket_backlog value {0}")]
    SocketBacklog(i64),
    #[error("{reason} in [{section}] socket")]
    Socket { reason: Invalid, section: String },
    #[error(
        "socket_owner and socket_mode params should only be used with a Unix domain socket in [{0}] socket"
    )]
    NotUnixSocket(String),
    #[error("{spec} cannot be resolved within [{section}]: {why}")]
    Unresolved {
        spec: String,
        section: String,
        why: &'static str,
    },
    #[error("Could not make {interface} rpc interface: it has no option {option}")]
    RpcArgument { interface: String, option: String },
    #[error("[{section}] names unknown program or fcgi-program {program}")]
    UnknownProgram { section: String, program: String },
    #[error("[{section}] name {program} is ambiguous (exists as program and fcgi-program)")]
    AmbiguousProgram { section: String, program: String },
    #[error("[{section}] section sets invalid buffer_size ({size})")]
    BufferSize { section: String, size: i64 },
    #[error("[{section}] section sets invalid buffer_file_maxbytes ({maxbytes}): at least 1MB")]
    BufferFileMaxbytes { section: String, maxbytes: i64 },
    #[error("[{section}] names the buffer_file {path}, which belongs to [{owner}]")]
    BufferFileTaken {
        section: String,
        path: String,
        owner: String,
    },
    #[error("Unknown event type {event} in [{section}] events")]
    UnknownEvent { event: String, section: String },
    #[error(
        "[{0}] section sets redirect_stderr=true but this is not allowed because it will interfere \
         with the eventlistener protocol"
    )]
    ListenerRedirect(String),
    #[error("%(process_num) must be present within process_name when numprocs > 1")]
    NoProcessNum,
    #[error("Cannot set stopasgroup=true and killasgroup=false")]
    StopWithoutKill,
}

/// A command line that cannot be used. The text is what follows `Error: ` on the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CliError {
    /// An option that does not exist or lacks its value.
    #[error(transparent)]
    Syntax(#[from] getopt::Error),
    /// Words which are no options.
    #[error("positional arguments are not supported: {}", python_list(.0))]
    Positional(Vec<String>),
    /// An option given twice.
    #[error("conflicting command line option {}", python_repr(.0))]
    Conflict(String),
    /// The form of a report that is not asked for.
    #[error("option --json requires --check")]
    JsonWithoutCheck,
    /// An option with a bad value.
    #[error("invalid value for {option} {}: {reason}", python_repr(value))]
    Value {
        /// As typed, long ones in full.
        option: String,
        /// As typed.
        value: String,
        /// What is wrong with it.
        reason: Invalid,
    },
}
