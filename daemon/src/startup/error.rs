//! What keeps the daemon from starting.

use std::io;

use config::ConfigError;
use nix::errno::Errno;
use thiserror::Error;

use crate::http::BindError;
use crate::sys::daemonize::StartError;
use crate::sys::identity::IdentityError;
use crate::sys::limits::LimitError;

/// Why the daemon is not running. Every one ends the start with exit code 2.
#[derive(Debug, Error)]
pub enum StartupError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The user to become.
    #[error(transparent)]
    User(#[from] IdentityError),
    /// The limits to raise.
    #[error(transparent)]
    Limits(#[from] LimitError),
    /// The activity log.
    #[error("could not open the activity log {path}: {error}")]
    Log {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A server's socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The socket of an `[fcgi-program:x]`.
    #[error("Could not create FastCGI socket {url}: {error}")]
    Socket {
        /// The socket as configured.
        url: String,
        /// Why.
        error: io::Error,
    },
    /// Leaving the terminal.
    #[error("could not daemonize: {0}")]
    Fork(Errno),
    /// The daemon did not come up after leaving the terminal.
    #[error(transparent)]
    Daemon(#[from] StartError),
    /// The event loop.
    #[error("could not start the event loop: {0}")]
    Runtime(io::Error),
    /// The supervisor vanished without a word, which it only does by a panic.
    #[error("the supervisor has failed")]
    Lost,
    /// The program before it had left a state that is of no use, and could not be gone back to.
    #[error("cannot go on: {0}")]
    Resume(String),
}
