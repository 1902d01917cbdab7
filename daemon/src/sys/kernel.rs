//! What processes ask of the kernel about their children, so that a test may be the kernel.

use nix::errno::Errno;
use nix::unistd::Pid;

use super::signal;
use super::spawn::{self, LaunchPlan, SpawnError};

/// Creates processes and sends them signals.
pub trait Kernel {
    /// Creates a child.
    ///
    /// # Errors
    /// As [`spawn::spawn`].
    fn spawn(&self, plan: &LaunchPlan<'_>) -> Result<Pid, SpawnError>;

    /// Sends a signal to a process, or to a process group.
    ///
    /// # Errors
    /// As [`signal::kill`].
    fn kill(&self, target: Pid, signal: i32) -> Result<(), Errno>;
}

/// The one that is there.
#[derive(Debug, Clone, Copy)]
pub struct Linux;

impl Kernel for Linux {
    fn spawn(&self, plan: &LaunchPlan<'_>) -> Result<Pid, SpawnError> {
        spawn::spawn(plan)
    }

    fn kill(&self, target: Pid, signal: i32) -> Result<(), Errno> {
        signal::kill(target, signal)
    }
}
