//! The fork after which one is the keeper and the other the daemon.

use std::path::Path;

use config::model::ProgramsOnDeath;

use super::Keeper;
use super::host::Host;
use crate::sys::{packets, parent, signal};
use crate::upgrade::Program;

/// Which of the two this is.
pub enum Side {
    /// The keeper: to be run, and never to be dropped.
    Keeper(Box<Host>),
    /// The daemon, and its line to the keeper.
    Daemon(Keeper),
}

/// Puts a keeper above the daemon. `program` is what it starts again, `start_dir` what relative paths
/// mean. To be called while there is one thread; all signals are held back afterwards.
///
/// # Errors
/// No process or descriptor is left; then nothing has happened.
pub fn split(mode: ProgramsOnDeath, program: &Program, start_dir: &Path) -> nix::Result<Side> {
    let (ours, theirs) = packets::pair()?;
    signal::hold()?;
    // Before the fork, so that no child of the daemon is missed.
    parent::adopt_orphans()?;
    match parent::fork() {
        Ok(Some(daemon)) => {
            let host = Host::new(mode, program.clone(), start_dir, daemon, ours);
            Ok(Side::Keeper(Box::new(host)))
        }
        Ok(None) => Ok(Side::Daemon(Keeper::new(theirs))),
        Err(errno) => {
            parent::leave_orphans();
            Err(errno)
        }
    }
}
