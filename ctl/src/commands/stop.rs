//! `stop`

use super::act::Action;
use super::{Command, Completes, process_names};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::results::Verb;

pub(super) const COMMAND: Command = Command {
    name: "stop",
    help: "stop <name>\t\tStop one process\n\
           stop <gname>:*\t\tStop every process of a group\n\
           stop <name> <name>\tStop several processes or groups\n\
           stop all\t\tStop everything",
    completes: Completes::Processes,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let Some(names) = process_names(ctl, &COMMAND, args, ExitStatus::Failed)? else {
        return Ok(Flow::Continue);
    };
    stop(ctl, &names)?;
    Ok(Flow::Continue)
}

/// Stops what is named.
pub(super) fn stop(ctl: &mut Controller, names: &[&str]) -> Result<(), Failure> {
    let action = Action {
        verb: Verb::Stop,
        one: "supervisor.stopProcess",
        group: "supervisor.stopProcessGroup",
        all: "supervisor.stopAllProcesses",
        argument: None,
    };
    action.run(ctl, names)
}
