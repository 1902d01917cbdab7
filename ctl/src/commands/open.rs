//! `open`

use super::{Command, Completes, status};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "open",
    help: "open <url>\tTurn to another supervisord\n\
           \t\t(unix:///socket/path for a Unix socket, https:// for one with TLS)",
    completes: Completes::Nothing,
    run,
};

/// Shows the other server's status, which leaves the exit status alone.
fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let schemes = ["http://", "https://", "unix://"];
    if !schemes.iter().any(|scheme| args.starts_with(scheme)) {
        ctl.complain("ERROR: url must be http:// or unix://", ExitStatus::Failed)?;
        return Ok(Flow::Continue);
    }
    ctl.open(args);
    let before = ctl.status();
    status::show(ctl, "")?;
    ctl.set_status(before);
    Ok(Flow::Continue)
}
