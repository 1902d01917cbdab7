//! `serialrestart`, as the plug-in supervisor_serialrestart has it.

use client::ProcessInfo;

use super::{Command, Completes, restart, usage_error};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::selection::each_once;

pub(super) const COMMAND: Command = Command {
    name: "serialrestart",
    help: "serialrestart <name>\t\tRestart one process\n\
           serialrestart <gname>:*\t\tRestart every process of a group, one after another\n\
           serialrestart <name> <name>\tRestart several processes or groups, one after another\n\
           serialrestart <pattern>\t\tRestart what matches, one after another\n\
           serialrestart all\t\tRestart everything, one after another\n\
           Note: each runs again before the next is stopped; restart stops all of them first.",
    completes: Completes::Processes,
    run,
};

/// Restarts one after another. That a name means nothing is told and no problem for the exit status, as with the
/// plug-in.
fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let words: Vec<_> = args.split_whitespace().collect();
    if words.is_empty() {
        let problem = "serialrestart requires a process name";
        return usage_error(ctl, &COMMAND, problem, ExitStatus::Failed);
    }
    let processes = ctl.processes()?;
    let (meant, unknown) = match words.contains(&"all") {
        true => (processes.iter().collect(), Vec::new()),
        false => each_once(&processes, &words),
    };
    for word in unknown {
        ctl.print(format_args!("No such process {word}"))?;
    }
    for ProcessInfo { group, name, .. } in meant {
        restart::restart(ctl, &[&format!("{group}:{name}")])?;
    }
    Ok(Flow::Continue)
}
