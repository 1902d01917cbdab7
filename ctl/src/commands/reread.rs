//! `reread`

use std::collections::BTreeMap;

use client::CallError;
use protocol::faults::FaultCode;
use protocol::xmlrpc::Value;

use super::{Command, Completes, takes_no_arguments};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "reread",
    help: "reread\t\t\tRead the configuration files again and tell what update would do",
    completes: Completes::Nothing,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !takes_no_arguments(ctl, &COMMAND, args)? {
        return Ok(Flow::Continue);
    }
    let Some(changes) = reload_config(ctl, "ERROR: supervisor shutting down")? else {
        return Ok(Flow::Continue);
    };
    for line in changes.lines() {
        ctl.print(line)?;
    }
    Ok(Flow::Continue)
}

/// Names of groups by what has become of them, in the server's order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) added: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) removed: Vec<String>,
}

impl Changes {
    /// A line per group, by name; a group that is in two lists is what the later says.
    fn lines(&self) -> Vec<String> {
        let mut lines = BTreeMap::new();
        let lists = [
            (&self.added, "available"),
            (&self.changed, "changed"),
            (&self.removed, "disappeared"),
        ];
        for (names, what) in lists {
            lines.extend(names.iter().map(|name| (name, format!("{name}: {what}"))));
        }
        if lines.is_empty() {
            return vec!["No config updates to processes".to_owned()];
        }
        lines.into_values().collect()
    }

    /// `[[added, changed, removed]]`
    fn read(value: &Value) -> Option<Self> {
        let [lists] = value.as_array()? else {
            return None;
        };
        let [added, changed, removed] = lists.as_array()? else {
            return None;
        };
        Some(Self {
            added: names(added)?,
            changed: names(changed)?,
            removed: names(removed)?,
        })
    }
}

/// Makes the server read its configuration; `None` if it refused, which has been told then.
pub(super) fn reload_config(
    ctl: &mut Controller,
    shutting_down: &str,
) -> Result<Option<Changes>, Failure> {
    let method = "supervisor.reloadConfig";
    let changes = match ctl.call(method, &[]) {
        Err(Failure::Call(CallError::Fault(fault))) => match fault.kind() {
            Some(FaultCode::ShutdownState) => {
                ctl.complain(shutting_down, ExitStatus::Failed)?;
                return Ok(None);
            }
            Some(FaultCode::CantReread) => {
                let line = format!("ERROR: {}", fault.text);
                ctl.complain(line, ExitStatus::Failed)?;
                return Ok(None);
            }
            _ => return Err(CallError::Fault(fault).into()),
        },
        answer => answer?,
    };
    let changes = Changes::read(&changes);
    Ok(Some(changes.ok_or_else(|| CallError::unexpected(method))?))
}

fn names(list: &Value) -> Option<Vec<String>> {
    let name = |value: &Value| value.as_str().map(str::to_owned);
    list.as_array()?.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Value {
        Value::Array(names.iter().map(|name| Value::from(*name)).collect())
    }

    #[test]
    fn changes_are_told_by_name() {
        let lists = vec![list(&["z"]), list(&["m"]), list(&["a", "b"])];
        let value = Value::Array(vec![Value::Array(lists)]);
        let changes = Changes::read(&value).unwrap();
        let expected = [
            "a: disappeared",
            "b: disappeared",
            "m: changed",
            "z: available",
        ];
        assert_eq!(changes.lines(), expected);
    }

    #[test]
    fn no_changes_are_told_too() {
        let lists = vec![list(&[]), list(&[]), list(&[])];
        let changes = Changes::read(&Value::Array(vec![Value::Array(lists)]));
        assert_eq!(changes.unwrap().lines(), ["No config updates to processes"]);
        assert_eq!(Changes::read(&list(&["a", "b", "c"])), None);
    }
}
