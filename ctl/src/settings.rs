//! What the command line and the configuration file say together.

use std::path::PathBuf;

use client::Credentials;

use crate::options::Options;

/// Everything there is to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The server's address, as written.
    pub(crate) server_url: String,
    /// Sent only when user name and password are both known.
    pub(crate) credentials: Option<Credentials>,
    /// What the shell shows before `> `.
    pub(crate) prompt: String,
    /// Where the shell's history is kept.
    pub(crate) history_file: Option<PathBuf>,
    /// Ask for confirmation and credentials although there is a command.
    pub(crate) interactive: bool,
    /// The command to run; without one a shell is wanted.
    pub(crate) command: Option<String>,
}

impl Settings {
    /// Reads the configuration file and lays the command line over it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn load(options: Options, _program: &str) -> Result<Self, String> {
        let credentials = match (options.username, options.password) {
            (Some(username), Some(password)) => Some(Credentials { username, password }),
            _ => None,
        };
        Ok(Self {
            server_url: options
                .server_url
                .unwrap_or_else(|| "http://localhost:9001".to_owned()),
            credentials,
            prompt: "supervisor".to_owned(),
            history_file: options.history_file,
            interactive: options.interactive,
            command: options.command,
        })
    }
}
