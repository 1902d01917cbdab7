//! Being the parent of a daemon: forking it, having what it leaves, dying the way it did.

use std::fs;
use std::os::fd::{OwnedFd, RawFd};
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::unistd::{ForkResult, Pid};

use super::clock;
use super::fds::FIRST_OWN;

/// Forks; `None` in the child. To be called while there is one thread.
///
/// # Errors
/// No process or memory is left.
pub fn fork() -> nix::Result<Option<Pid>> {
    // SAFETY: there is one thread, so the child inherits no lock that another one holds.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// Becomes the parent of every descendant that loses its own: prctl(2), PR_SET_CHILD_SUBREAPER.
///
/// # Errors
/// None that can be expected.
pub fn adopt_orphans() -> nix::Result<()> {
    prctl::set_child_subreaper(true)
}

/// Undoes [`adopt_orphans`].
pub fn leave_orphans() {
    // It worked the other way round.
    let _ = prctl::set_child_subreaper(false);
}

/// What process lists call this process from now on, as far as they do not show its arguments.
pub fn rename(name: &std::ffi::CStr) {
    // Only people would notice.
    let _ = prctl::set_name(name);
}

/// Closes all descriptors but the standard ones and `kept`. What owned them must never be dropped.
pub fn close_all_but(kept: RawFd) {
    close_range(FIRST_OWN, kept - 1);
    close_range(kept + 1, RawFd::MAX);
}

fn close_range(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    // SAFETY: their owners are forgotten, as the caller promises.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if done == 0 {
        return;
    }
    // Kernels before 5.9.
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten();
    let numbers: Vec<RawFd> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in numbers {
        if (first..=last).contains(&fd) {
            // SAFETY: as above.
            unsafe { libc::close(fd) };
        }
    }
}

/// Keeps what is opened from now on away from low numbers, as long as the answer is kept.
pub fn occupy_below(end: RawFd) -> Vec<OwnedFd> {
    let open = || fs::File::open("/dev/null").ok().map(OwnedFd::from);
    let is_low = |fd: &OwnedFd| std::os::fd::AsRawFd::as_raw_fd(fd) < end;
    std::iter::from_fn(open).take_while(is_low).collect()
}

/// The children of this process. Empty where the kernel does not tell.
pub fn children() -> Vec<Pid> {
    let list = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let pids = list.split_ascii_whitespace();
    pids.filter_map(|pid| pid.parse().ok().map(Pid::from_raw))
        .collect()
}

/// The other children of our parent. Empty where the kernel does not tell.
pub fn siblings() -> Vec<Pid> {
    let parent = nix::unistd::getppid();
    let list = format!("/proc/{parent}/task/{parent}/children");
    let list = fs::read_to_string(list).unwrap_or_default();
    let pids = list.split_ascii_whitespace();
    let pids = pids.filter_map(|pid| pid.parse().ok().map(Pid::from_raw));
    pids.filter(|pid| *pid != nix::unistd::getpid()).collect()
}

/// How long a process has existed.
pub fn age(pid: Pid) -> Option<Duration> {
    /// Behind the name, which may hold blanks: proc_pid_stat(5), field 22.
    const START: usize = 19;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_ascii_whitespace().nth(START)?.parse().ok()?;
    let second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    let millis = ticks.checked_mul(1000)? / u64::try_from(second).ok()?;
    Some(clock::since_boot().saturating_sub(Duration::from_millis(millis)))
}

/// Ends this process at once, without anything that is done at an exit.
pub fn exit(code: i32) -> ! {
    // SAFETY: it does not return, and nobody is left who could mind.
    unsafe { libc::_exit(code) }
}

/// Dies by this signal, without a core dump; with the exit code of shells where that does not work.
pub fn die_by(number: i32) -> ! {
    // The core is that of whom it has killed first.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    if let Ok(signal) = Signal::try_from(number) {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: the default action runs no code of ours.
        let _ = unsafe { sigaction(signal, &default) };
        let _ = SigSet::from(signal).thread_unblock();
        let _ = raise(signal);
    }
    exit(128 + number)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::{AsRawFd as _, IntoRawFd as _};

    use super::*;
    use crate::sys::handover::is_open;
    use crate::sys::testing::in_own_process;
    use crate::sys::wait::{self, ExitStatus};

    fn end_of(pid: Pid) -> ExitStatus {
        loop {
            if let Some(child) = wait::collect(pid) {
                return child.status;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_child_ends_as_it_is_told_to() {
        in_own_process("sys::parent::tests::a_child_ends_as_it_is_told_to", || {
            let Some(child) = fork().unwrap() else {
                exit(7)
            };
            assert!(children().contains(&child));
            assert_eq!(end_of(child), ExitStatus::exited(7));
            let Some(child) = fork().unwrap() else {
                die_by(Signal::SIGABRT as i32)
            };
            assert_eq!(end_of(child), ExitStatus::killed(Signal::SIGABRT));
        });
    }

    #[test]
    fn orphans_come_to_whom_adopts_them() {
        in_own_process(
            "sys::parent::tests::orphans_come_to_whom_adopts_them",
            || {
                adopt_orphans().unwrap();
                let (ours, theirs) = nix::unistd::pipe().unwrap();
                let Some(child) = fork().unwrap() else {
                    let Some(_grandchild) = fork().unwrap() else {
                        drop(ours);
                        exit(3)
                    };
                    exit(0)
                };
                drop(theirs);
                // Its end says that both have ended.
                assert_eq!(nix::unistd::read(&ours, &mut [0]), Ok(0));
                assert_eq!(end_of(child), ExitStatus::exited(0));
                let orphan = loop {
                    if let Some(orphan) = wait::reap().next() {
                        break orphan;
                    }
                };
                assert_eq!(orphan.status, ExitStatus::exited(3));
                leave_orphans();
            },
        );
    }

    #[test]
    fn only_what_is_kept_stays_open() {
        in_own_process("sys::parent::tests::only_what_is_kept_stays_open", || {
            let open = || File::open("/dev/null").unwrap().into_raw_fd();
            let [before, kept, after] = [open(), open(), open()];
            close_all_but(kept);
            assert_eq!(
                [before, kept, after, 2].map(is_open),
                [false, true, false, true]
            );
            let occupied = occupy_below(12);
            assert!(occupied.iter().all(|fd| fd.as_raw_fd() < 12));
            let next = File::open("/dev/null").unwrap();
            assert!(next.as_raw_fd() >= 12);
        });
    }
}
