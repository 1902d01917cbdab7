//! How failed calls are shown.

use client::CallError;

use crate::python::repr;

/// The text of a failed call; a fault as Python's xmlrpc library shows it: `<Fault 70: 'NOT_RUNNING: x'>`.
pub fn error_text(error: &CallError) -> String {
    match error {
        CallError::Fault(fault) => format!("<Fault {}: {}>", fault.code, repr(&fault.text)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::xmlrpc::FaultValue;

    #[test]
    fn faults_are_shown_like_python() {
        let fault = FaultValue {
            code: 70,
            text: "NOT_RUNNING: x".into(),
        };
        assert_eq!(error_text(&fault.into()), "<Fault 70: 'NOT_RUNNING: x'>");
        assert_eq!(error_text(&CallError::Refused), "connection refused");
    }
}
