//! The interactive shell.

use crate::controller::{Controller, Flow};
use crate::failure::Failure;

/// Shows the status, then runs what the user types until he leaves. Problems of commands never end it.
///
/// # Errors
/// When input or output fails.
pub(crate) fn run(ctl: &mut Controller, prompt: &str) -> Result<(), Failure> {
    let prompt = format!("{prompt}> ");
    let mut line = "status".to_owned();
    loop {
        match ctl.execute(&line) {
            Ok(Flow::Continue) => {}
            Ok(Flow::Leave) => return Ok(()),
            Err(Failure::Interrupted) => return ctl.print(""),
            Err(failure) => return Err(failure),
        }
        line = match ctl.read_command(&prompt) {
            Ok(Some(line)) => line,
            Ok(None) | Err(Failure::Interrupted) => return ctl.leave_prompt(),
            Err(failure) => return Err(failure),
        };
    }
}
