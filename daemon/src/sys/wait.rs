//! Reaping children and telling how they ended.

use std::fmt;

use config::model::SignalNumber;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(i32);

impl ExitStatus {
    /// From the status word that waitpid(2) reports.
    pub const fn from_raw(status: i32) -> Self {
        Self(status)
    }

    /// The status of a child that called exit(`code`), 0 to 255.
    pub const fn exited(code: u8) -> Self {
        Self((code as i32) << 8)
    }

    /// The status of a child that a signal has killed, without a core dump.
    pub const fn killed(signal: Signal) -> Self {
        Self(signal as i32)
    }

    /// The exit code; `None` after a death by signal.
    pub fn code(self) -> Option<i32> {
        libc::WIFEXITED(self.0).then(|| libc::WEXITSTATUS(self.0))
    }

    /// The number of the signal that killed the child (a number: nix knows no real-time signals).
    pub fn signal(self) -> Option<i32> {
        libc::WIFSIGNALED(self.0).then(|| libc::WTERMSIG(self.0))
    }

    /// The signal made the child leave a core dump.
    pub fn core_dumped(self) -> bool {
        libc::WIFSIGNALED(self.0) && libc::WCOREDUMP(self.0)
    }

    /// What Supervisor calls the exit status: the exit code, or -1 after a death by signal.
    pub fn supervisor_code(self) -> i32 {
        self.code().unwrap_or(-1)
    }
}

/// Supervisor's wording: `exit status 2`, `terminated by SIGSEGV (core dumped)`.
impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code(), self.signal()) {
            (Some(code), _) => write!(f, "exit status {code}"),
            (None, Some(signal)) => write!(f, "terminated by {}", SignalNumber::from_raw(signal)),
            (None, None) => write!(f, "unknown termination cause {:#06x}", self.0),
        }?;
        if self.core_dumped() {
            f.write_str(" (core dumped)")?;
        }
        Ok(())
    }
}

/// Collects every child that has ended, without waiting for those that live.
///
/// Includes children adopted as the init process of a container, whose pids the caller never saw.
/// Nothing can fail: having no children at all ends the iteration like having no dead ones.
pub fn reap() -> impl Iterator<Item = (Pid, ExitStatus)> {
    std::iter::from_fn(|| {
        loop {
            let mut status = 0;
            // SAFETY: `status` is a live, writable int; waitpid touches no other memory.
            // nix's wrapper would lose the pid of a child killed by a real-time signal.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid > 0 {
                return Some((Pid::from_raw(pid), ExitStatus(status)));
            }
            if pid == 0 || Errno::last() != Errno::EINTR {
                return None;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use nix::sys::wait::{Id, WaitPidFlag, waitid};

    use super::*;
    use crate::sys::testing::in_own_process;

    #[test]
    fn statuses_read_like_supervisors() {
        let rows = [
            (0x0000, "exit status 0", 0),
            (0x0200, "exit status 2", 2),
            (0xff00, "exit status 255", 255),
            (15, "terminated by SIGTERM", -1),
            (11 | 0x80, "terminated by SIGSEGV (core dumped)", -1),
            (29, "terminated by SIGPOLL", -1),
            (34, "terminated by SIGRTMIN", -1),
            (37, "terminated by signal 37", -1),
            (64, "terminated by SIGRTMAX", -1),
            (0x137f, "unknown termination cause 0x137f", -1),
        ];
        for (raw, text, code) in rows {
            let status = ExitStatus::from_raw(raw);
            assert_eq!(status.to_string(), text);
            assert_eq!(status.supervisor_code(), code, "{text}");
        }
        assert_eq!(ExitStatus::exited(7), ExitStatus::from_raw(0x0700));
        assert_eq!(ExitStatus::killed(Signal::SIGKILL).signal(), Some(9));
    }

    #[test]
    #[allow(clippy::zombie_processes, reason = "collecting them is what is tested")]
    fn reaping_collects_the_dead_and_leaves_the_living() {
        in_own_process(
            "sys::wait::tests::reaping_collects_the_dead_and_leaves_the_living",
            || {
                let start = |script: &str| {
                    let child = Command::new("/bin/sh")
                        .args(["-c", script])
                        .spawn()
                        .unwrap();
                    Pid::from_raw(i32::try_from(child.id()).unwrap())
                };
                assert_eq!(reap().count(), 0);
                let living = start("exec sleep 60");
                let expected: BTreeMap<_, _> = [
                    (start("exit 3"), "exit status 3"),
                    (start("kill -TERM $$"), "terminated by SIGTERM"),
                    (start("kill -37 $$"), "terminated by signal 37"),
                ]
                .map(|(pid, text)| (pid, text.to_owned()))
                .into();
                for pid in expected.keys() {
                    waitid_without_reaping(*pid);
                }
                let reaped: BTreeMap<_, _> = reap()
                    .map(|(pid, status)| (pid, status.to_string()))
                    .collect();
                assert_eq!(reaped, expected);
                nix::sys::signal::kill(living, Signal::SIGKILL).unwrap();
                waitid_without_reaping(living);
                assert_eq!(
                    reap().next(),
                    Some((living, ExitStatus::killed(Signal::SIGKILL)))
                );
            },
        );
    }

    fn waitid_without_reaping(pid: Pid) {
        // Its result does not matter: nix cannot decode real-time signals.
        let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    }
}
