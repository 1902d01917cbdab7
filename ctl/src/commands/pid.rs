//! `pid`

use client::{CallError, ProcessInfo};
use protocol::faults::FaultCode;

use super::act::expand;
use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "pid",
    help: "pid\t\t\tShow the process id of supervisord\n\
           pid <name>\t\tShow the process id of one process\n\
           pid all\t\t\tShow the process id of every process, one per line",
    completes: Completes::Processes,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let names: Vec<_> = args.split_whitespace().collect();
    if names.is_empty() {
        let method = "supervisor.getPID";
        let pid = ctl.call(method, &[])?.as_int();
        ctl.print(pid.ok_or_else(|| CallError::unexpected(method))?)?;
    } else if names.contains(&"all") {
        for info in ctl.processes()? {
            ctl.print(info.pid)?;
        }
    } else {
        for name in expand(ctl, &names)? {
            print_pid(ctl, &name)?;
        }
    }
    Ok(Flow::Continue)
}

fn print_pid(ctl: &mut Controller, name: &str) -> Result<(), Failure> {
    let info = match ctl.call("supervisor.getProcessInfo", &[name.into()]) {
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::BadName) => {
            return ctl.complain(format!("No such process {name}"), ExitStatus::Failed);
        }
        answer => ProcessInfo::from_value(answer?)?,
    };
    if info.pid == 0 {
        ctl.set_status(ExitStatus::NotRunning);
    }
    ctl.print(info.pid)
}
