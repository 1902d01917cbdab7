//! `hash-password`

use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::password_hash::{HashError, VERB};

pub(super) const COMMAND: Command = Command {
    name: VERB,
    help: "hash-password\tAsk for a password and print its hash, for the configuration file",
    completes: Completes::Nothing,
    run,
};

fn run(ctl: &mut Controller, _: &str) -> Result<Flow, Failure> {
    match ctl.hash_password() {
        Ok(hash) => ctl.print(hash)?,
        Err(HashError::Input(failure)) => return Err(failure),
        Err(error) => ctl.complain(format_args!("ERROR: {error}"), ExitStatus::Failed)?,
    }
    Ok(Flow::Continue)
}
