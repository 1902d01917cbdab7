//! Leaving the terminal: one fork, with an original process that waits until the daemon is ready.
//!
//! ```text
//! original --fork--> daemon: chdir, setsid, umask, 0-2 to /dev/null, then start up
//!     |                 |
//!     |<-- "ready" -----|   original shows warnings, if there are any, and exits 0
//!     |<-- message -----|   original shows it and exits 2
//!     |<-- end of file--|   the daemon died: original exits 2
//! ```
//!
//! Supervisor's original process exits right after the fork, so scripts that start it race with the
//! pidfile. To be called before there is a runtime or a thread.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, pipe2, setsid};
use thiserror::Error;

/// First byte of the report of a daemon that is ready; any other report is an error message.
const READY: u8 = 0;

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Role {
    /// The one that was started; it waits, then exits.
    Original(Watch),
    /// The one that stays.
    Daemon(Detached),
}

/// The daemon's view after the fork.
#[derive(Debug)]
pub struct Detached {
    /// To be told how the start ends.
    pub readiness: Readiness,
    /// Whether the configured directory could be entered; if not, the daemon goes on.
    pub directory: Result<(), Errno>,
}

/// The daemon's promise to report. Dropped without a word it counts as a failed start.
#[derive(Debug)]
#[must_use]
pub struct Readiness {
    report: File,
    /// What the original process is to show although the daemon is up.
    warnings: Vec<String>,
}

/// The original process's end of the report.
#[derive(Debug)]
pub struct Watch(File);

/// The daemon could not be started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StartError {
    /// What the daemon said.
    #[error("{0}")]
    Reported(String),
    /// It said nothing.
    #[error("the daemon died while it was starting")]
    Died,
}

/// Forks and detaches the child from terminal and session; `mask` is its umask.
pub fn daemonize(directory: Option<&Path>, mask: u32) -> nix::Result<Role> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    // SAFETY: there is one thread only, so the child inherits no lock that another one holds.
    match unsafe { fork() }? {
        ForkResult::Parent { .. } => Ok(Role::Original(Watch(read.into()))),
        ForkResult::Child => {
            let directory = directory.map_or(Ok(()), nix::unistd::chdir);
            dup2_stdin(&null)?;
            dup2_stdout(&null)?;
            dup2_stderr(&null)?;
            setsid()?;
            umask(Mode::from_bits_truncate(mask));
            Ok(Role::Daemon(Detached {
                readiness: Readiness {
                    report: write.into(),
                    warnings: Vec::new(),
                },
                directory,
            }))
        }
    }
}

impl Readiness {
    /// Something that whoever starts the daemon should know, though it goes on.
    pub fn warn(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }

    /// The daemon is up: the original process exits with 0.
    pub fn ready(mut self) {
        // Without an original process nobody wants to know.
        let _ = self.report.write_all(&[READY]);
        let _ = self.report.write_all(self.warnings.join("\n").as_bytes());
    }

    /// The daemon gives up: the original process shows `message` and exits with 2.
    pub fn failed(mut self, message: &str) {
        let _ = self.report.write_all(message.as_bytes());
    }
}

impl Watch {
    /// Waits until the daemon has reported or died: what there is to say although it is up.
    pub fn wait(mut self) -> Result<String, StartError> {
        let mut report = Vec::new();
        // A broken report is worth as much as none.
        let _ = self.0.read_to_end(&mut report);
        match report.first() {
            Some(&READY) => Ok(String::from_utf8_lossy(&report[1..]).into_owned()),
            Some(_) => Err(StartError::Reported(
                String::from_utf8_lossy(&report).into_owned(),
            )),
            None => Err(StartError::Died),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use nix::unistd::{getpid, getsid};

    use super::*;
    use crate::sys::testing::in_own_process;

    /// Daemonizes, runs `daemon` in the child and returns what the original process learns.
    fn outcome(
        directory: Option<&Path>,
        daemon: impl FnOnce(Detached),
    ) -> Result<String, StartError> {
        match daemonize(directory, 0o027).unwrap() {
            Role::Original(watch) => watch.wait(),
            Role::Daemon(detached) => {
                daemon(detached);
                // SAFETY: ends the child at once, without the test harness's own exit work.
                unsafe { libc::_exit(0) }
            }
        }
    }

    #[test]
    fn the_original_learns_how_the_start_ended() {
        in_own_process(
            "sys::daemonize::tests::the_original_learns_how_the_start_ended",
            || {
                let calm = outcome(None, |daemon| daemon.readiness.ready());
                assert_eq!(calm, Ok(String::new()));
                let warned = outcome(None, |mut daemon| {
                    daemon.readiness.warn("look out");
                    daemon.readiness.ready();
                });
                assert_eq!(warned, Ok("look out".to_owned()));
                assert_eq!(
                    outcome(None, |daemon| daemon.readiness.failed("no socket")),
                    Err(StartError::Reported("no socket".into()))
                );
                assert_eq!(outcome(None, drop), Err(StartError::Died));
            },
        );
    }

    #[test]
    fn the_daemon_is_detached() {
        in_own_process("sys::daemonize::tests::the_daemon_is_detached", || {
            let home = tempfile::tempdir().unwrap();
            let null = fs::metadata("/dev/null").unwrap().rdev();
            let check = |detached: Detached| {
                detached.directory.unwrap();
                let facts = [
                    getsid(None) == Ok(getpid()),
                    fs::File::create("made").is_ok(),
                    (0..3).all(|fd| {
                        fs::metadata(format!("/proc/self/fd/{fd}"))
                            .is_ok_and(|metadata| metadata.rdev() == null)
                    }),
                ];
                match facts {
                    [true, true, true] => detached.readiness.ready(),
                    facts => detached.readiness.failed(&format!("{facts:?}")),
                }
            };
            assert_eq!(outcome(Some(home.path()), check), Ok(String::new()));
            let mode = fs::metadata(home.path().join("made")).unwrap().mode();
            assert_eq!(mode & 0o777, 0o640, "the umask applies");
        });
    }

    #[test]
    fn a_missing_directory_is_told_and_survived() {
        in_own_process(
            "sys::daemonize::tests::a_missing_directory_is_told_and_survived",
            || {
                let tell = |detached: Detached| {
                    detached
                        .readiness
                        .failed(&format!("{:?}", detached.directory));
                };
                assert_eq!(
                    outcome(Some(Path::new("/no/such/place")), tell),
                    Err(StartError::Reported("Err(ENOENT)".into()))
                );
            },
        );
    }
}
