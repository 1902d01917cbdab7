//! Methods about the daemon itself.

use protocol::faults::Fault;
use protocol::xmlrpc::Value;

use super::RpcContext;
use super::answer::Answer;
use super::arguments::Arguments;
use crate::supervisor::messages::{
    GetDaemon, GetLastUpgrade, Restart, SendRemoteEvent, Shutdown, Upgrade,
};
use crate::upgrade::VERSION;

pub(super) async fn identification(context: &RpcContext) -> Result<Answer, Fault> {
    let daemon = context.ask(GetDaemon).await?;
    Ok(daemon.identifier.to_string().into())
}

pub(super) async fn state(context: &RpcContext) -> Result<Answer, Fault> {
    let state = context.ask(GetDaemon).await?.state;
    Ok(Answer::Value(Value::record([
        ("statecode", state.code().into()),
        ("statename", state.name().into()),
    ])))
}

pub(super) async fn pid(context: &RpcContext) -> Result<Answer, Fault> {
    let daemon = context.ask(GetDaemon).await?;
    Ok(Answer::Value(daemon.pid.into()))
}

pub(super) async fn shutdown(context: &RpcContext) -> Result<Answer, Fault> {
    context.ask(Shutdown).await?;
    Ok(Answer::TRUE)
}

pub(super) async fn restart(context: &RpcContext) -> Result<Answer, Fault> {
    context.ask(Restart).await??;
    Ok(Answer::TRUE)
}

pub(super) async fn upgrade(context: &RpcContext) -> Result<Answer, Fault> {
    context.ask(Upgrade).await??;
    Ok(Answer::TRUE)
}

pub(super) async fn last_upgrade(context: &RpcContext) -> Result<Answer, Fault> {
    let last = context.ask(GetLastUpgrade).await?;
    let count = |number: u64| Value::from(i32::try_from(number).unwrap_or(i32::MAX));
    Ok(Answer::Value(Value::record([
        ("number", count(last.number)),
        ("failure", last.failure.unwrap_or_default().into()),
        ("from", last.from.into()),
        ("version", VERSION.to_owned().into()),
        ("children", count(last.children as u64)),
        ("pause", count(last.pause)),
    ])))
}

pub(super) async fn send_remote_event(
    context: &RpcContext,
    arguments: &mut Arguments,
) -> Result<Answer, Fault> {
    let kind = arguments.printed()?;
    let data = arguments.printed()?;
    context.ask(SendRemoteEvent { kind, data }).await?;
    Ok(Answer::TRUE)
}
