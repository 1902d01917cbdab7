//! `clear`

use protocol::namespec::Namespec;

use super::act::{expand, report, report_all};
use super::{Command, Completes, process_names};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::results::{Outcome, Verb};

pub(super) const COMMAND: Command = Command {
    name: "clear",
    help: "clear <name>\t\tEmpty the logs of one process\n\
           clear <name> <name>\tEmpty the logs of several processes\n\
           clear all\t\tEmpty the logs of everything",
    completes: Completes::Processes,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let Some(names) = process_names(ctl, &COMMAND, args, ExitStatus::Failed)? else {
        return Ok(Flow::Continue);
    };
    if names.contains(&"all") {
        let method = "supervisor.clearAllProcessLogs";
        let results = ctl.call(method, &[])?;
        report_all(ctl, Verb::Clear, &Outcome::list(method, &results)?)?;
        return Ok(Flow::Continue);
    }
    for name in expand(ctl, &names)? {
        match Namespec::parse(&name) {
            Namespec {
                group,
                process: None,
            } => clear_group(ctl, group)?,
            _ => clear_one(ctl, &name)?,
        }
    }
    Ok(Flow::Continue)
}

fn clear_one(ctl: &mut Controller, name: &str) -> Result<(), Failure> {
    let answer = ctl.call("supervisor.clearProcessLogs", &[name.into()]);
    report(ctl, Verb::Clear, &Outcome::of_call(name, answer)?)
}

/// There is no method for it: the members one by one.
fn clear_group(ctl: &mut Controller, group: &str) -> Result<(), Failure> {
    let processes = ctl.processes()?;
    let mut members = processes
        .iter()
        .filter(|info| info.group == group)
        .peekable();
    if members.peek().is_none() {
        let line = format!("{group}: ERROR (no such group)");
        return ctl.complain(line, Verb::Clear.unknown_group());
    }
    members.try_for_each(|info| clear_one(ctl, &info.namespec()))
}
