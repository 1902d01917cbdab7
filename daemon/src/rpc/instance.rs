//! Methods about the daemon itself.

use protocol::faults::Fault;
use protocol::xmlrpc::Value;

use super::RpcContext;
use super::answer::Answer;
use super::arguments::Arguments;
use crate::supervisor::messages::{GetDaemon, Restart, SendRemoteEvent, Shutdown};

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

pub(super) async fn send_remote_event(
    context: &RpcContext,
    arguments: &mut Arguments,
) -> Result<Answer, Fault> {
    let kind = arguments.printed()?;
    let data = arguments.printed()?;
    context.ask(SendRemoteEvent { kind, data }).await?;
    Ok(Answer::TRUE)
}
