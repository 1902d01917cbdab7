//! Everything that can be wrong with one value, in the original's words.

use thiserror::Error;

use crate::python::python_repr;
use crate::shlex::ShlexError;

/// A text that is no value of its type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the messages say it
pub enum Invalid {
    #[error("invalid literal for int() with base 10: {}", python_repr(.0))]
    Integer(String),
    #[error("{value} is below lower bound ({bound})")]
    TooLow { value: i64, bound: i64 },
    #[error("{value} is above upper bound ({bound})")]
    TooHigh { value: i64, bound: i64 },
    #[error("not a valid boolean value: {}", python_repr(.0))]
    Boolean(String),
    #[error("{0} can not be converted to an octal type")]
    Octal(String),
    #[error("{0} is not an existing directory")]
    Directory(String),
    #[error("The directory named as part of the path {0} does not exist")]
    PathDirectory(String),
    #[error("bad logging level name {}", python_repr(.0))]
    LogLevel(String),
    #[error("value {} is not a valid signal name", python_repr(.0))]
    SignalName(String),
    #[error("value {} is not a valid signal number", python_repr(.0))]
    SignalNumber(String),
    #[error("not a valid list of exit codes: {}", python_repr(.0))]
    ExitCodes(String),
    #[error("invalid 'autorestart' value {}", python_repr(.0))]
    AutoRestart(String),
    #[error("invalid 'event_len' value {}", python_repr(.0))]
    EventLen(String),
    #[error("invalid 'buffer_file_sync' value {}", python_repr(.0))]
    BufferFileSync(String),
    #[error("invalid 'programs_on_death' value {}", python_repr(.0))]
    ProgramsOnDeath(String),
    #[error("invalid 'role' value {}", python_repr(.0))]
    Role(String),
    #[error("Invalid user name {0}")]
    UserName(String),
    #[error("Invalid user id {0}")]
    UserId(String),
    #[error("Invalid user:group definition {0}")]
    Owner(String),
    #[error(
        "Invalid name: {} because of character: '{character}'",
        python_repr(name)
    )]
    Name { name: String, character: char },
    #[error("Unexpected end of key/value pairs in value '{0}'")]
    UnfinishedPair(String),
    #[error(transparent)]
    Shlex(#[from] ShlexError),
    #[error("no port number specified in {}", python_repr(.0))]
    NoPort(String),
    #[error("not a valid port number: {} ", python_repr(.0))]
    Port(String),
    #[error("Unix socket path {0} is not an absolute path")]
    RelativeSocket(String),
    #[error("Bad socket format {0}")]
    Socket(String),
    #[error("value {} is not a URL", python_repr(.0))]
    Url(String),
}
