//! `upgrade`: supervisord becomes the program that is installed now, and nothing is stopped.

use std::thread::sleep;
use std::time::{Duration, Instant};

use client::CallError;
use protocol::faults::FaultCode;
use protocol::xmlrpc::Value;

use super::{Command, Completes, takes_no_arguments};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "upgrade",
    help: "upgrade\t\t\tGo on as the supervisord that is installed now, stopping nothing",
    completes: Completes::Nothing,
    run,
};

const UPGRADE: &str = "callboard.upgrade";
const LAST: &str = "callboard.getLastUpgrade";

/// How long it may take until the server answers again: it gives calls ten seconds to come to their end.
const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(20);

/// What became of an upgrade.
struct Last {
    number: i32,
    failure: String,
    from: String,
    version: String,
    children: i32,
    pause: i32,
}

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !takes_no_arguments(ctl, &COMMAND, args)? || !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let before = match last(ctl) {
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::UnknownMethod) => {
            let line = "ERROR: the server cannot be upgraded in place";
            ctl.complain(line, ExitStatus::Failed)?;
            return Ok(Flow::Continue);
        }
        last => last?.number,
    };
    match ctl.call(UPGRADE, &[]) {
        Ok(_) => tell(ctl, before)?,
        Err(Failure::Call(CallError::Fault(fault))) if fault.kind() == Some(FaultCode::Failed) => {
            let reason = fault.text.trim_start_matches("FAILED: ");
            ctl.complain(format_args!("ERROR: {reason}"), ExitStatus::Failed)?;
        }
        Err(failure) => return Err(failure),
    }
    Ok(Flow::Continue)
}

/// Waits for the outcome and tells it.
fn tell(ctl: &mut Controller, before: i32) -> Result<(), Failure> {
    let Some(last) = outcome(ctl, before)? else {
        let line = "ERROR: the server does not tell what became of the upgrade, see its log";
        return ctl.complain(line, ExitStatus::Failed);
    };
    let Last {
        failure,
        from,
        version,
        children,
        pause,
        ..
    } = last;
    if failure.is_empty() {
        return ctl.print(format_args!(
            "Upgraded supervisord from {from} to {version}: {children} processes go on, pause {pause} ms"
        ));
    }
    let line = format!("ERROR: not upgraded, supervisord goes on: {failure}");
    ctl.complain(line, ExitStatus::Failed)
}

/// Asks until there is one upgrade more than before. Meanwhile the server may not answer.
fn outcome(ctl: &mut Controller, before: i32) -> Result<Option<Last>, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match last(ctl) {
            Ok(last) if last.number != before => return Ok(Some(last)),
            Ok(_) | Err(Failure::Call(_)) => sleep(PAUSE),
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

fn last(ctl: &mut Controller) -> Result<Last, Failure> {
    let answer = ctl.call(LAST, &[])?;
    read(&answer).ok_or_else(|| CallError::unexpected(LAST).into())
}

fn read(answer: &Value) -> Option<Last> {
    let number = |member| answer.get(member)?.as_int();
    let text = |member| answer.get(member)?.as_str().map(str::to_owned);
    Some(Last {
        number: number("number")?,
        failure: text("failure")?,
        from: text("from")?,
        version: text("version")?,
        children: number("children")?,
        pause: number("pause")?,
    })
}
