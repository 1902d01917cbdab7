//! `shutdown`

mod remaining;

use client::CallError;
use protocol::faults::FaultCode;

use super::{Command, Completes, takes_no_arguments};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::waiting::{TICK, progress_line};
use remaining::Remaining;

pub(super) const COMMAND: Command = Command {
    name: "shutdown",
    help: "shutdown\tStop everything, supervisord included",
    completes: Completes::Nothing,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let question = "Really shut the remote supervisord process down y/N? ";
    if !takes_no_arguments(ctl, &COMMAND, args)? || !ctl.confirm(question)? {
        return Ok(Flow::Continue);
    }
    let url = ctl.url();
    match ctl.call("supervisor.shutdown", &[]) {
        Ok(_) => {
            see_off(ctl)?;
            ctl.print("Shut down")?;
        }
        // What the user wants is under way: no problem.
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::ShutdownState) => {
            ctl.print("ERROR: already shutting down")?;
        }
        Err(Failure::Call(CallError::Refused)) => {
            let line = format!("ERROR: {url} refused connection (already shut down?)");
            ctl.complain(line, ExitStatus::Failed)?;
        }
        Err(Failure::Call(CallError::NoSuchFile)) => {
            let line = format!("ERROR: {url} no such file (already shut down?)");
            ctl.complain(line, ExitStatus::Failed)?;
        }
        Err(failure) => return Err(failure),
    }
    Ok(Flow::Continue)
}

/// Shows a terminal who is waited for until the server has gone. Ctrl-C and a failure only end the looking on: what was
/// begun goes on.
pub(super) fn see_off(ctl: &mut Controller) -> Result<(), Failure> {
    let mut remaining = Remaining::default();
    let ended = ctl.stay(&mut |elapsed, log| {
        remaining.read(log);
        (elapsed >= TICK).then(|| progress_line(elapsed, &remaining.names()))
    });
    match ended {
        Err(Failure::Output(error)) => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}
