//! Why a request was not answered as wished.

use std::fmt::{self, Display};

use hyper::StatusCode;
use protocol::faults::{Fault, FaultCode};

use super::Whole;
use super::route::Verb;
use super::schema::{Asked, object, to_json};

/// A refusal or failure.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    cause: Cause,
    allow: Option<String>,
}

#[derive(Debug)]
enum Cause {
    /// The fault that XML-RPC would answer with.
    Fault(Fault),
    /// What is wrong with the request itself.
    Request(String),
}

object! {
    /// Why a request was not answered as wished: one of the two.
    pub(super) struct Refusal {
        /// The fault that XML-RPC would answer with.
        fault: Asked<FaultMembers>,
        /// What is wrong with the request itself.
        error: Asked<ErrorMembers>,
    }
}

object! {
    /// A fault.
    pub(super) struct FaultMembers {
        /// Its number.
        code: i32,
        /// Its name.
        name: &'static str,
        /// Its name, and often what it is about.
        text: String,
    }
}

object! {
    /// An error of the request.
    pub(super) struct ErrorMembers {
        /// The status of the answer.
        status: u16,
        /// What is wrong, in words.
        text: String,
    }
}

impl Problem {
    /// Something is wrong with the request.
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            cause: Cause::Request(text.into()),
            allow: None,
        }
    }

    /// A parameter is not what it has to be.
    pub(super) fn parameter(name: &str, complaint: impl Display) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            format!("parameter '{name}': {complaint}"),
        )
    }

    /// The path has other methods.
    pub(super) fn not_allowed(verbs: impl Iterator<Item = Verb>) -> Self {
        let names = verbs.map(|verb| match verb {
            Verb::Get => "GET, HEAD",
            Verb::Post => "POST",
        });
        let allow = names.collect::<Vec<_>>().join(", ");
        Self {
            allow: Some(allow.clone()),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("this path has {allow}"),
            )
        }
    }

    /// A POST ended in a fault. That something is not as it would have to be is a conflict, also where a GET would say
    /// that it is not there.
    pub(super) fn of_action(fault: Fault) -> Self {
        let status = match fault.code {
            FaultCode::NoFile => StatusCode::CONFLICT,
            code => status(code),
        };
        Self {
            status,
            ..Self::from(fault)
        }
    }
}

/// The reason.
impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Fault(fault) => fault.fmt(f),
            Cause::Request(text) => f.write_str(text),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self {
            status: status(fault.code),
            cause: Cause::Fault(fault),
            allow: None,
        }
    }
}

impl From<Problem> for Whole {
    fn from(problem: Problem) -> Self {
        let refusal = match problem.cause {
            Cause::Fault(fault) => Refusal {
                fault: Asked(Some(FaultMembers {
                    code: fault.code.code(),
                    name: fault.code.name(),
                    text: fault.to_string(),
                })),
                error: Asked(None),
            },
            Cause::Request(text) => Refusal {
                fault: Asked(None),
                error: Asked(Some(ErrorMembers {
                    status: problem.status.as_u16(),
                    text,
                })),
            },
        };
        Self {
            status: problem.status,
            allow: problem.allow,
            ..Self::json(to_json(&refusal))
        }
    }
}

/// The status that goes with a fault.
pub(super) const fn status(code: FaultCode) -> StatusCode {
    match code {
        FaultCode::IncorrectParameters
        | FaultCode::BadArguments
        | FaultCode::BadSignal
        | FaultCode::SignatureUnsupported => StatusCode::BAD_REQUEST,
        FaultCode::NotPermitted => StatusCode::FORBIDDEN,
        FaultCode::UnknownMethod | FaultCode::BadName | FaultCode::NoFile => StatusCode::NOT_FOUND,
        FaultCode::ShutdownState => StatusCode::SERVICE_UNAVAILABLE,
        FaultCode::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        FaultCode::NotExecutable
        | FaultCode::AbnormalTermination
        | FaultCode::SpawnError
        | FaultCode::AlreadyStarted
        | FaultCode::NotRunning
        | FaultCode::AlreadyAdded
        | FaultCode::StillRunning
        | FaultCode::CantReread
        | FaultCode::Success => StatusCode::CONFLICT,
    }
}
