//! Finding the configuration file.

use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use crate::cli::CommandLine;
use crate::error::ConfigError;
use crate::path::{absolute, dirname, join, normalize};

/// A configuration file, named and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// As given with `-c`, or as the search path has it: this is what messages show.
    pub spelled: String,
    /// Absolute.
    pub path: PathBuf,
}

impl ConfigFile {
    /// A file as somebody in `start_dir` names it.
    pub fn named(spelled: &str, start_dir: &Path) -> Self {
        Self {
            spelled: spelled.to_owned(),
            path: PathBuf::from(join(&start_dir.to_string_lossy(), spelled)),
        }
    }

    /// The file's directory, absolute: `%(here)s`.
    pub(crate) fn directory(&self) -> String {
        normalize(dirname(&self.path.to_string_lossy()))
    }
}

/// Where a configuration file is looked for, in this order. `executable` is the program as it was
/// invoked, symbolic links not resolved; without a slash in it, it is looked for in `path`
/// (`$PATH`).
pub fn search_paths(executable: &str, path: Option<&str>) -> Vec<String> {
    let found = match executable.contains('/') {
        true => None,
        false => in_path(executable, path.unwrap_or_default()),
    };
    let above = dirname(dirname(found.as_deref().unwrap_or(executable)));
    vec![
        join(above, "etc/supervisord.conf"),
        join(above, "supervisord.conf"),
        "supervisord.conf".to_owned(),
        "etc/supervisord.conf".to_owned(),
        "/etc/supervisord.conf".to_owned(),
        "/etc/supervisor/supervisord.conf".to_owned(),
    ]
}

/// The first of the search paths that exists.
pub fn search(paths: &[String], start_dir: &Path) -> Option<ConfigFile> {
    let mut files = paths.iter().map(|path| ConfigFile::named(path, start_dir));
    files.find(|file| file.path.exists())
}

/// The file a command line of supervisord means.
pub(crate) fn config_file(
    cmd: &CommandLine,
    path: Option<&str>,
) -> Result<ConfigFile, ConfigError> {
    if let Some(spelled) = &cmd.config_file {
        return Ok(ConfigFile::named(spelled, &cmd.start_dir));
    }
    let paths = search_paths(&cmd.argv0, path);
    search(&paths, &cmd.start_dir).ok_or(ConfigError::NotFound(paths))
}

/// What supervisord should say on the terminal at start when root leaves it to search.
pub fn search_warning(cmd: &CommandLine) -> Option<&'static str> {
    let warn = cmd.config_file.is_none() && Uid::current().is_root();
    warn.then_some(
        "UserWarning: Supervisord is running as root and it is searching for its configuration file in \
         default locations (including its current working directory); you probably want to specify a \
         \"-c\" argument specifying an absolute path to a configuration file for improved security.",
    )
}

fn in_path(name: &str, path: &str) -> Option<String> {
    path.split(':')
        .map(|directory| join(directory, name))
        .find(|candidate| absolute(Path::new("/"), candidate).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_starts_beside_the_executable() {
        let first =
            |executable: &str| search_paths(executable, Some("/nope:/usr/bin"))[..2].join(" ");
        assert_eq!(
            first("/opt/x/bin/supervisord"),
            "/opt/x/etc/supervisord.conf /opt/x/supervisord.conf"
        );
        assert_eq!(
            first("./supervisord"),
            "etc/supervisord.conf supervisord.conf"
        );
        assert_eq!(
            first("../bin/supervisord"),
            "../etc/supervisord.conf ../supervisord.conf"
        );
        assert_eq!(
            first("env"),
            "/usr/etc/supervisord.conf /usr/supervisord.conf"
        );
        assert_eq!(
            first("no-such-program"),
            "etc/supervisord.conf supervisord.conf"
        );
    }

    #[test]
    fn the_first_existing_file_wins() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("b"), "").unwrap();
        let paths = ["a".to_owned(), "b".to_owned(), "/".to_owned()];
        let found = search(&paths, directory.path()).unwrap();
        assert_eq!(
            (found.spelled.as_str(), found.path),
            ("b", directory.path().join("b"))
        );
    }
}
