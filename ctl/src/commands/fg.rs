//! `fg`

use client::{CallError, ProcessInfo};
use protocol::faults::FaultCode;
use protocol::states::ProcessState;

use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::server::Ending;

pub(super) const COMMAND: Command = Command {
    name: "fg",
    help: "fg <process>\tTalk to a process: see its output, type its input\n\
           \t\tCtrl-C to exit",
    completes: Completes::Processes,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let words: Vec<_> = args.split_whitespace().collect();
    match words.as_slice() {
        [] => {
            ctl.complain("ERROR: no process name supplied", ExitStatus::Failed)?;
            ctl.print(COMMAND.help)?;
        }
        [name] => {
            if is_running(ctl, name)? {
                connect(ctl, name)?;
            }
        }
        _ => ctl.complain("ERROR: too many process names supplied", ExitStatus::Failed)?,
    }
    Ok(Flow::Continue)
}

/// Whether the process exists and runs; complains otherwise.
fn is_running(ctl: &mut Controller, name: &str) -> Result<bool, Failure> {
    let info = match ctl.call("supervisor.getProcessInfo", &[name.into()]) {
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::BadName) => {
            ctl.complain("ERROR: bad process name supplied", ExitStatus::Failed)?;
            return Ok(false);
        }
        Err(Failure::Call(CallError::Fault(fault))) => {
            ctl.complain(format_args!("ERROR: {}", fault.text), ExitStatus::Failed)?;
            return Ok(false);
        }
        answer => ProcessInfo::from_value(answer?)?,
    };
    if info.process_state() != Some(ProcessState::Running) {
        ctl.complain("ERROR: process not running", ExitStatus::Failed)?;
        return Ok(false);
    }
    Ok(true)
}

fn connect(ctl: &mut Controller, name: &str) -> Result<(), Failure> {
    ctl.print("==> Press Ctrl-C to exit <==")?;
    match ctl.stream(|server, out| server.foreground(name, out)) {
        Ok(Ending::Left) | Err(Failure::Interrupted) => {}
        Ok(Ending::ProcessGone) => ctl.print("Process got killed")?,
        Ok(Ending::Refused(text)) => ctl.print_foreign(format_args!("ERROR: {text}"))?,
        Err(failure) => return Err(failure),
    }
    ctl.print("Exiting foreground")
}
