//! Processes and groups, with what only this interface tells.

use std::collections::BTreeMap;
use std::path::Path;

use protocol::faults::FaultCode;
use protocol::methods::Method;
use protocol::xmlrpc::Value;

use super::Whole;
use super::actions::log_text;
use super::params::Given;
use super::problem::Problem;
use super::schema::{Asked, to_json};
use super::shapes::{Group, LogTail, Process, Usage};
use crate::access::{Deed, Target};
use crate::logs::tail;
use crate::rpc::{Answer, RpcContext, call};
use crate::supervisor::messages::ProcessInfo;
use crate::vitals::{Detail, Pace, Units, usage_of};

/// How much of a log is searched for its last lines.
const TAIL_BYTES: i64 = 64 * 1024;

pub(super) async fn list(context: &RpcContext, given: &Given) -> Result<Whole, Problem> {
    let infos = all(context).await?;
    let (group, state) = (given.text("group"), given.text("state"));
    let wanted = |info: &&ProcessInfo| {
        group.is_none_or(|group| info.config.group == group)
            && state.is_none_or(|state| info.state.name() == state)
    };
    let mut processes: Vec<_> = infos.iter().filter(wanted).map(Process::of).collect();
    for process in &mut processes {
        process.may_operate = Asked(Some(may_operate(context, process)));
    }
    if given.flag("usage") {
        let units = Units::of_this_machine();
        let mut pace = Pace::default();
        for process in &mut processes {
            process.usage = Asked(Some(usage(process.pid, units)));
            pace.breathe().await;
        }
    }
    Ok(Whole::json(to_json(&processes)))
}

pub(super) async fn one(context: &RpcContext, given: &Given) -> Result<Whole, Problem> {
    let name = given.get("name").cloned().into_iter().collect();
    let Answer::Info(info) = call(context, Method::GetProcessInfo, name).await? else {
        return Err(unexpected());
    };
    let mut process = Process::of(&info);
    process.may_operate = Asked(Some(may_operate(context, &process)));
    if given.flag("usage") {
        process.usage = Asked(Some(usage(info.pid, Units::of_this_machine())));
    }
    let lines = given.count("log_lines");
    if lines > 0 {
        process.log_tail = Asked(Some(LogTail {
            stdout: last_lines(info.stdout_logfile.as_deref().map(|path| &**path), lines),
            stderr: last_lines(info.stderr_logfile.as_deref().map(|path| &**path), lines),
        }));
    }
    Ok(Whole::json(to_json(&process)))
}

pub(super) async fn groups(context: &RpcContext) -> Result<Whole, Problem> {
    let mut groups: Vec<Group> = Vec::new();
    for info in all(context).await? {
        let name = &info.config.group;
        // They come by group and name.
        if groups.last().is_none_or(|last| last.name != *name) {
            groups.push(Group {
                name: name.clone(),
                is_pool: info.config.is_listener,
                processes: Vec::new(),
                states: BTreeMap::new(),
            });
        }
        if let Some(group) = groups.last_mut() {
            group.processes.push(info.config.name.clone());
            *group.states.entry(info.state.name()).or_default() += 1;
        }
    }
    Ok(Whole::json(to_json(&groups)))
}

/// With `tail` what was added since `offset`, else a window.
pub(super) async fn read_log(context: &RpcContext, given: &Given) -> Result<Whole, Problem> {
    let is_stdout = given.text("channel") == Some("stdout");
    let (read, tail) = match is_stdout {
        true => (Method::ReadProcessStdoutLog, Method::TailProcessStdoutLog),
        false => (Method::ReadProcessStderrLog, Method::TailProcessStderrLog),
    };
    let (method, length) = match given.get("tail") {
        Some(_) => (tail, "tail"),
        None => (read, "length"),
    };
    let arguments = ["name", "offset", length].map(|name| given.get(name).cloned());
    let arguments: Vec<Value> = arguments.into_iter().flatten().collect();
    let answer = call(context, method, arguments).await?;
    Ok(Whole::json(to_json(&log_text(answer))))
}

async fn all(context: &RpcContext) -> Result<Vec<ProcessInfo>, Problem> {
    match call(context, Method::GetAllProcessInfo, Vec::new()).await? {
        Answer::Infos(infos) => Ok(infos),
        _ => Err(unexpected()),
    }
}

/// A method has answered what only another one answers.
fn unexpected() -> Problem {
    FaultCode::Failed.bare().into()
}

/// Groups may come and go: what one may do with their processes is told with them.
fn may_operate(context: &RpcContext, process: &Process<'_>) -> bool {
    let key = format!("{}:{}", process.group, process.name);
    context.caller.may(&Deed::Operate(Target::Named(&key)))
}

/// What a process uses; nothing if there is none, or none any more.
fn usage(pid: i32, units: Units) -> Option<Usage> {
    let usage = (pid != 0).then(|| usage_of(pid, units, Detail::Descriptors).ok())??;
    Some(usage.into())
}

fn last_lines(path: Option<&Path>, count: usize) -> Vec<String> {
    let Some(path) = path else {
        return Vec::new();
    };
    let text = tail::tail(path, 0, TAIL_BYTES).data;
    let mut lines: Vec<_> = text.lines().rev().take(count).map(str::to_owned).collect();
    lines.reverse();
    lines
}
