//! What happens between clone and exec. See the rules in the parent module.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;

use super::{LaunchPlan, NOT_SPAWNED};
use crate::sys::fds::FIRST_OWN;
use crate::sys::identity::{Change, IdentityError};

#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
use libc::{SYS_setgid, SYS_setgroups, SYS_setuid};
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
use libc::{
    SYS_setgid32 as SYS_setgid, SYS_setgroups32 as SYS_setgroups, SYS_setuid32 as SYS_setuid,
};

/// The step that failed in the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The shared table of descriptors could not be left.
    Unshare,
    /// Standard descriptors could not be put in place.
    Descriptors(Errno),
    /// The user could not be become.
    Identity(IdentityError),
    /// The directory could not be entered.
    Directory(Errno),
    /// The program could not be executed.
    Exec(Errno),
}

/// The descriptors that a child begins with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Table {
    /// A copy of all of ours; where stdin, stdout and stderr are.
    Copied([RawFd; 3]),
    /// Ours itself, to be left before anything else.
    Shared {
        /// Where stdin, stdout and stderr are: above 2 and below `end`.
        sources: [RawFd; 3],
        /// The first descriptor that is not needed.
        end: RawFd,
    },
}

/// A plan in the form the child needs, and its note about the outcome.
pub(super) struct Launch<'a> {
    plan: &'a LaunchPlan<'a>,
    table: Table,
    argv: *const *const c_char,
    envp: *const *const c_char,
    /// One of the steps below, 0 while nothing has failed. Atomic because the child writes it.
    failed_step: AtomicI32,
    errno: AtomicI32,
}

const DESCRIPTORS: i32 = 1;
const REFUSED: i32 = 2;
const GROUPS: i32 = 3;
const GROUP_ID: i32 = 4;
const USER_ID: i32 = 5;
const DIRECTORY: i32 = 6;
const EXEC: i32 = 7;
const UNSHARE: i32 = 8;

/// A step and the errno it failed with.
type Step = Result<(), (i32, i32)>;

/// The kernel's signal set is 64 signals wide everywhere but on MIPS.
const KERNEL_SIGSET_BYTES: usize = 8;
const LAST_SIGNAL: c_int = 64;

impl<'a> Launch<'a> {
    /// `argv` and `envp` end with a null pointer and outlive the launch.
    pub(super) fn new(
        plan: &'a LaunchPlan<'a>,
        argv: &'a [*const c_char],
        envp: &'a [*const c_char],
        table: Table,
    ) -> Self {
        Self {
            plan,
            table,
            argv: argv.as_ptr(),
            envp: envp.as_ptr(),
            failed_step: AtomicI32::new(0),
            errno: AtomicI32::new(0),
        }
    }

    /// What to share with the child, as clone(2) wants it.
    pub(super) fn clone_flags(&self) -> c_int {
        match self.table {
            Table::Copied(_) => 0,
            Table::Shared { .. } => libc::CLONE_FILES,
        }
    }

    /// What the child noted before it gave up.
    pub(super) fn failure(&self) -> Option<Failure> {
        let errno = Errno::from_raw(self.errno.load(Ordering::Relaxed));
        match self.failed_step.load(Ordering::Relaxed) {
            UNSHARE => Some(Failure::Unshare),
            DESCRIPTORS => Some(Failure::Descriptors(errno)),
            REFUSED => {
                let refusal = self
                    .plan
                    .identity
                    .and_then(|identity| identity.change.as_ref().err());
                refusal.map(|error| Failure::Identity(*error))
            }
            GROUPS => Some(Failure::Identity(IdentityError::Groups)),
            GROUP_ID => Some(Failure::Identity(IdentityError::GroupId)),
            USER_ID => Some(Failure::Identity(IdentityError::UserId)),
            DIRECTORY => Some(Failure::Directory(errno)),
            EXEC => Some(Failure::Exec(errno)),
            _ => None,
        }
    }

    /// Entry point of the child; `launch` points to a `Launch`.
    pub(super) extern "C" fn enter(launch: *mut c_void) -> c_int {
        // SAFETY: the parent passes its own `Launch` and stands still until we exec or exit.
        let launch = unsafe { &*launch.cast::<Launch<'_>>() };
        if let Err((step, errno)) = launch.run() {
            launch.errno.store(errno, Ordering::Relaxed);
            launch.failed_step.store(step, Ordering::Relaxed);
        }
        // SAFETY: ends this process alone; it is its own thread group.
        unsafe { libc::syscall(libc::SYS_exit_group, c_int::from(NOT_SPAWNED)) };
        c_int::from(NOT_SPAWNED)
    }

    /// The steps in Supervisor's order. Returns only if one of them failed.
    fn run(&self) -> Step {
        let sources = self.leave_table()?;
        reset_signals();
        // SAFETY: plain numbers.
        unsafe { libc::syscall(libc::SYS_setpgid, 0, 0) };
        place_descriptors(sources)?;
        self.become_user()?;
        if let Some(directory) = self.plan.directory {
            // SAFETY: a NUL-terminated string.
            check(DIRECTORY, unsafe {
                libc::syscall(libc::SYS_chdir, directory.as_ptr())
            })?;
        }
        if let Some(umask) = self.plan.umask {
            // SAFETY: a plain number.
            unsafe { libc::syscall(libc::SYS_umask, umask) };
        }
        let executable = self.plan.executable.as_ptr();
        // SAFETY: a NUL-terminated string and two arrays of such that end with a null pointer.
        check(EXEC, unsafe {
            libc::syscall(libc::SYS_execve, executable, self.argv, self.envp)
        })
    }

    /// Makes sure that the table of descriptors is the child's own; where its streams are in it.
    fn leave_table(&self) -> Result<[RawFd; 3], (i32, i32)> {
        match self.table {
            Table::Copied(sources) => Ok(sources),
            Table::Shared { sources, end } => {
                // SAFETY: from here on the table is a copy that ends below `end`: nothing of the
                // parent's is closed.
                check(UNSHARE, unsafe {
                    let flags = libc::CLOSE_RANGE_UNSHARE;
                    libc::syscall(libc::SYS_close_range, end, libc::c_uint::MAX, flags)
                })?;
                Ok(sources)
            }
        }
    }

    fn become_user(&self) -> Step {
        let Some(identity) = self.plan.identity else {
            return Ok(());
        };
        match &identity.change {
            Err(_) => Err((REFUSED, 0)),
            Ok(Change::Nothing) => Ok(()),
            Ok(Change::Everything { gid, groups }) => {
                // SAFETY: `Gid` is a transparent gid_t, so this is an array of that many. The raw
                // calls change this process only, where libc's would signal the parent's threads.
                unsafe {
                    let (count, list) = (groups.len(), groups.as_ptr());
                    check(GROUPS, libc::syscall(SYS_setgroups, count, list))?;
                    check(GROUP_ID, libc::syscall(SYS_setgid, gid.as_raw()))?;
                    check(USER_ID, libc::syscall(SYS_setuid, identity.uid.as_raw()))
                }
            }
        }
    }
}

/// Puts the three streams at 0, 1 and 2. Sources below 3 are moved out of the way first.
fn place_descriptors(sources: [RawFd; 3]) -> Step {
    let mut safe = [0 as RawFd; 3];
    for (place, source) in safe.iter_mut().zip(sources) {
        *place = above_standard(source)?;
    }
    for (target, source) in (0 as RawFd..).zip(safe) {
        // SAFETY: plain numbers; the table of descriptors is the child's own.
        check(DESCRIPTORS, unsafe {
            libc::syscall(libc::SYS_dup3, source, target, 0)
        })?;
    }
    // Ours are close-on-exec anyhow; this catches what a library may have opened without. A
    // kernel that cannot do it says so and changes nothing.
    // SAFETY: as above; only sets flags.
    unsafe {
        let flags = libc::CLOSE_RANGE_CLOEXEC;
        libc::syscall(libc::SYS_close_range, FIRST_OWN, libc::c_uint::MAX, flags)
    };
    Ok(())
}

fn above_standard(fd: RawFd) -> Result<RawFd, (i32, i32)> {
    if fd >= FIRST_OWN {
        return Ok(fd);
    }
    // SAFETY: plain numbers.
    let moved = unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, FIRST_OWN) };
    check(DESCRIPTORS, moved)?;
    Ok(moved as RawFd)
}

/// Default dispositions first, then an empty mask: no handler of ours ever runs in the child.
fn reset_signals() {
    // Larger than any kernel_sigaction; all zero is SIG_DFL without flags. And an empty mask.
    let zeros = [0_u64; 8];
    let nothing = std::ptr::null_mut::<c_void>();
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: reads a zeroed structure, writes nothing. Fails for KILL and STOP, as it should.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                zeros.as_ptr(),
                nothing,
                KERNEL_SIGSET_BYTES,
            )
        };
    }
    // SAFETY: reads a zeroed signal set, writes nothing.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            zeros.as_ptr(),
            nothing,
            KERNEL_SIGSET_BYTES,
        )
    };
}

fn check(step: i32, result: c_long) -> Step {
    if result >= 0 {
        Ok(())
    } else {
        Err((step, Errno::last_raw()))
    }
}
