//! `version`

use client::CallError;

use super::{Command, Completes, takes_no_arguments};
use crate::controller::{Controller, Flow};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "version",
    help: "version\t\t\tShow the version of supervisord",
    completes: Completes::Nothing,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !takes_no_arguments(ctl, &COMMAND, args)? || !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let method = "supervisor.getSupervisorVersion";
    let version = ctl.call(method, &[])?;
    let version = version.as_str();
    ctl.print_foreign(version.ok_or_else(|| CallError::unexpected(method))?)?;
    Ok(Flow::Continue)
}
