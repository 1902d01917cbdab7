//! `reload`

use protocol::faults::FaultCode;

use super::shutdown::see_off;
use super::{Command, Completes, takes_no_arguments};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "reload",
    help: "reload\t\t\tStop everything and start supervisord afresh",
    completes: Completes::Nothing,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let question = "Really restart the remote supervisord process y/N? ";
    if !takes_no_arguments(ctl, &COMMAND, args)? || !ctl.confirm(question)? {
        return Ok(Flow::Continue);
    }
    match ctl.call("supervisor.restart", &[]) {
        Ok(_) => {
            see_off(ctl)?;
            ctl.print("Restarted supervisord")?;
        }
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::ShutdownState) => {
            ctl.complain("ERROR: already shutting down", ExitStatus::Failed)?;
        }
        Err(failure) => return Err(failure),
    }
    Ok(Flow::Continue)
}
