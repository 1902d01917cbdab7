//! What can spoil a measurement.

use std::io;
use std::time::Duration;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// The refusal.
        source: io::Error,
    },
    /// Something did not happen in time.
    #[error("no {what} within {limit:?}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
    },
    /// A process answered something else than it should.
    #[error("{0}")]
    Answer(String),
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
}

/// Says what was tried when the system refuses it.
pub(crate) trait About<T> {
    /// `what` is a phrase such as `read the log`.
    fn about(self, what: &str) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> About<T> for Result<T, E> {
    fn about(self, what: &str) -> Result<T, Error> {
        self.map_err(|error| Error::System {
            what: what.to_owned(),
            source: error.into(),
        })
    }
}
