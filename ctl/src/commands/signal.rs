//! `signal`

use super::act::Action;
use super::{Command, Completes, usage_error};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::results::Verb;

pub(super) const COMMAND: Command = Command {
    name: "signal",
    help: "signal <signal name> <name>\t\tSend a signal to one process\n\
           signal <signal name> <gname>:*\t\tSend a signal to every process of a group\n\
           signal <signal name> <name> <name>\tSend a signal to several processes or groups\n\
           signal <signal name> all\t\tSend a signal to everything",
    completes: Completes::Processes,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let words: Vec<_> = args.split_whitespace().collect();
    let [signal, names @ ..] = words.as_slice() else {
        return too_few(ctl);
    };
    if names.is_empty() {
        return too_few(ctl);
    }
    let action = Action {
        verb: Verb::Signal,
        one: "supervisor.signalProcess",
        group: "supervisor.signalProcessGroup",
        all: "supervisor.signalAllProcesses",
        argument: Some(signal),
    };
    action.run(ctl, names)?;
    Ok(Flow::Continue)
}

fn too_few(ctl: &mut Controller) -> Result<Flow, Failure> {
    let problem = "signal requires a signal name and a process name";
    usage_error(ctl, &COMMAND, problem, ExitStatus::Failed)
}
