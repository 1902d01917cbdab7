//! From a method's name and arguments to its answer.

use std::time::Instant;

use protocol::events::Channel::{Stderr, Stdout};
use protocol::faults::{Fault, FaultCode};
use protocol::methods::{Method, Namespace};
use protocol::states::DaemonState;
use protocol::xmlrpc::Value;

use super::answer::Answer;
use super::arguments::Arguments;
use super::{RpcContext, SUPERVISOR_VERSION, config, instance, logs, pools, processes, system};
use crate::access::Deed;
use crate::supervisor::messages::GetDaemon;

/// The version of the interface that clients are told.
pub(crate) const API_VERSION: &str = "3.0";

/// The method of a full name, under the namespaces there are.
pub(super) fn resolve(context: &RpcContext, full_name: &str) -> Option<Method> {
    let (namespace, name) = full_name.split_once('.')?;
    // The introspection methods cannot be shadowed.
    if namespace == Namespace::System.name() {
        return Method::find(Namespace::System, name);
    }
    if namespace == Namespace::Callboard.name() && !context.namespaces.is_empty() {
        return Method::find(Namespace::Callboard, name);
    }
    let mut published = context.namespaces.iter();
    published
        .any(|published| published == namespace)
        .then(|| Method::find(Namespace::Supervisor, name))
        .flatten()
}

/// Calls one method that is not multicall, after the checks in Supervisor's order: does it exist, does the number of
/// arguments fit, is the daemon still in business; then ours: may the caller. Each method then checks the types of what it was given.
pub(crate) async fn call(
    context: &RpcContext,
    method: Method,
    params: Vec<Value>,
) -> Result<Answer, Fault> {
    let begun = Instant::now();
    let answer = check_and_run(context, method, params).await;
    context
        .meter
        .count(method, begun.elapsed(), answer.is_err());
    answer
}

async fn check_and_run(
    context: &RpcContext,
    method: Method,
    params: Vec<Value>,
) -> Result<Answer, Fault> {
    if !method.takes(params.len()) {
        return Err(FaultCode::IncorrectParameters.bare());
    }
    if !method.works_in_shutdown() && !is_in_business(context).await? {
        return Err(FaultCode::ShutdownState.bare());
    }
    admit(context, method, &params)?;
    run(context, method, Arguments::new(params)).await
}

/// Refuses what the caller may not do. What people who have a name change, or try to, is logged.
fn admit(context: &RpcContext, method: Method, params: &[Value]) -> Result<(), Fault> {
    let RpcContext { caller, log, .. } = context;
    let deed = Deed::of(method, params);
    let admitted = caller.check(&deed);
    if !caller.is_known() || deed == Deed::Look {
        return admitted;
    }
    let verb = if admitted.is_ok() {
        "calls"
    } else {
        "may not call"
    };
    let target = match &deed {
        Deed::Operate(target) => format!(" for {target}"),
        Deed::Look | Deed::Administer(_) => String::new(),
    };
    // Names come from the client: a line feed in one makes no line of the log.
    let line = format!(
        "{caller} {verb} {}{}",
        method.spec().names[0],
        target.escape_debug()
    );
    match admitted {
        Ok(()) => log.info(line),
        Err(_) => log.warn(line),
    }
    admitted
}

async fn is_in_business(context: &RpcContext) -> Result<bool, Fault> {
    let daemon = context.ask(GetDaemon).await?;
    Ok(matches!(
        daemon.state,
        DaemonState::Running | DaemonState::Fatal
    ))
}

async fn run(
    context: &RpcContext,
    method: Method,
    mut arguments: Arguments,
) -> Result<Answer, Fault> {
    let arguments = &mut arguments;
    match method {
        Method::GetApiVersion => Ok(API_VERSION.to_owned().into()),
        Method::GetSupervisorVersion => Ok(SUPERVISOR_VERSION.to_owned().into()),
        Method::GetIdentification => instance::identification(context).await,
        Method::GetState => instance::state(context).await,
        Method::GetPid => instance::pid(context).await,
        Method::Shutdown => instance::shutdown(context).await,
        Method::Restart => instance::restart(context).await,
        Method::SendRemoteCommEvent => instance::send_remote_event(context, arguments).await,

        Method::ReadLog => logs::read_main(context, arguments).await,
        Method::ClearLog => logs::clear_main(context).await,
        Method::ReadProcessStdoutLog => logs::read(context, arguments, Stdout).await,
        Method::ReadProcessStderrLog => logs::read(context, arguments, Stderr).await,
        Method::TailProcessStdoutLog => logs::tail(context, arguments, Stdout).await,
        Method::TailProcessStderrLog => logs::tail(context, arguments, Stderr).await,
        Method::ClearProcessLogs => logs::clear(context, arguments).await,
        Method::ClearAllProcessLogs => logs::clear_all(context).await,

        Method::ReloadConfig => config::reload(context).await,
        Method::AddProcessGroup => config::add_group(context, arguments).await,
        Method::RemoveProcessGroup => config::remove_group(context, arguments).await,
        Method::GetAllConfigInfo => config::all(context).await,

        Method::StartProcess => processes::start_named(context, arguments).await,
        Method::StartProcessGroup => processes::start_group(context, arguments).await,
        Method::StartAllProcesses => processes::start_all(context, arguments).await,
        Method::StopProcess => processes::stop_named(context, arguments).await,
        Method::StopProcessGroup => processes::stop_group(context, arguments).await,
        Method::StopAllProcesses => processes::stop_all(context, arguments).await,
        Method::SignalProcess => processes::signal_named(context, arguments).await,
        Method::SignalProcessGroup => processes::signal_group(context, arguments).await,
        Method::SignalAllProcesses => processes::signal_all(context, arguments).await,
        Method::GetProcessInfo => processes::info(context, arguments).await,
        Method::GetAllProcessInfo => processes::all_infos(context).await,
        Method::SendProcessStdin => processes::send_stdin(context, arguments).await,

        Method::GetEventPoolInfo => pools::one(context, arguments).await,
        Method::GetAllEventPoolInfo => pools::all(context).await,

        Method::Upgrade => instance::upgrade(context).await,
        Method::GetLastUpgrade => instance::last_upgrade(context).await,

        Method::ListMethods => Ok(system::list_methods(context)),
        Method::MethodHelp => system::help(context, arguments),
        Method::MethodSignature => system::signature(context, arguments),
        Method::Multicall => Err(system::recursion()),
    }
}
