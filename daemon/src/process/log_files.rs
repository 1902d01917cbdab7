//! Where a process's output is kept.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::model::{ChildLog, OutputConfig, ProcessConfig};

use super::actor::LogPaths;
use crate::logs::auto;
use crate::logs::changes::Changes;
use crate::logs::rotate::{RotatingFile, Rotation, clear_path};

/// The mode of log files that are not AUTO logs, before the umask.
const MODE: u32 = 0o666;

/// Where the two channels of a process are logged.
pub(super) struct Logs {
    stdout: LogTarget,
    stderr: LogTarget,
}

struct LogTarget {
    path: Option<Arc<PathBuf>>,
    rotation: Rotation,
    mode: u32,
    /// Nobody has asked for this log by name: the process runs without it, too.
    is_optional: bool,
    changes: Changes,
}

/// The opened logs of a child.
pub(super) struct LogFiles {
    pub(super) stdout: Option<RotatingFile>,
    pub(super) stderr: Option<RotatingFile>,
}

impl Logs {
    pub(super) fn new(config: &ProcessConfig, paths: LogPaths) -> Self {
        let target = |output: &OutputConfig, path: Option<Arc<PathBuf>>, changes| LogTarget {
            path: path.filter(|_| output.logfile != ChildLog::Empty),
            rotation: Rotation::new(output.maxbytes, output.backups),
            mode: match output.logfile {
                ChildLog::Auto => auto::MODE,
                ChildLog::None | ChildLog::Empty | ChildLog::File(_) => MODE,
            },
            is_optional: output.logfile == ChildLog::Auto,
            changes,
        };
        Self {
            stdout: target(&config.stdout, paths.stdout, paths.stdout_changes),
            stderr: target(&config.stderr, paths.stderr, paths.stderr_changes),
        }
    }

    /// Empties both, for a process that is not running.
    pub(super) fn clear(&self) -> io::Result<()> {
        let (stdout, stderr) = (self.stdout.clear(), self.stderr.clear());
        stdout.and(stderr)
    }

    /// Where both are, and who is told of changes.
    pub(super) fn paths(&self) -> LogPaths {
        LogPaths {
            stdout: self.stdout.path.clone(),
            stderr: self.stderr.path.clone(),
            stdout_changes: self.stdout.changes.clone(),
            stderr_changes: self.stderr.changes.clone(),
        }
    }

    /// Opens both for a child that has been there before; one that cannot be opened is told of.
    pub(super) fn reopen(&self, tell: impl Fn(io::Error)) -> LogFiles {
        let open = |target: &LogTarget| target.open().map_err(&tell).ok().flatten();
        LogFiles {
            stdout: open(&self.stdout),
            stderr: open(&self.stderr),
        }
    }

    /// Opens both for a new child. An AUTO log that cannot be opened is told of, and tried again for the next child.
    ///
    /// # Errors
    /// Another one cannot be opened, or there are no descriptors left.
    pub(super) fn open(&self, tell: impl Fn(&Path, io::Error)) -> io::Result<LogFiles> {
        let open = |target: &LogTarget| match (target.open(), &target.path) {
            (Err(error), Some(path)) if target.can_do_without(&error) => {
                tell(path, error);
                Ok(None)
            }
            (opened, _) => opened,
        };
        Ok(LogFiles {
            stdout: open(&self.stdout)?,
            stderr: open(&self.stderr)?,
        })
    }
}

impl LogTarget {
    fn open(&self) -> io::Result<Option<RotatingFile>> {
        let open = |path: &Arc<PathBuf>| {
            RotatingFile::open_with(path, self.rotation, self.mode, self.changes.clone())
        };
        self.path.as_ref().map(open).transpose()
    }

    /// Without descriptors a child had better wait.
    fn can_do_without(&self, error: &io::Error) -> bool {
        let are_used_up = matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
        self.is_optional && !are_used_up
    }

    fn clear(&self) -> io::Result<()> {
        match &self.path {
            Some(path) => {
                let cleared = clear_path(path);
                self.changes.announce();
                cleared
            }
            None => Ok(()),
        }
    }
}
