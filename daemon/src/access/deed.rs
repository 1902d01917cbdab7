//! What calling a method amounts to.

use std::fmt;

use protocol::methods::Method;
use protocol::xmlrpc::Value;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed<'a> {
    /// Changes nothing.
    Look,
    /// Changes what becomes of some processes.
    Operate(Target<'a>),
    /// Changes what becomes of the daemon or its configuration; the name of the method.
    Administer(&'static str),
}

/// Whom it is for, as the client wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// `name`, `group:name`, `group:*` or `group:`.
    Named(&'a str),
    /// A group by its bare name.
    Group(&'a str),
    /// Every process.
    All,
}

impl<'a> Deed<'a> {
    /// What a call amounts to. A first argument that is no text means nobody: the method itself refuses it.
    pub fn of(method: Method, arguments: &'a [Value]) -> Self {
        use Method as M;
        let name = || arguments.first().and_then(Value::as_str).unwrap_or("");
        match method {
            M::GetApiVersion
            | M::GetSupervisorVersion
            | M::GetIdentification
            | M::GetState
            | M::GetPid
            | M::ReadLog
            | M::ReadProcessStdoutLog
            | M::ReadProcessStderrLog
            | M::TailProcessStdoutLog
            | M::TailProcessStderrLog
            | M::GetAllConfigInfo
            | M::GetProcessInfo
            | M::GetAllProcessInfo
            | M::GetEventPoolInfo
            | M::GetAllEventPoolInfo
            | M::GetLastUpgrade
            | M::ListMethods
            | M::MethodHelp
            | M::MethodSignature
            // Each call inside is looked at by itself.
            | M::Multicall => Self::Look,

            M::StartProcess
            | M::StopProcess
            | M::SignalProcess
            | M::SendProcessStdin
            | M::ClearProcessLogs => Self::Operate(Target::Named(name())),
            M::StartProcessGroup | M::StopProcessGroup | M::SignalProcessGroup => {
                Self::Operate(Target::Group(name()))
            }
            M::StartAllProcesses
            | M::StopAllProcesses
            | M::SignalAllProcesses
            | M::ClearAllProcessLogs => Self::Operate(Target::All),

            M::Shutdown
            | M::Restart
            | M::Upgrade
            | M::SendRemoteCommEvent
            | M::ClearLog
            | M::ReloadConfig
            | M::AddProcessGroup
            | M::RemoveProcessGroup => Self::Administer(method.spec().names[0]),
        }
    }
}

impl fmt::Display for Deed<'_> {
    /// What somebody may or may not do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Look => f.write_str("look"),
            Self::Operate(target) => write!(f, "act on {target}"),
            Self::Administer(method) => write!(f, "call {method}"),
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all processes"),
            Self::Named(name) | Self::Group(name) => f.write_str(name),
        }
    }
}
