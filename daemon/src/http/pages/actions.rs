//! What can be done from the status page, and what is said about it afterwards.

use jiff::Zoned;
use protocol::faults::{Fault, FaultCode};
use protocol::namespec::canonical;

use super::form::Form;
use crate::rpc::RpcContext;
use crate::supervisor::messages::{ClearLogs, Done, GetInfo, Row, Start, Stop, Target};

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
    context
        .ask(Stop {
            target: Target::All,
            wait: true,
        })
        .await
        .map_err(unexpected)?
        .map_err(unexpected)?;
    Ok(format!("All stopped at {}", now()))
}

async fn restart_all(context: &RpcContext) -> Message {
    let stopped = context
        .ask(Stop {
            target: Target::All,
            wait: true,
        })
        .await;
    let stopped = stopped.map_err(unexpected)?.map_err(unexpected)?;
    let started = context
        .ask(Start {
            target: Target::All,
            wait: true,
        })
        .await;
    let started = started.map_err(unexpected)?.map_err(unexpected)?;
    let failures: Vec<_> = [stopped, started].into_iter().flat_map(failures).collect();
    match failures.is_empty() {
        true => Ok(format!("All restarted at {}", now())),
        false => Err(failures.join("; ")),
    }
}

fn failures(done: Done) -> Vec<String> {
    let rows = match done {
        Done::One => Vec::new(),
        Done::Each(rows) => rows,
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
    match context.ask(GetInfo(name.clone())).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) => return Err(format!("No such process named {name}")),
        Err(gone) => return Err(unexpected(gone)),
    }
    match verb {
        Verb::Start => {
            start(context, &name)
                .await
                .map_err(|fault| start_failure(&name, &fault))?;
            Ok(format!("Process {name} started"))
        }
        Verb::Stop => {
            stop(context, &name).await.map_err(unexpected)?;
            Ok(format!("Process {name} stopped"))
        }
        Verb::Restart => restart(context, name).await,
        Verb::ClearLog => {
            context
                .ask(ClearLogs(name.clone()))
                .await
                .and_then(|done| done)
                .map_err(unexpected)?;
            Ok(format!("Log for {name} cleared"))
        }
    }
}

/// A process that does not run is just started.
async fn restart(context: &RpcContext, name: String) -> Message {
    match stop(context, &name).await {
        Ok(()) => {}
        Err(fault) if fault.code == FaultCode::NotRunning => {}
        Err(fault) => return Err(start_failure(&name, &fault)),
    }
    start(context, &name)
        .await
        .map_err(|fault| start_failure(&name, &fault))?;
    Ok(format!("Process {name} restarted"))
}

async fn start(context: &RpcContext, name: &str) -> Result<(), Fault> {
    let target = Target::Named(name.to_owned());
    context.ask(Start { target, wait: true }).await?.map(|_| ())
}

async fn stop(context: &RpcContext, name: &str) -> Result<(), Fault> {
    let target = Target::Named(name.to_owned());
    context.ask(Stop { target, wait: true }).await?.map(|_| ())
}

fn start_failure(name: &str, fault: &Fault) -> String {
    let why = match fault.code {
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
        assert_eq!(
            unexpected(FaultCode::NotRunning.about("a")),
            "unexpected rpc fault [70] NOT_RUNNING: a"
        );
    }
}
