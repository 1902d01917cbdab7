//! `add`

use protocol::faults::FaultCode;

use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "add",
    help: "add <name> [...]\tPut groups of the configuration into service",
    completes: Completes::Groups,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    for name in args.split_whitespace() {
        let answer = ctl.call("supervisor.addProcessGroup", &[name.into()]);
        let fault = match &answer {
            Err(Failure::Call(error)) => error.fault(),
            _ => None,
        };
        match fault {
            Some(FaultCode::ShutdownState) => {
                ctl.complain("ERROR: shutting down", ExitStatus::Failed)?;
            }
            // What the user wants is the case: no problem.
            Some(FaultCode::AlreadyAdded) => ctl.print("ERROR: process group already active")?,
            Some(FaultCode::BadName) => {
                let line = format!("ERROR: no such process/group: {name}");
                ctl.complain(line, ExitStatus::Failed)?;
            }
            _ => {
                answer?;
                ctl.print(format_args!("{name}: added process group"))?;
            }
        }
    }
    Ok(Flow::Continue)
}
