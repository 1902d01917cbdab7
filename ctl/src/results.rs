//! What became of starting, stopping, signalling and clearing: result lines and exit statuses.

use client::CallError;
use protocol::faults::FaultCode;
use protocol::namespec::{Namespec, canonical};
use protocol::xmlrpc::{FaultValue, Value};

use crate::exit_status::ExitStatus;
use crate::failure::Failure;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `start`
    Start,
    /// `stop`
    Stop,
    /// `signal`
    Signal,
    /// `clear`
    Clear,
}

impl Verb {
    const fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Signal => "signalled",
            Self::Clear => "cleared",
        }
    }

    /// What a refusal is called; `None` if the verb cannot be refused like that.
    const fn complaint(self, code: FaultCode) -> Option<&'static str> {
        match (self, code) {
            (_, FaultCode::BadName) => Some("no such process"),
            (Self::Start, FaultCode::NoFile) => Some("no such file"),
            (Self::Start, FaultCode::NotExecutable) => Some("file is not executable"),
            (Self::Start, FaultCode::AlreadyStarted) => Some("already started"),
            (Self::Start, FaultCode::SpawnError) => Some("spawn error"),
            (Self::Start, FaultCode::AbnormalTermination) => Some("abnormal termination"),
            (Self::Stop | Self::Signal, FaultCode::BadSignal) => Some("bad signal name"),
            (Self::Stop | Self::Signal, FaultCode::NotRunning) => Some("not running"),
            (Self::Clear, FaultCode::Failed) => Some("failed"),
            _ => None,
        }
    }

    /// Whether the refusal says that the process already is as the user wants it.
    const fn is_satisfied_by(self, code: FaultCode) -> bool {
        matches!(
            (self, code),
            (Self::Start, FaultCode::AlreadyStarted) | (Self::Stop, FaultCode::NotRunning)
        )
    }

    /// Exit status when a group does not exist.
    pub(crate) const fn unknown_group(self) -> ExitStatus {
        match self {
            Self::Start => ExitStatus::BadArguments,
            Self::Stop | Self::Signal | Self::Clear => ExitStatus::Failed,
        }
    }
}

/// A result for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResultLine {
    /// The line.
    pub(crate) text: String,
    /// The exit status it leaves, if it is a problem.
    pub(crate) problem: Option<ExitStatus>,
}

/// The result for one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Canonical name.
    name: String,
    /// A fault's code, or that of success.
    status: i32,
    /// The fault's text.
    text: String,
}

impl Outcome {
    /// The result of a call about one process.
    pub(crate) fn of_call(name: &str, answer: Result<Value, Failure>) -> Result<Self, Failure> {
        let (status, text) = match answer {
            Ok(_) => (FaultCode::Success.code(), String::new()),
            Err(Failure::Call(CallError::Fault(FaultValue { code, text }))) => (code, text),
            Err(failure) => return Err(failure),
        };
        Ok(Self {
            name: Namespec::parse(name).to_string(),
            status,
            text,
        })
    }

    /// The results of a call about several processes.
    pub(crate) fn list(method: &str, value: &Value) -> Result<Vec<Self>, Failure> {
        let read = |value| Self::read(value).ok_or_else(|| CallError::unexpected(method).into());
        let results = value.as_array();
        let results = results.ok_or_else(|| CallError::unexpected(method))?;
        results.iter().map(read).collect()
    }

    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            name: canonical(value.get("group")?.as_str()?, value.get("name")?.as_str()?),
            status: value.get("status")?.as_int()?,
            text: value.get("description")?.as_str()?.to_owned(),
        })
    }

    /// Whether the server could not do it (fault FAILED).
    pub(crate) fn failed(&self) -> bool {
        self.code() == Some(FaultCode::Failed)
    }

    /// The result as it is told.
    ///
    /// # Errors
    /// When the result makes no sense for the verb.
    pub(crate) fn tell(&self, verb: Verb) -> Result<ResultLine, Failure> {
        Ok(ResultLine {
            text: self.line(verb)?,
            problem: self.exit_status(verb),
        })
    }

    fn line(&self, verb: Verb) -> Result<String, Failure> {
        let name = &self.name;
        match self.code() {
            Some(FaultCode::Success) => Ok(format!("{name}: {}", verb.done())),
            Some(FaultCode::Failed) if matches!(verb, Verb::Stop | Verb::Signal) => {
                Ok(self.text.clone())
            }
            Some(FaultCode::NotPermitted) => Ok(not_permitted(name, &self.text)),
            // Not about this process: the same line as for every other call.
            Some(FaultCode::ShutdownState) => Err(CallError::Fault(FaultValue {
                code: self.status,
                text: self.text.clone(),
            })
            .into()),
            code => match code.and_then(|code| verb.complaint(code)) {
                Some(complaint) => Ok(format!("{name}: ERROR ({complaint})")),
                None => Err(Failure::Refused {
                    name: name.clone(),
                    text: self.text.clone(),
                }),
            },
        }
    }

    fn exit_status(&self, verb: Verb) -> Option<ExitStatus> {
        match self.code() {
            Some(FaultCode::Success) => None,
            Some(code) if verb.is_satisfied_by(code) => None,
            Some(
                FaultCode::SpawnError | FaultCode::AbnormalTermination | FaultCode::NotRunning,
            ) => Some(ExitStatus::NotRunning),
            _ => Some(ExitStatus::Failed),
        }
    }

    fn code(&self) -> Option<FaultCode> {
        FaultCode::from_code(self.status)
    }
}

/// The line about something that the user may not act on. What else was named may be another matter.
pub(crate) fn not_permitted(name: &str, text: &str) -> String {
    let reason = text.strip_prefix("NOT_PERMITTED: ").unwrap_or(text);
    format!("{name}: ERROR ({reason})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: i32) -> Outcome {
        let value = Value::record([
            ("group", "g".into()),
            ("name", "p".into()),
            ("status", status.into()),
            ("description", "TEXT: g:p".into()),
        ]);
        let results = Outcome::list("m", &Value::Array(vec![value]));
        results.unwrap().remove(0)
    }

    #[test]
    fn results_have_lines_and_statuses() {
        use ExitStatus::{Failed, NotRunning};
        let rows = [
            (Verb::Start, 80, "g:p: started", None),
            (
                Verb::Start,
                10,
                "g:p: ERROR (no such process)",
                Some(Failed),
            ),
            (Verb::Start, 20, "g:p: ERROR (no such file)", Some(Failed)),
            (
                Verb::Start,
                21,
                "g:p: ERROR (file is not executable)",
                Some(Failed),
            ),
            (
                Verb::Start,
                40,
                "g:p: ERROR (abnormal termination)",
                Some(NotRunning),
            ),
            (
                Verb::Start,
                50,
                "g:p: ERROR (spawn error)",
                Some(NotRunning),
            ),
            (Verb::Start, 60, "g:p: ERROR (already started)", None),
            (Verb::Stop, 80, "g:p: stopped", None),
            (Verb::Stop, 70, "g:p: ERROR (not running)", None),
            (Verb::Stop, 30, "TEXT: g:p", Some(Failed)),
            (Verb::Signal, 80, "g:p: signalled", None),
            (
                Verb::Signal,
                11,
                "g:p: ERROR (bad signal name)",
                Some(Failed),
            ),
            (
                Verb::Signal,
                70,
                "g:p: ERROR (not running)",
                Some(NotRunning),
            ),
            (Verb::Clear, 80, "g:p: cleared", None),
            (Verb::Start, 93, "g:p: ERROR (TEXT: g:p)", Some(Failed)),
            (Verb::Stop, 93, "g:p: ERROR (TEXT: g:p)", Some(Failed)),
            (Verb::Signal, 93, "g:p: ERROR (TEXT: g:p)", Some(Failed)),
            (Verb::Clear, 93, "g:p: ERROR (TEXT: g:p)", Some(Failed)),
            (Verb::Clear, 30, "g:p: ERROR (failed)", Some(Failed)),
        ];
        for (verb, code, line, status) in rows {
            let outcome = outcome(code);
            assert_eq!(outcome.line(verb).unwrap(), line);
            assert_eq!(outcome.exit_status(verb), status, "{verb:?} {code}");
        }
    }

    #[test]
    fn results_that_make_no_sense_are_errors() {
        for (verb, code) in [(Verb::Start, 30), (Verb::Stop, 50), (Verb::Clear, 12345)] {
            assert!(matches!(
                outcome(code).line(verb),
                Err(Failure::Refused { .. })
            ));
        }
        let shutting_down = outcome(6).line(Verb::Start);
        assert!(matches!(
            shutting_down,
            Err(Failure::Call(CallError::Fault(_)))
        ));
    }
}
