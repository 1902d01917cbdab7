//! What the command line and the configuration file say together.

use std::env;
use std::path::PathBuf;

use client::Credentials;
use config::{ConfigError, supervisorctl};

use crate::options::Options;

/// Everything there is to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The server's address, as written.
    pub(crate) server_url: String,
    /// Sent only when user name and password are both known.
    pub(crate) credentials: Option<Credentials>,
    /// Certificates of those who vouch for servers.
    pub(crate) ca_file: Option<PathBuf>,
    /// What the shell shows before `> `.
    pub(crate) prompt: String,
    /// Where the shell's history is kept.
    pub(crate) history_file: Option<PathBuf>,
    /// Ask for confirmation and credentials although there is a command.
    pub(crate) interactive: bool,
    /// The command to run; without one a shell is wanted.
    pub(crate) command: Option<String>,
    /// What to warn about before anything else.
    pub(crate) warnings: Vec<String>,
}

impl Settings {
    /// Reads the configuration file and lays the command line over it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn load(options: Options, program: &str) -> Result<Self, ConfigError> {
        let start_dir = env::current_dir().unwrap_or_default();
        let environment = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let config_file = options.config_file.as_deref();
        let file = supervisorctl::load(program, config_file, &start_dir, &environment)?;
        Ok(Self::merge(options, file))
    }

    fn merge(options: Options, file: supervisorctl::Settings) -> Self {
        let username = options.username.or(file.username);
        let password = options.password.or(file.password);
        let credentials = username.zip(password);
        Self {
            server_url: options.server_url.unwrap_or(file.serverurl),
            credentials: credentials.map(|(username, password)| Credentials { username, password }),
            ca_file: file.cafile,
            prompt: file.prompt,
            history_file: options.history_file.or(file.history_file),
            interactive: options.interactive,
            command: options.command,
            warnings: file.notices.into_iter().map(|notice| notice.text).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_beats_the_file() {
        let file = supervisorctl::Settings {
            serverurl: "http://file".into(),
            username: Some("file".into()),
            history_file: Some("/file".into()),
            ..supervisorctl::Settings::default()
        };
        let options = Options {
            server_url: Some("http://line".into()),
            password: Some("line".into()),
            ..Options::default()
        };
        let settings = Settings::merge(options, file.clone());
        assert_eq!(settings.server_url, "http://line");
        assert_eq!(settings.history_file, Some("/file".into()));
        let credentials = settings.credentials.unwrap();
        assert_eq!(
            (credentials.username, credentials.password),
            ("file".into(), "line".into())
        );

        let settings = Settings::merge(Options::default(), file);
        assert_eq!(settings.server_url, "http://file");
        assert_eq!(settings.credentials, None, "half of them are none");
    }
}
