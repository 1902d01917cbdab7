//! What `start`, `stop` and `signal` have in common: do something to everything, to groups, to processes.

use std::borrow::Cow;

use client::CallError;
use protocol::faults::FaultCode;
use protocol::namespec::Namespec;
use protocol::xmlrpc::Value;

use crate::controller::Controller;
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::results::{Outcome, Verb, not_permitted};
use crate::selection;
use crate::waiting::{Call, Subject};

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
    /// Acts on the named processes and groups, or on everything when `all` is among the names. Words with wildcards
    /// stand for the processes they match.
    ///
    /// Processes next to each other are acted on at the same time; groups one after another.
    pub(super) fn run(&self, ctl: &mut Controller, names: &[&str]) -> Result<(), Failure> {
        if names.contains(&"all") {
            let results = ctl.call_long(Subject::Everything, self.all, self.params(None))?;
            return report_all(ctl, self.verb, &Outcome::list(self.all, &results)?);
        }
        let names = expand(ctl, names)?;
        for step in steps(&names) {
            match step {
                Step::Group(group) => self.run_group(ctl, group)?,
                Step::Processes(names) => self.run_processes(ctl, names)?,
            }
        }
        Ok(())
    }

    fn run_processes(&self, ctl: &mut Controller, names: &[Cow<'_, str>]) -> Result<(), Failure> {
        let call = |name| Call {
            subject: Subject::Process(name),
            method: self.one,
            params: self.params(Some(name)),
        };
        let calls: Vec<_> = names.iter().map(|name| call(name)).collect();
        ctl.call_all(&calls, &mut |number, answer| {
            let name = names.get(number).map_or("", |name| name);
            Outcome::of_call(name, answer)?.tell(self.verb).map(Some)
        })
    }

    fn run_group(&self, ctl: &mut Controller, group: &str) -> Result<(), Failure> {
        let params = self.params(Some(group));
        match ctl.call_long(Subject::Group(group), self.group, params) {
            Ok(results) => report_all(ctl, self.verb, &Outcome::list(self.group, &results)?),
            Err(failure) => refused_group(ctl, self.verb, group, failure),
        }
    }

    fn params(&self, name: Option<&str>) -> Vec<Value> {
        name.into_iter()
            .chain(self.argument)
            .map(Value::from)
            .collect()
    }
}

/// Replaces words with wildcards by the names of the processes they match.
pub(super) fn expand<'a>(
    ctl: &mut Controller,
    words: &[&'a str],
) -> Result<Vec<Cow<'a, str>>, Failure> {
    if !words.iter().any(|word| selection::is_pattern(word)) {
        return Ok(words.iter().map(|word| Cow::Borrowed(*word)).collect());
    }
    let names = selection::expand(&ctl.processes()?, words);
    Ok(names.into_iter().map(Cow::Owned).collect())
}

/// What can be asked at the same time.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    /// The whole of a group.
    Group(&'a str),
    /// Different processes.
    Processes(&'a [Cow<'a, str>]),
}

/// Cuts names where the order matters: around groups, and where a process is named again.
fn steps<'a>(names: &'a [Cow<'a, str>]) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    let mut first = 0;
    let mut seen = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let spec = Namespec::parse(name);
        let is_group = spec.process.is_none();
        if (is_group || seen.contains(&spec)) && first < number {
            steps.push(Step::Processes(&names[first..number]));
            first = number;
            seen.clear();
        }
        if is_group {
            steps.push(Step::Group(spec.group));
            first = number + 1;
        } else {
            seen.push(spec);
        }
    }
    if first < names.len() {
        steps.push(Step::Processes(&names[first..]));
    }
    steps
}

/// Tells one result.
pub(super) fn report(ctl: &mut Controller, verb: Verb, outcome: &Outcome) -> Result<(), Failure> {
    ctl.tell(&outcome.tell(verb)?)
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

/// Tells what is only about this group: the next may be another matter.
fn refused_group(
    ctl: &mut Controller,
    verb: Verb,
    group: &str,
    failure: Failure,
) -> Result<(), Failure> {
    let Failure::Call(CallError::Fault(fault)) = &failure else {
        return Err(failure);
    };
    match FaultCode::from_code(fault.code) {
        Some(FaultCode::BadName) => {
            let line = format!("{group}: ERROR (no such group)");
            ctl.complain(line, verb.unknown_group())
        }
        Some(FaultCode::NotPermitted) => {
            ctl.complain(not_permitted(group, &fault.text), ExitStatus::Failed)
        }
        _ => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_where_order_matters() {
        let rows = [
            ("a b c", "a+b+c"),
            ("a", "a"),
            ("g:* h:", "[g] [h]"),
            ("a b g:* c d", "a+b [g] c+d"),
            ("a b a:a c", "a+b a:a+c"),
            ("g:x g:* g:x", "g:x [g] g:x"),
            ("a a a", "a a a"),
            ("", ""),
        ];
        for (words, expected) in rows {
            let names: Vec<_> = words.split_whitespace().map(Cow::Borrowed).collect();
            let show = |step| match step {
                Step::Group(group) => format!("[{group}]"),
                Step::Processes(names) => names.join("+"),
            };
            let steps: Vec<_> = steps(&names).into_iter().map(show).collect();
            assert_eq!(steps.join(" "), expected, "{words}");
        }
    }
}
