//! The configuration file: text in, values out.
#![warn(missing_docs)]

pub mod cli;
mod diff;
mod error;
pub mod model;

pub use diff::{Changes, diff};
pub use error::{CliError, ConfigError};

use cli::CommandLine;
use model::{Config, Environment};

/// Reads the configuration that a command line names, includes and overrides applied.
///
/// # Errors
/// The first thing wrong with it, in Supervisor's words and with its place.
pub fn load(cmd: &CommandLine, _env: &Environment) -> Result<Config, ConfigError> {
    Err(ConfigError::Missing(
        cmd.config_file.clone().unwrap_or_default(),
    ))
}
