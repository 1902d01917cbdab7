//! Routes that are calls of methods.

use hyper::StatusCode;
use protocol::faults::{Fault, FaultCode};
use protocol::methods::Method;
use protocol::xmlrpc::Value;

use super::answers::render;
use super::params::Given;
use super::problem::Problem;
use super::route::{Action, Scope};
use super::schema::to_json;
use super::shapes::{Changes, LogText};
use super::{Whole, schema::Asked};
use crate::rpc::{Answer, RpcContext, call};

/// Makes the call that a route stands for.
pub(super) async fn perform(
    context: &RpcContext,
    action: Action,
    given: Given,
) -> Result<Whole, Problem> {
    let is_inquiry = given.is_inquiry();
    let body = match action {
        Action::Call(method) => call(context, method, given.arguments())
            .await
            .map(|answer| render(&answer)),
        Action::Restart(scope) => restart(context, scope, given).await,
        Action::Reload => reload(context).await,
        Action::MainLog => read_main_log(context, given).await,
        _ => return Err(Problem::new(StatusCode::NOT_FOUND, "this is no call")),
    };
    match body {
        Ok(body) => Ok(Whole::json(body)),
        Err(fault) if is_inquiry => Err(fault.into()),
        Err(fault) => Err(Problem::of_action(fault)),
    }
}

/// What does not run is started all the same.
async fn restart(context: &RpcContext, scope: Scope, given: Given) -> Result<Vec<u8>, Fault> {
    let (stop, start) = match scope {
        Scope::Named => (Method::StopProcess, Method::StartProcess),
        Scope::Group => (Method::StopProcessGroup, Method::StartProcessGroup),
        Scope::All => (Method::StopAllProcesses, Method::StartAllProcesses),
    };
    let name = given.get("name").cloned();
    match call(context, stop, name.into_iter().collect()).await {
        Ok(_) => {}
        Err(fault) if fault.code == FaultCode::NotRunning => {}
        Err(fault) => return Err(fault),
    }
    let answer = call(context, start, given.arguments()).await?;
    Ok(render(&answer))
}

async fn reload(context: &RpcContext) -> Result<Vec<u8>, Fault> {
    let answer = call(context, Method::ReloadConfig, Vec::new()).await?;
    let text = render(&answer);
    // `[[added, changed, removed]]`.
    let groups: [[serde_json::Value; 3]; 1] = serde_json::from_slice(&text)
        .map_err(|error| FaultCode::Failed.about(error.to_string()))?;
    let [[added, changed, removed]] = groups;
    Ok(to_json(&Changes {
        added,
        changed,
        removed,
    }))
}

async fn read_main_log(context: &RpcContext, given: Given) -> Result<Vec<u8>, Fault> {
    let answer = call(context, Method::ReadLog, given.arguments()).await?;
    Ok(to_json(&log_text(answer)))
}

/// What the methods answer that read or tail a log.
pub(super) fn log_text(answer: Answer) -> LogText {
    let (text, tail) = match answer {
        Answer::Value(Value::Array(parts)) => match <[Value; 3]>::try_from(parts) {
            Ok([text, size, overflow]) => (Some(text), size.as_int().zip(overflow.as_bool())),
            Err(_) => (None, None),
        },
        Answer::Value(text) => (Some(text), None),
        _ => (None, None),
    };
    LogText {
        text: match text {
            Some(Value::String(text)) => text,
            _ => String::new(),
        },
        size: Asked(tail.map(|(size, _)| size.into())),
        overflow: Asked(tail.map(|(_, overflow)| overflow)),
    }
}
