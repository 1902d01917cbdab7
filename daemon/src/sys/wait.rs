//! Reaping children and telling how they ended.

use std::fmt;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use config::model::SignalNumber;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatus(i32);

impl ExitStatus {
    /// Nobody knows: a status that is reported for no end.
    pub const LOST: Self = Self(0xffff);

    /// From the status word that waitpid(2) reports.
    pub const fn from_raw(status: i32) -> Self {
        Self(status)
    }

    /// The status word.
    pub const fn raw(self) -> i32 {
        self.0
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

/// A child that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaped {
    /// Its pid, free for others from now on.
    pub pid: Pid,
    /// How it ended.
    pub status: ExitStatus,
    /// What it had used of the machine.
    pub used: Used,
    /// When, if that was some time ago.
    pub at: Option<Instant>,
}

impl Reaped {
    /// A child of which nobody knows how it ended.
    pub fn lost(pid: Pid) -> Self {
        Self {
            pid,
            status: ExitStatus::LOST,
            used: Used::default(),
            at: None,
        }
    }
}

/// What there is to know of a process that may be a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// It is no child of ours.
    Stranger,
    /// It lives.
    Alive,
    /// It has ended, and stays there until it is collected.
    Ended(Reaped),
}

/// What a child and those of its descendants that it waited for have used, getrusage(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// The most resident memory at any time, in bytes.
    pub peak_memory: u64,
    /// CPU time in user and kernel mode.
    pub cpu: Duration,
}

impl Used {
    fn from_raw(usage: &libc::rusage) -> Self {
        let time = |time: libc::timeval| {
            let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
            Duration::from_secs(seconds) + Duration::from_micros(time.tv_usec.unsigned_abs())
        };
        Self {
            // Linux counts in KiB.
            peak_memory: usage.ru_maxrss.unsigned_abs().saturating_mul(1024),
            cpu: time(usage.ru_utime) + time(usage.ru_stime),
        }
    }
}

/// Collects every child that has ended, without waiting for those that live.
///
/// Includes children adopted as the init process of a container, whose pids the caller never saw.
/// Nothing can fail: having no children at all ends the iteration like having no dead ones.
pub fn reap() -> impl Iterator<Item = Reaped> {
    std::iter::from_fn(|| collect(Pid::from_raw(-1)))
}

/// Collects this child, if it has ended. Never waits.
pub fn collect(pid: Pid) -> Option<Reaped> {
    loop {
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both pointers are to live, writable memory of the right types; wait4 touches
        // no other. nix's wrappers would lose the pid of a child killed by a real-time signal.
        let pid =
            unsafe { libc::wait4(pid.as_raw(), &mut status, libc::WNOHANG, usage.as_mut_ptr()) };
        // SAFETY: integers only, which all zeroes are valid values of.
        let usage = unsafe { usage.assume_init() };
        if pid > 0 {
            return Some(Reaped {
                pid: Pid::from_raw(pid),
                status: ExitStatus(status),
                used: Used::from_raw(&usage),
                at: None,
            });
        }
        if pid == 0 || Errno::last() != Errno::EINTR {
            return None;
        }
    }
}

/// Looks at a child without collecting it. Never waits.
pub fn glance(pid: Pid) -> Glance {
    match look(libc::P_PID, pid.as_raw().unsigned_abs()) {
        Err(_) => Glance::Stranger,
        Ok(None) => Glance::Alive,
        Ok(Some(ended)) => Glance::Ended(ended),
    }
}

/// A child that has ended and was not collected yet, if there is one.
pub fn any_ended() -> Option<Pid> {
    next_ended().map(|ended| ended.pid)
}

/// The same, and how it has ended.
pub fn next_ended() -> Option<Reaped> {
    look(libc::P_ALL, 0).ok().flatten()
}

fn look(whom: libc::idtype_t, id: libc::id_t) -> nix::Result<Option<Reaped>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let options = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG;
    loop {
        // SAFETY: both pointers are to live, writable memory of the right types. The system call
        // itself, as the library's function does not tell what was used.
        let done = unsafe {
            let (info, usage) = (info.as_mut_ptr(), usage.as_mut_ptr());
            libc::syscall(libc::SYS_waitid, whom, id, info, options, usage)
        };
        match Errno::result(done) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
            Ok(_) => break,
        }
    }
    // SAFETY: integers only, which all zeroes are valid values of; the fields are those that a
    // report about a child has.
    let (pid, status, code, usage) = unsafe {
        let info = info.assume_init();
        let (pid, status) = (info.si_pid(), info.si_status());
        (pid, status, info.si_code, usage.assume_init())
    };
    let status = match code {
        libc::CLD_EXITED => (status & 0xff) << 8,
        libc::CLD_DUMPED => status | 0x80,
        _ => status,
    };
    Ok((pid > 0).then(|| Reaped {
        pid: Pid::from_raw(pid),
        status: ExitStatus(status),
        used: Used::from_raw(&usage),
        at: None,
    }))
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
                let reaped: Vec<Reaped> = reap().collect();
                let used_something = |child: &Reaped| child.used.peak_memory > 100_000;
                assert!(reaped.iter().all(used_something), "{reaped:?}");
                let reaped: BTreeMap<_, _> = reaped
                    .iter()
                    .map(|child| (child.pid, child.status.to_string()))
                    .collect();
                assert_eq!(reaped, expected);
                nix::sys::signal::kill(living, Signal::SIGKILL).unwrap();
                waitid_without_reaping(living);
                let last = reap().next().map(|child| (child.pid, child.status));
                assert_eq!(last, Some((living, ExitStatus::killed(Signal::SIGKILL))));
            },
        );
    }

    #[test]
    #[allow(clippy::zombie_processes, reason = "collecting them is what is tested")]
    fn a_glance_leaves_the_dead_where_they_are() {
        let start = |script: &str| {
            let mut command = Command::new("/bin/sh");
            let child = command.args(["-c", script]).spawn().unwrap();
            Pid::from_raw(i32::try_from(child.id()).unwrap())
        };
        let rows = [
            ("exit 3", ExitStatus::exited(3)),
            ("exit 255", ExitStatus::exited(255)),
            ("kill -TERM $$", ExitStatus::killed(Signal::SIGTERM)),
            ("kill -37 $$", ExitStatus::from_raw(37)),
        ];
        for (script, status) in rows {
            let pid = start(script);
            waitid_without_reaping(pid);
            let Glance::Ended(seen) = glance(pid) else {
                panic!("{script}");
            };
            assert_eq!((seen.pid, seen.status), (pid, status));
            assert_eq!(glance(pid), Glance::Ended(seen));
            assert_eq!(collect(pid), Some(seen));
            assert_eq!(glance(pid), Glance::Stranger);
        }
        let living = start("exec sleep 60");
        assert_eq!(glance(living), Glance::Alive);
        assert_eq!(collect(living), None);
        nix::sys::signal::kill(living, Signal::SIGKILL).unwrap();
        waitid_without_reaping(living);
        assert!(collect(living).is_some());
        let text = ExitStatus::LOST.to_string();
        assert_eq!(text, "unknown termination cause 0xffff");
        assert_eq!(ExitStatus::LOST.supervisor_code(), -1);
    }

    fn waitid_without_reaping(pid: Pid) {
        // Its result does not matter: nix cannot decode real-time signals.
        let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    }
}
