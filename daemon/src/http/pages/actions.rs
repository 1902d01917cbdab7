//! What can be done from the status page, and what is said about it afterwards.

use jiff::Zoned;
use protocol::faults::{Fault, FaultCode};
use protocol::methods::Method;
use protocol::namespec::canonical;

use super::form::Form;
use crate::rpc::{Answer, RpcContext, call};
use crate::supervisor::messages::Row;

/// An action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Refresh,
    StopAll,
    RestartAll,
    /// Something with the process of this name, as the client wrote it.
    On(String, Verb),
}

/// What can be done with a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Start,
    Stop,
    Restart,
    ClearLog,
}

impl Action {
    /// The action a form asks for, if it is one and has what it needs.
    pub(super) fn requested(form: &Form) -> Option<Self> {
        let on = |verb| form.processname.clone().map(|name| Self::On(name, verb));
        match form.action.as_deref()? {
            "refresh" => Some(Self::Refresh),
            "stopall" => Some(Self::StopAll),
            "restartall" => Some(Self::RestartAll),
            "start" => on(Verb::Start),
            "stop" => on(Verb::Stop),
            "restart" => on(Verb::Restart),
            "clearlog" => on(Verb::ClearLog),
            _ => None,
        }
    }

    /// Performs it, with all the waiting, and returns the message.
    pub(super) async fn perform(self, context: &RpcContext) -> String {
        let outcome = match self {
            Self::Refresh => Ok(format!("Page refreshed at {}", now())),
            Self::StopAll => stop_all(context).await,
            Self::RestartAll => restart_all(context).await,
            Self::On(name, verb) => on_process(context, name, verb).await,
        };
        outcome.unwrap_or_else(|refusal| refusal)
    }
}

/// The message about a success, or about a failure.
type Message = Result<String, String>;

async fn stop_all(context: &RpcContext) -> Message {
    everything(context, Method::StopAllProcesses)
        .await
        .map_err(unexpected)?;
    Ok(format!("All stopped at {}", now()))
}

async fn restart_all(context: &RpcContext) -> Message {
    let mut failed = Vec::new();
    for method in [Method::StopAllProcesses, Method::StartAllProcesses] {
        let answer = everything(context, method).await.map_err(unexpected)?;
        failed.extend(failures(answer));
    }
    match failed.is_empty() {
        true => Ok(format!("All restarted at {}", now())),
        false => Err(failed.join("; ")),
    }
}

/// Calls a method for all processes and waits until it is done.
async fn everything(context: &RpcContext, method: Method) -> Result<Answer, Fault> {
    call(context, method, vec![true.into()]).await
}

fn failures(answer: Answer) -> Vec<String> {
    let rows = match answer {
        Answer::Rows(rows) => rows,
        _ => Vec::new(),
    };
    let failure =
        |Row {
             name,
             group,
             result,
         }: Row| Some(start_failure(&canonical(&group, &name), &result.err()?));
    rows.into_iter().filter_map(failure).collect()
}

async fn on_process(context: &RpcContext, name: String, verb: Verb) -> Message {
    if let Err(fault) = named(context, Method::GetProcessInfo, &name).await {
        return Err(match fault.code {
            FaultCode::BadName => format!("No such process named {name}"),
            _ => unexpected(fault),
        });
    }
    match verb {
        Verb::Start => {
            let started = named(context, Method::StartProcess, &name).await;
            started.map_err(|fault| start_failure(&name, &fault))?;
            Ok(format!("Process {name} started"))
        }
        Verb::Stop => {
            let stopped = named(context, Method::StopProcess, &name).await;
            stopped.map_err(unexpected)?;
            Ok(format!("Process {name} stopped"))
        }
        Verb::Restart => restart(context, name).await,
        Verb::ClearLog => {
            let cleared = named(context, Method::ClearProcessLogs, &name).await;
            cleared.map_err(unexpected)?;
            Ok(format!("Log for {name} cleared"))
        }
    }
}

/// A process that does not run is just started.
async fn restart(context: &RpcContext, name: String) -> Message {
    match named(context, Method::StopProcess, &name).await {
        Ok(_) => {}
        Err(fault) if fault.code == FaultCode::NotRunning => {}
        Err(fault) => return Err(start_failure(&name, &fault)),
    }
    let started = named(context, Method::StartProcess, &name).await;
    started.map_err(|fault| start_failure(&name, &fault))?;
    Ok(format!("Process {name} restarted"))
}

/// Calls a method for one process, with all the waiting that it does by default.
async fn named(context: &RpcContext, method: Method, name: &str) -> Result<Answer, Fault> {
    call(context, method, vec![name.into()]).await
}

fn start_failure(name: &str, fault: &Fault) -> String {
    let why = match fault.code {
        FaultCode::NotPermitted => return unexpected(fault.clone()),
        FaultCode::NoFile => "no such file".to_owned(),
        FaultCode::NotExecutable => "file not executable".to_owned(),
        FaultCode::AlreadyStarted => "already started".to_owned(),
        FaultCode::SpawnError => "spawn error".to_owned(),
        FaultCode::AbnormalTermination => "abnormal termination".to_owned(),
        _ => unexpected(fault.clone()),
    };
    format!("ERROR: Process {name}: {why}")
}

/// How the pages put a fault that they have no words for.
pub(super) fn unexpected(fault: Fault) -> String {
    if fault.code == FaultCode::NotPermitted {
        return fault
            .to_string()
            .replacen("NOT_PERMITTED", "Not permitted", 1);
    }
    format!("unexpected rpc fault [{}] {fault}", fault.code.code())
}

/// Local time in the style of C's `ctime`.
fn now() -> String {
    Zoned::now().strftime("%a %b %e %H:%M:%S %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_need_what_they_act_on() {
        let name = || "g:a".to_owned();
        let rows = [
            (Some("refresh"), None, Some(Action::Refresh)),
            (Some("stopall"), Some(name()), Some(Action::StopAll)),
            (Some("restartall"), None, Some(Action::RestartAll)),
            (
                Some("start"),
                Some(name()),
                Some(Action::On(name(), Verb::Start)),
            ),
            (
                Some("clearlog"),
                Some(name()),
                Some(Action::On(name(), Verb::ClearLog)),
            ),
            (Some("stop"), None, None),
            (Some("startall"), Some(name()), None),
            (None, Some(name()), None),
        ];
        for (action, processname, expected) in rows {
            let form = Form {
                action: action.map(str::to_owned),
                processname,
                ..Form::default()
            };
            assert_eq!(Action::requested(&form), expected, "{form:?}");
        }
    }

    #[test]
    fn failures_are_put_in_words() {
        let rows = [
            (FaultCode::NoFile.bare(), "ERROR: Process a: no such file"),
            (
                FaultCode::SpawnError.about("a"),
                "ERROR: Process a: spawn error",
            ),
            (
                FaultCode::Failed.about("x"),
                "ERROR: Process a: unexpected rpc fault [30] FAILED: x",
            ),
        ];
        for (fault, message) in rows {
            assert_eq!(start_failure("a", &fault), message);
        }
        let refused = FaultCode::NotPermitted.about("ann may not act on a");
        let message = "Not permitted: ann may not act on a";
        assert_eq!(start_failure("a", &refused), message);
        assert_eq!(unexpected(refused), message);
        assert_eq!(
            unexpected(FaultCode::NotRunning.about("a")),
            "unexpected rpc fault [70] NOT_RUNNING: a"
        );
    }
}
