//! Sending signals by number: nix's own `kill` knows no real-time signals.

use nix::errno::Errno;
use nix::unistd::Pid;

/// kill(2): `target` is a process, or minus a process group. Signal 0 only asks whether it is there.
///
/// # Errors
/// ESRCH, EPERM, or EINVAL for a number that is no signal.
pub fn kill(target: Pid, signal: i32) -> Result<(), Errno> {
    // SAFETY: kill takes two numbers and touches no memory of ours.
    Errno::result(unsafe { libc::kill(target.as_raw(), signal) }).map(drop)
}
