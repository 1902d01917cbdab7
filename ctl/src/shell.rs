//! The interactive shell.

use crate::commands::END_OF_INPUT;
use crate::controller::{Controller, Flow};
use crate::failure::Failure;

/// Shows the status, then runs what the user types until he leaves. Problems of commands never end it.
///
/// # Errors
/// When input or output fails.
pub(crate) fn run(ctl: &mut Controller, prompt: &str) -> Result<(), Failure> {
    match read_and_run(ctl, &format!("{prompt}> ")) {
        Err(Failure::Interrupted) => ctl.print(""),
        ended => ended,
    }
}

fn read_and_run(ctl: &mut Controller, prompt: &str) -> Result<(), Failure> {
    let mut line = "status".to_owned();
    while ctl.execute(&line)? == Flow::Continue {
        let typed = ctl.read_command(prompt)?;
        line = typed.unwrap_or_else(|| END_OF_INPUT.to_owned());
    }
    Ok(())
}
