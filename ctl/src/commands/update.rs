//! `update`

use client::CallError;
use protocol::xmlrpc::{FaultValue, Value};

use super::reread::{Changes, reload_config};
use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::results::Outcome;
use crate::waiting::Subject;

pub(super) const COMMAND: Command = Command {
    name: "update",
    help: "update\t\t\tRead the configuration again, add and remove groups, restart changed ones\n\
           update all\t\tThe same\n\
           update <gname> [...]\tThe same for the named groups only",
    completes: Completes::Groups,
    run,
};

const STOP: &str = "supervisor.stopProcessGroup";
const REMOVE: &str = "supervisor.removeProcessGroup";
const ADD: &str = "supervisor.addProcessGroup";

/// Groups added by one request: a round trip for each would take longer than to start them.
const AT_ONCE: usize = 32;

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    let Some(changes) = reload_config(ctl, "ERROR: already shutting down")? else {
        return Ok(Flow::Continue);
    };
    let mut wanted = Vec::new();
    for name in args.split_whitespace() {
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    if wanted.contains(&"all") {
        wanted.clear();
    }
    complain_about_unknown(ctl, &wanted, &changes)?;

    let is_wanted = |name: &&String| wanted.is_empty() || wanted.contains(&name.as_str());
    for name in changes.removed.iter().filter(is_wanted) {
        remove(ctl, name)?;
    }
    for name in changes.changed.iter().filter(is_wanted) {
        replace(ctl, name)?;
    }
    let added: Vec<_> = changes.added.iter().filter(is_wanted).collect();
    for names in added.chunks(AT_ONCE) {
        add(ctl, names)?;
    }
    Ok(Flow::Continue)
}

fn complain_about_unknown(
    ctl: &mut Controller,
    wanted: &[&str],
    changes: &Changes,
) -> Result<(), Failure> {
    if wanted.is_empty() {
        return Ok(());
    }
    let active = ctl.processes()?;
    for name in wanted {
        let is_active = active.iter().any(|info| info.group == *name);
        if !is_active && !changes.added.iter().any(|added| added == name) {
            let line = format!("ERROR: no such group: {name}");
            ctl.complain(line, ExitStatus::Failed)?;
        }
    }
    Ok(())
}

fn remove(ctl: &mut Controller, name: &str) -> Result<(), Failure> {
    let results = ctl.call_long(Subject::Group(name), STOP, vec![name.into()])?;
    ctl.print(format_args!("{name}: stopped"))?;
    if Outcome::list(STOP, &results)?.iter().any(Outcome::failed) {
        let line = format!("{name}: has problems; not removing");
        return ctl.complain(line, ExitStatus::Failed);
    }
    ctl.call(REMOVE, &[name.into()])?;
    ctl.print(format_args!("{name}: removed process group"))
}

fn replace(ctl: &mut Controller, name: &str) -> Result<(), Failure> {
    ctl.call_long(Subject::Group(name), STOP, vec![name.into()])?;
    ctl.print(format_args!("{name}: stopped"))?;
    ctl.call(REMOVE, &[name.into()])?;
    ctl.call(ADD, &[name.into()])?;
    ctl.print(format_args!("{name}: updated process group"))
}

fn add(ctl: &mut Controller, names: &[&String]) -> Result<(), Failure> {
    if let [name] = names {
        ctl.call(ADD, &[name.as_str().into()])?;
        return tell_added(ctl, name);
    }
    let call = |name: &&String| {
        let params = Value::Array(vec![name.as_str().into()]);
        Value::record([("methodName", ADD.into()), ("params", params)])
    };
    let calls = names.iter().map(call).collect();
    let answers = ctl.call("system.multicall", &[Value::Array(calls)])?;
    let answers = answers.as_array().unwrap_or_default();
    for (at, name) in names.iter().enumerate() {
        match answers.get(at).map(FaultValue::of) {
            Some(None) => tell_added(ctl, name)?,
            Some(Some(fault)) => return Err(CallError::Fault(fault).into()),
            None => return Err(CallError::Incomplete.into()),
        }
    }
    Ok(())
}

fn tell_added(ctl: &mut Controller, name: &str) -> Result<(), Failure> {
    ctl.print(format_args!("{name}: added process group"))
}
