//! Sending signals by number, as nix's own `kill` knows no real-time signals, and holding back those
//! that arrive.

use nix::errno::Errno;
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

/// kill(2): `target` is a process, or minus a process group. Signal 0 only asks whether it is there.
///
/// # Errors
/// ESRCH, EPERM, or EINVAL for a number that is no signal.
pub fn kill(target: Pid, signal: i32) -> Result<(), Errno> {
    // SAFETY: kill takes two numbers and touches no memory of ours.
    Errno::result(unsafe { libc::kill(target.as_raw(), signal) }).map(drop)
}

/// Holds back all signals: what arrives waits for [`let_go`].
///
/// # Errors
/// None that can be expected.
pub fn hold() -> nix::Result<()> {
    SigSet::all().thread_set_mask()
}

/// Takes the signals that arrive again, and those that were held back.
///
/// # Errors
/// None that can be expected.
pub fn let_go() -> nix::Result<()> {
    SigSet::empty().thread_set_mask()
}
