//! What `start`, `stop` and `signal` have in common: do something to everything, to groups, to processes.

use client::CallError;
use protocol::faults::FaultCode;
use protocol::namespec::Namespec;
use protocol::xmlrpc::Value;

use crate::controller::Controller;
use crate::failure::Failure;
use crate::results::{Outcome, Verb};

/// How a verb is carried out.
pub(super) struct Action<'a> {
    /// The verb.
    pub(super) verb: Verb,
    /// Method for one process, whose first parameter is the name.
    pub(super) one: &'static str,
    /// Method for a group, whose first parameter is the name.
    pub(super) group: &'static str,
    /// Method for everything.
    pub(super) all: &'static str,
    /// A further parameter of all three.
    pub(super) argument: Option<&'a str>,
}

impl Action<'_> {
    /// Acts on the named processes and groups one after another, or on everything when `all` is among the names.
    pub(super) fn run(&self, ctl: &mut Controller, names: &[&str]) -> Result<(), Failure> {
        if names.contains(&"all") {
            let results = ctl.call(self.all, &self.params(None))?;
            return report_all(ctl, self.verb, &Outcome::list(self.all, &results)?);
        }
        for name in names {
            match Namespec::parse(name) {
                Namespec {
                    group,
                    process: None,
                } => self.run_group(ctl, group)?,
                _ => {
                    let answer = ctl.call(self.one, &self.params(Some(name)));
                    report(ctl, self.verb, &Outcome::of_call(name, answer)?)?;
                }
            }
        }
        Ok(())
    }

    fn run_group(&self, ctl: &mut Controller, group: &str) -> Result<(), Failure> {
        match ctl.call(self.group, &self.params(Some(group))) {
            Ok(results) => report_all(ctl, self.verb, &Outcome::list(self.group, &results)?),
            Err(failure) => no_such_group(ctl, self.verb, group, failure),
        }
    }

    fn params(&self, name: Option<&str>) -> Vec<Value> {
        name.into_iter()
            .chain(self.argument)
            .map(Value::from)
            .collect()
    }
}

/// Tells one result.
pub(super) fn report(ctl: &mut Controller, verb: Verb, outcome: &Outcome) -> Result<(), Failure> {
    ctl.print(outcome.line(verb)?)?;
    if let Some(status) = outcome.exit_status(verb) {
        ctl.set_status(status);
    }
    Ok(())
}

/// Tells several results.
pub(super) fn report_all(
    ctl: &mut Controller,
    verb: Verb,
    outcomes: &[Outcome],
) -> Result<(), Failure> {
    outcomes
        .iter()
        .try_for_each(|outcome| report(ctl, verb, outcome))
}

fn no_such_group(
    ctl: &mut Controller,
    verb: Verb,
    group: &str,
    failure: Failure,
) -> Result<(), Failure> {
    match failure {
        Failure::Call(error @ CallError::Fault(_)) if error.fault() == Some(FaultCode::BadName) => {
            let line = format!("{group}: ERROR (no such group)");
            ctl.complain(line, verb.unknown_group())
        }
        failure => Err(failure),
    }
}
