//! What can go wrong while reading a configuration.

use thiserror::Error;

/// A configuration that cannot be used. The text is what follows `Error: ` on the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The file named with `-c` does not exist.
    #[error("could not find config file {0}")]
    Missing(String),
}

/// A command line that cannot be used. The text is what follows `Error: ` on the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CliError {
    /// Words which are no options.
    #[error("positional arguments are not supported: {0}")]
    Positional(String),
}
