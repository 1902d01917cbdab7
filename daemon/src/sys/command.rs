//! Finding the file that a command's first word names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use thiserror::Error;

/// Searched if neither the process's environment nor the daemon's has a `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin:/usr/local/bin";

/// Why a command cannot be started. The texts, quotes as Python's, are what clients see as
/// `spawnerr`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// No such file.
    #[error("can't find command {}", quoted(.0))]
    NotFound(PathBuf),
    /// The first match is a directory.
    #[error("command at {} is a directory", quoted(.0))]
    Directory(PathBuf),
    /// The first match is executable for nobody.
    #[error("command at {} is not executable", quoted(.0))]
    NotExecutable(PathBuf),
    /// The first match is executable, but not for us.
    #[error("no permission to run command {}", quoted(.0))]
    NoPermission(PathBuf),
}

/// Finds the file for `word`.
///
/// With a slash it is taken as it is, relative to the daemon's directory. Otherwise it is searched
/// in `path_env`, the `PATH` configured for the process, else in the daemon's own. The first entry
/// that exists wins, even if it cannot be executed.
pub fn resolve(word: &str, path_env: Option<&str>) -> Result<PathBuf, CommandError> {
    let found = match (word.contains('/'), path_env) {
        (true, _) => PathBuf::from(word),
        (false, Some(path)) => search(word, path),
        (false, None) => match std::env::var("PATH") {
            Ok(path) if !path.is_empty() => search(word, &path),
            _ => search(word, DEFAULT_PATH),
        },
    };
    check(found)
}

/// The first existing candidate; the bare word if there is none.
fn search(word: &str, path: &str) -> PathBuf {
    path.split(':')
        .map(|directory| Path::new(directory).join(word))
        .find(|candidate| candidate.exists())
        .unwrap_or_else(|| word.into())
}

fn check(file: PathBuf) -> Result<PathBuf, CommandError> {
    let Ok(metadata) = fs::metadata(&file) else {
        return Err(CommandError::NotFound(file));
    };
    if metadata.is_dir() {
        Err(CommandError::Directory(file))
    } else if metadata.permissions().mode() & 0o111 == 0 {
        Err(CommandError::NotExecutable(file))
    } else if access(&file, AccessFlags::X_OK).is_err() {
        Err(CommandError::NoPermission(file))
    } else {
        Ok(file)
    }
}

/// A path between quotes as Python's `repr` chooses and escapes them.
fn quoted(path: &Path) -> String {
    config::python_repr(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::in_own_process;

    /// A directory with a program, a plain file and a directory in `first`, programs in `second`.
    fn fixture() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for directory in ["first/folder", "second"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for (file, mode) in [
            ("first/plain", 0o644),
            ("first/private", 0o700),
            ("second/plain", 0o755),
            ("second/it's", 0o755),
        ] {
            let path = root.path().join(file);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        root
    }

    #[test]
    fn the_first_existing_entry_wins() {
        let root = fixture();
        let base = root.path().display().to_string();
        let path = format!("{base}/missing:{base}/first:{base}/second");
        let rows = [
            (
                "plain",
                Err(format!("command at '{base}/first/plain' is not executable")),
            ),
            (
                "folder",
                Err(format!("command at '{base}/first/folder' is a directory")),
            ),
            ("absent", Err("can't find command 'absent'".into())),
            ("it's", Ok(format!("{base}/second/it's"))),
            ("./absent", Err("can't find command './absent'".into())),
            ("/bin/sh", Ok("/bin/sh".into())),
        ];
        for (word, expected) in rows {
            let found = resolve(word, Some(&path));
            let found = found
                .map(|path| path.display().to_string())
                .map_err(|e| e.to_string());
            assert_eq!(found, expected, "{word}");
        }
    }

    #[test]
    fn without_a_configured_path_the_daemons_own_is_searched() {
        assert!(resolve("sh", None).unwrap().ends_with("sh"));
        assert_eq!(
            resolve("sh", Some("")),
            Err(CommandError::NotFound("sh".into()))
        );
    }

    #[test]
    fn executable_for_others_is_not_enough() {
        in_own_process(
            "sys::command::tests::executable_for_others_is_not_enough",
            || {
                let root = fixture();
                let file = root.path().join("first/private");
                if nix::unistd::getuid().is_root() {
                    nix::unistd::seteuid(65534.into()).unwrap();
                    // access(2) asks for the real user.
                    nix::unistd::setresuid(65534.into(), 65534.into(), 0.into()).unwrap();
                } else {
                    fs::set_permissions(&file, fs::Permissions::from_mode(0o611)).unwrap();
                }
                let error = resolve(&file.display().to_string(), None).unwrap_err();
                assert_eq!(error, CommandError::NoPermission(file.clone()));
                assert_eq!(
                    error.to_string(),
                    format!("no permission to run command '{}'", file.display())
                );
                let _ = nix::unistd::setresuid(0.into(), 0.into(), 0.into());
            },
        );
    }
}
