//! `exit`, `quit` and the end of the input

use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::failure::Failure;

pub(super) const EXIT: Command = Command {
    name: "exit",
    help: "exit\tLeave the shell",
    completes: Completes::Nothing,
    run,
};

pub(super) const QUIT: Command = Command {
    name: "quit",
    help: "quit\tLeave the shell",
    completes: Completes::Nothing,
    run,
};

fn run(ctl: &mut Controller, _args: &str) -> Result<Flow, Failure> {
    leave(ctl)
}

/// Leaves the shell, on a new line.
pub(super) fn leave(ctl: &mut Controller) -> Result<Flow, Failure> {
    ctl.print("")?;
    Ok(Flow::Leave)
}
