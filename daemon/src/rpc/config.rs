//! Methods about the configuration and its groups.

use protocol::faults::Fault;
use protocol::xmlrpc::Value;

use super::RpcContext;
use super::answer::Answer;
use super::arguments::Arguments;
use crate::supervisor::messages::{AddGroup, GetAllConfig, RemoveGroup, Reread};

pub(super) async fn reload(context: &RpcContext) -> Result<Answer, Fault> {
    let changes = context.ask(Reread).await??;
    let groups = [changes.added, changes.changed, changes.removed];
    let groups = groups.map(|names| Value::Array(names.into_iter().map(Value::from).collect()));
    Ok(Answer::Value(Value::Array(vec![Value::Array(
        groups.into(),
    )])))
}

pub(super) async fn add_group(
    context: &RpcContext,
    arguments: &mut Arguments,
) -> Result<Answer, Fault> {
    context.ask(AddGroup(arguments.text()?)).await??;
    Ok(Answer::TRUE)
}

pub(super) async fn remove_group(
    context: &RpcContext,
    arguments: &mut Arguments,
) -> Result<Answer, Fault> {
    context.ask(RemoveGroup(arguments.text()?)).await??;
    Ok(Answer::TRUE)
}

pub(super) async fn all(context: &RpcContext) -> Result<Answer, Fault> {
    Ok(Answer::Configs(context.ask(GetAllConfig).await?))
}
