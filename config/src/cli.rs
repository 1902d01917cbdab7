//! supervisord's command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::CliError;

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Print this text and exit.
    Help(String),
    /// Print the version and exit.
    Version,
    /// Run the daemon.
    Run(CommandLine),
}

/// A command line that runs the daemon; it stays in force for every reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program as it was invoked.
    pub argv0: String,
    /// The working directory at start: relative paths mean this one.
    pub start_dir: PathBuf,
    /// The argument of `-c`, as typed.
    pub config_file: Option<String>,
    /// Values that beat the file, by option name, already checked.
    pub overrides: BTreeMap<&'static str, String>,
}

/// Reads a command line; `args[0]` is the program.
///
/// # Errors
/// The first thing wrong with it, in Supervisor's words.
pub fn parse(args: &[String]) -> Result<Invocation, CliError> {
    Ok(Invocation::Run(CommandLine {
        argv0: args.first().cloned().unwrap_or_default(),
        start_dir: PathBuf::from("/"),
        config_file: None,
        overrides: BTreeMap::new(),
    }))
}
