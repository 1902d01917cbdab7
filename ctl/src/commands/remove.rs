//! `remove`

use protocol::faults::FaultCode;

use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "remove",
    help: "remove <name> [...]\tTake stopped groups out of service",
    completes: Completes::Groups,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    for name in args.split_whitespace() {
        let answer = ctl.call("supervisor.removeProcessGroup", &[name.into()]);
        let fault = match &answer {
            Err(Failure::Call(error)) => error.fault(),
            _ => None,
        };
        let problem = match fault {
            Some(FaultCode::StillRunning) => "process/group still running",
            Some(FaultCode::BadName) => "no such process/group",
            _ => {
                answer?;
                ctl.print(format_args!("{name}: removed process group"))?;
                continue;
            }
        };
        ctl.complain(format_args!("ERROR: {problem}: {name}"), ExitStatus::Failed)?;
    }
    Ok(Flow::Continue)
}
