//! `restart`

use super::{Command, Completes, process_names, start, stop};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "restart",
    help: "restart <name>\t\tStop and start one process\n\
           restart <gname>:*\tStop and start every process of a group\n\
           restart <name> <name>\tStop and start several processes or groups\n\
           restart all\t\tStop and start everything\n\
           Note: configuration files are not read again; reread and update do that.",
    completes: Completes::Processes,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let Some(names) = process_names(ctl, &COMMAND, args, ExitStatus::Failed)? else {
        return Ok(Flow::Continue);
    };
    restart(ctl, &names)?;
    Ok(Flow::Continue)
}

/// First stops everything named, then starts it.
pub(super) fn restart(ctl: &mut Controller, names: &[&str]) -> Result<(), Failure> {
    stop::stop(ctl, names)?;
    start::start(ctl, names)
}
