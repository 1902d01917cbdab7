//! Starting a child the way vfork does: without copying the daemon's page tables.
//!
//! The child shares our memory until it execs or exits, and we stand still meanwhile. That keeps
//! the cost of a start independent of the daemon's size, and lets the child leave a note in
//! [`Failure`] about the step that failed. Rules for the code that runs in between, in
//! [`Launch::run`]: raw system calls only, no allocation, no library function that might signal
//! threads or take a lock.
//!
//! A step that fails in the child is not an error of [`spawn`]: as in Supervisor there is a pid,
//! two lines of explanation on the child's stderr, and an exit status of 127.

mod child;
mod slots;
mod stack;

use std::cell::RefCell;

use std::ffi::{CStr, CString, c_char};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, write};
use thiserror::Error;

use self::child::{Failure, Launch, Table};
use self::slots::Slots;
use super::errno_name;
use super::fds::FIRST_OWN;
use super::identity::Identity;

/// Exit status of a child that could not be turned into its program.
pub const NOT_SPAWNED: u8 = 127;

/// The longest complaint written to the child's stderr: a fresh pipe takes it without waiting.
const LONGEST_COMPLAINT: usize = 16 * 1024;

/// Everything needed to start a program, looked up and formatted beforehand.
#[derive(Debug, Clone, Copy)]
pub struct LaunchPlan<'a> {
    /// The file to execute; a relative path is looked up after changing to `directory`.
    pub executable: &'a CStr,
    /// Arguments, the program's name first.
    pub argv: &'a [CString],
    /// The whole environment as `NAME=value`.
    pub envp: &'a [CString],
    /// Becomes descriptor 0.
    pub stdin: BorrowedFd<'a>,
    /// Becomes descriptor 1.
    pub stdout: BorrowedFd<'a>,
    /// Becomes descriptor 2; the same as `stdout` to redirect stderr.
    pub stderr: BorrowedFd<'a>,
    /// Whom to become; `None`: stay who we are.
    pub identity: Option<&'a Identity>,
    /// Where to change to.
    pub directory: Option<&'a CStr>,
    /// The umask to set.
    pub umask: Option<u32>,
}

/// The kernel gave us no process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("cannot create a process: {0}")]
pub struct SpawnError(pub Errno);

impl SpawnError {
    /// Supervisor's text for the failed start of `process`.
    pub fn describe(self, process: &str) -> String {
        match self.0 {
            Errno::EAGAIN => format!("Too many processes in process table to spawn '{process}'"),
            errno => format!(
                "unknown error during fork for '{process}': {}",
                errno_name(errno)
            ),
        }
    }
}

/// Starts a child in a process group of its own, with default signal dispositions, an empty signal
/// mask and no descriptors but 0, 1 and 2. Returns when it has executed its program or given up.
pub fn spawn(plan: &LaunchPlan<'_>) -> Result<Pid, SpawnError> {
    let argv = null_terminated(plan.argv);
    let envp = null_terminated(plan.envp);
    SLOTS.with_borrow_mut(|state| {
        if let SlotState::Reserved(slots) = state.reserve() {
            match launch_sharing(plan, &argv, &envp, slots).map_err(SpawnError)? {
                Some(pid) => return Ok(pid),
                None => *state = SlotState::Unsupported,
            }
        }
        let streams = [plan.stdin, plan.stdout, plan.stderr].map(|fd| fd.as_raw_fd());
        let launch = Launch::new(plan, &argv, &envp, Table::Copied(streams));
        let pid = with_signals_blocked(|| stack::clone_onto(&launch)).map_err(SpawnError)?;
        if let Some(failure) = launch.failure() {
            complain(plan, failure);
        }
        Ok(pid)
    })
}

/// Reserves low descriptors for [`spawn`]. Called early, while low ones are free; without it the
/// first start does so.
pub fn prepare() {
    SLOTS.with_borrow_mut(|state| {
        state.reserve();
    });
}

thread_local! {
    static SLOTS: RefCell<SlotState> = const { RefCell::new(SlotState::New) };
}

enum SlotState {
    New,
    Reserved(Slots),
    /// The kernel cannot unshare (before 5.9), or there was no descriptor left to reserve.
    Unsupported,
}

impl SlotState {
    fn reserve(&mut self) -> &Self {
        if let Self::New = self {
            *self = Slots::reserve().map_or(Self::Unsupported, Self::Reserved);
        }
        self
    }
}

/// Starts a child that begins with our table of descriptors. `None`: the kernel does not let it
/// leave the table.
fn launch_sharing(
    plan: &LaunchPlan<'_>,
    argv: &[*const c_char],
    envp: &[*const c_char],
    slots: &Slots,
) -> nix::Result<Option<Pid>> {
    let filled = slots.fill([plan.stdin, plan.stdout, plan.stderr])?;
    let table = Table::Shared {
        sources: filled.sources(),
        end: filled.end(),
    };
    let launch = Launch::new(plan, argv, envp, table);
    let pid = with_signals_blocked(|| stack::clone_onto(&launch))?;
    match launch.failure() {
        Some(Failure::Unshare) => {
            // It has touched nothing; nobody is to hear of it.
            let _ = waitpid(pid, None);
            return Ok(None);
        }
        Some(failure) => complain(plan, failure),
        None => {}
    }
    Ok(Some(pid))
}

fn null_terminated(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|s| s.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// Keeps handlers from running in the child while it shares our memory.
fn with_signals_blocked<T>(action: impl FnOnce() -> nix::Result<T>) -> nix::Result<T> {
    let mut before = SigSet::empty();
    pthread_sigmask(
        SigmaskHow::SIG_BLOCK,
        Some(&SigSet::all()),
        Some(&mut before),
    )?;
    let result = action();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    result
}

/// Writes what the child would have said, to where it would have said it.
fn complain(plan: &LaunchPlan<'_>, failure: Failure) {
    let mut text = describe(plan, failure);
    text.truncate(LONGEST_COMPLAINT);
    text.extend_from_slice(b"supervisor: child process was not spawned\n");
    // If nobody can read it there is nobody to tell.
    let _ = write(plan.stderr, &text);
}

fn describe(plan: &LaunchPlan<'_>, failure: Failure) -> Vec<u8> {
    let line = |what: &str, subject: &[u8], cause: String| {
        let cause = format!(": {cause}\n");
        [
            b"supervisor: couldn't ",
            what.as_bytes(),
            b" ",
            subject,
            cause.as_bytes(),
        ]
        .concat()
    };
    match failure {
        Failure::Unshare | Failure::Descriptors(_) => Vec::new(),
        Failure::Identity(error) => {
            let uid = plan
                .identity
                .map_or(String::new(), |identity| identity.uid.to_string());
            line("setuid to", uid.as_bytes(), error.to_string())
        }
        Failure::Directory(errno) => {
            let directory = plan.directory.map_or(&b""[..], CStr::to_bytes);
            line("chdir to", directory, errno_name(errno))
        }
        Failure::Exec(errno) => {
            let name = plan
                .argv
                .first()
                .map_or(plan.executable.to_bytes(), |s| s.to_bytes());
            line("exec", name, errno_name(errno))
        }
    }
}

#[cfg(test)]
mod tests;
