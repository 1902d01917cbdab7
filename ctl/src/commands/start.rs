//! `start`

use super::act::Action;
use super::{Command, Completes, process_names};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::results::Verb;

pub(super) const COMMAND: Command = Command {
    name: "start",
    help: "start <name>\t\tStart one process\n\
           start <gname>:*\t\tStart every process of a group\n\
           start <name> <name>\tStart several processes or groups\n\
           start all\t\tStart everything",
    completes: Completes::Processes,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let Some(names) = process_names(ctl, &COMMAND, args, ExitStatus::BadArguments)? else {
        return Ok(Flow::Continue);
    };
    start(ctl, &names)?;
    Ok(Flow::Continue)
}

/// Starts what is named.
pub(super) fn start(ctl: &mut Controller, names: &[&str]) -> Result<(), Failure> {
    let action = Action {
        verb: Verb::Start,
        one: "supervisor.startProcess",
        group: "supervisor.startProcessGroup",
        all: "supervisor.startAllProcesses",
        argument: None,
    };
    action.run(ctl, names)
}
