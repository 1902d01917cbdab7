//! Methods about processes.

use protocol::faults::{Fault, FaultCode};
use protocol::xmlrpc::Value;

use super::RpcContext;
use super::answer::Answer;
use super::arguments::{Arguments, print};
use crate::supervisor::messages::{GetAllInfo, GetInfo, SendStdin, Signal, Start, Stop, Target};

type Outcome = Result<Answer, Fault>;

pub(super) async fn start_named(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let target = Target::Named(arguments.text()?);
    start(context, target, arguments).await
}

pub(super) async fn start_group(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let target = Target::Group(arguments.text()?);
    start(context, target, arguments).await
}

pub(super) async fn start_all(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    start(context, Target::All, arguments).await
}

async fn start(context: &RpcContext, target: Target, arguments: &mut Arguments) -> Outcome {
    let wait = arguments.flag_or(true);
    Ok(context.ask(Start { target, wait }).await??.into())
}

pub(super) async fn stop_named(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let target = Target::Named(arguments.text()?);
    stop(context, target, arguments).await
}

pub(super) async fn stop_group(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let target = Target::Group(arguments.text()?);
    stop(context, target, arguments).await
}

pub(super) async fn stop_all(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    stop(context, Target::All, arguments).await
}

async fn stop(context: &RpcContext, target: Target, arguments: &mut Arguments) -> Outcome {
    let wait = arguments.flag_or(true);
    Ok(context.ask(Stop { target, wait }).await??.into())
}

pub(super) async fn signal_named(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let target = Target::Named(arguments.text()?);
    signal(context, target, arguments).await
}

pub(super) async fn signal_group(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let target = Target::Group(arguments.text()?);
    signal(context, target, arguments).await
}

pub(super) async fn signal_all(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    signal(context, Target::All, arguments).await
}

async fn signal(context: &RpcContext, target: Target, arguments: &mut Arguments) -> Outcome {
    let signal = arguments.signal()?;
    Ok(context.ask(Signal { target, signal }).await??.into())
}

pub(super) async fn info(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let info = context.ask(GetInfo(arguments.text()?)).await??;
    Ok(Answer::Info(Box::new(info)))
}

pub(super) async fn all_infos(context: &RpcContext) -> Outcome {
    Ok(Answer::Infos(context.ask(GetAllInfo).await?))
}

/// What is no text is refused before the name is looked at.
pub(super) async fn send_stdin(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let name = arguments.any()?;
    let chars = match arguments.any()? {
        Value::String(text) => text,
        Value::Nil => return Err(FaultCode::IncorrectParameters.bare()),
        other => return Err(FaultCode::IncorrectParameters.about(print(&other))),
    };
    let Value::String(name) = name else {
        return Err(FaultCode::IncorrectParameters.bare());
    };
    context.ask(SendStdin { name, chars }).await??;
    Ok(Answer::TRUE)
}
