//! What both listeners of a case find: a process to measure, a server to ask, a mail server, a time of day.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use callboard_tests::clock::Clock;
use callboard_tests::{procfs, wait};
use tempfile::TempDir;

use super::smtp::Smtp;
use super::target::Target;

/// 2026-11-21 11:25:22.5 UTC: half a second is one also in Python's floating point.
pub(crate) const NOW: Duration = Duration::from_millis(1_795_260_322_500);

/// The stage of a case.
pub(crate) struct Stage {
    /// A process with a child, whose memory does not change.
    family: Child,
    pub(crate) target: Target,
    pub(crate) smtp: Smtp,
    pub(crate) clock: Clock,
    dir: TempDir,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let dir = TempDir::with_prefix("callboard-").expect("a temporary directory");
        let family = Command::new("sh")
            .args(["-c", "sleep 1000 & wait"])
            .stdin(Stdio::null())
            .spawn()
            .expect("a shell");
        let stage = Self {
            family,
            target: Target::start(),
            smtp: Smtp::start(),
            clock: Clock::in_dir(dir.path(), NOW),
            dir,
        };
        wait::until("the child", || match stage.child() {
            Some(child) if child.name == "sleep" => Ok(()),
            other => Err(other),
        });
        stage
    }

    fn child(&self) -> Option<procfs::Row> {
        let mut rows = procfs::processes().into_iter();
        rows.find(|row| row.parent == self.pid())
    }

    /// The process to measure.
    pub(crate) fn pid(&self) -> i32 {
        self.family.id().cast_signed()
    }

    /// A directory for one of the two.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir(&path).expect("the directory is writable");
        path
    }

    /// Masks what depends on the place: directory, ports, pid.
    pub(crate) fn mask(&self, text: &str, dir: &Path) -> String {
        text.replace(&dir.display().to_string(), "<dir>")
            .replace(&self.target.port().to_string(), "<port>")
            .replace(&self.smtp.port().to_string(), "<smtp>")
            .replace(&self.pid().to_string(), "<pid>")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(child) = self.child() {
            let pid = nix::unistd::Pid::from_raw(child.pid);
            // It may be over; so may the shell.
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        let _ = self.family.kill();
        let _ = self.family.wait();
    }
}
