//! Failures in a line: the cause, and what to do about it.

use std::io;

use client::{CallError, TlsError, UrlError};
use protocol::faults::FaultCode;

use crate::failure::Failure;

/// What to do when nothing listens at the server's address.
pub(crate) const START_OR_ADDRESS: &str = "start supervisord, or give the address it listens at with -s, or its \
    configuration file with -c";

/// What to do when the server wants to know who is asking.
pub(crate) const LOG_IN: &str = "give those of [unix_http_server] or [inet_http_server] with -u and -p, or in \
    [supervisorctl]";

const OTHER_USER: &str = "log in as a user who may do this (-u and -p, or in [supervisorctl])";

const OTHER_SERVER: &str = "this does not look like supervisord, check the address (-s, or serverurl in \
    [supervisorctl])";

const CUT_SHORT: &str = "try again, and see the log of supervisord; Supervisor itself cuts answers short that hold \
    anything but ASCII, for instance names";

/// A line about a failure no command has its own words for. `url` is the server's address.
pub(crate) fn explain(url: &str, failure: &Failure) -> String {
    match failure {
        Failure::Call(error) => explain_call(url, error),
        Failure::Url(error @ UrlError::Scheme(_)) => {
            format!(
                "error: {error}: use http://host:port, https://host:port or unix:///path/of/the/socket"
            )
        }
        failure => format!("error: {failure}"),
    }
}

fn explain_tls(url: &str, error: &TlsError) -> String {
    let remedy = match error {
        TlsError::Roots { .. } => {
            "name a PEM file with certificates as cafile in [supervisorctl], or in SSL_CERT_FILE"
        }
        TlsError::UnknownIssuer => {
            "name the file with the certificate of its issuer (its own if it is self-signed) as cafile in \
             [supervisorctl]"
        }
        TlsError::WrongName(_) => {
            "use a name that stands in the certificate (-s, or serverurl in [supervisorctl])"
        }
        TlsError::Expired => "renew certfile of [inet_http_server], or set the clock",
        TlsError::NotTls => {
            "use http:// (-s, or serverurl in [supervisorctl]), or set certfile in [inet_http_server]"
        }
        TlsError::Silent(_) => {
            "check the address (-s, or serverurl in [supervisorctl]) and that supervisord is not stopped"
        }
        TlsError::Certificate(_) | TlsError::Handshake(_) => {
            "check certfile and keyfile of [inet_http_server]"
        }
    };
    format!("error: {url} {error}: {remedy}")
}

fn explain_call(url: &str, error: &CallError) -> String {
    match error {
        CallError::Refused => format!("{url} refused connection: {START_OR_ADDRESS}"),
        CallError::NoSuchFile => format!("{url} no such file: {START_OR_ADDRESS}"),
        CallError::PermissionDenied => format!(
            "error: {url} permission denied: run supervisorctl as the owner of the socket (sudo), or set chmod or \
             chown in [unix_http_server]"
        ),
        CallError::Tls(error) => explain_tls(url, error),
        CallError::Http(403) => format!("error: {url} answered with HTTP status 403: {OTHER_USER}"),
        CallError::Http(status) => {
            format!("error: {url} answered with HTTP status {status}: {OTHER_SERVER}")
        }
        CallError::Protocol(problem) => {
            format!("error: {url} gave an unexpected answer ({problem}): {OTHER_SERVER}")
        }
        CallError::Incomplete => format!("error: {url} gave an incomplete answer: {CUT_SHORT}"),
        CallError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => format!(
            "error: {url} {error}: see the log of supervisord; if there is nothing, {OTHER_SERVER}"
        ),
        CallError::Io(error) => format!(
            "error: {url} {error}: check the address (-s, or serverurl in [supervisorctl]) and the network"
        ),
        error if error.fault() == Some(FaultCode::ShutdownState) => {
            "error: supervisord is shutting down or restarting: try again when it is up".to_owned()
        }
        CallError::Fault(fault) if error.fault() == Some(FaultCode::NotPermitted) => {
            format!("error: {}: {OTHER_USER}", fault.text)
        }
        error => format!("error: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use protocol::xmlrpc::FaultValue;

    use super::*;

    #[test]
    fn causes_come_with_remedies() {
        let io = |kind| CallError::Io(io::Error::new(kind, "it broke"));
        let fault = |code: i32| {
            CallError::Fault(FaultValue {
                code,
                text: "TEXT".into(),
            })
        };
        let rows = [
            (
                CallError::Refused,
                "u refused connection: start supervisord",
            ),
            (CallError::NoSuchFile, "u no such file: start supervisord"),
            (
                CallError::PermissionDenied,
                "error: u permission denied: run supervisorctl as the owner",
            ),
            (
                CallError::Http(404),
                "error: u answered with HTTP status 404: this does not look like",
            ),
            (
                CallError::Protocol("x".into()),
                "error: u gave an unexpected answer (x): this does not look like",
            ),
            (
                CallError::Incomplete,
                "error: u gave an incomplete answer: try again",
            ),
            (
                TlsError::Silent(std::time::Duration::from_secs(10)).into(),
                "error: u the server does not answer the TLS handshake within 10 s: check the address",
            ),
            (
                io(io::ErrorKind::UnexpectedEof),
                "error: u it broke: see the log",
            ),
            (
                io(io::ErrorKind::TimedOut),
                "error: u it broke: check the address",
            ),
            (
                fault(6),
                "error: supervisord is shutting down or restarting",
            ),
            (fault(30), "error: fault 30: TEXT"),
            (fault(93), "error: TEXT: log in as a user who may"),
            (
                CallError::Http(403),
                "error: u answered with HTTP status 403: log in as",
            ),
            (
                TlsError::UnknownIssuer.into(),
                "error: u the server's certificate comes from an issuer that is not trusted: name the file",
            ),
            (
                TlsError::WrongName("h".into()).into(),
                "error: u the server's certificate is not for h: use a name",
            ),
            (
                TlsError::NotTls.into(),
                "error: u the server does not speak TLS: use http://",
            ),
        ];
        for (error, expected) in rows {
            let line = explain("u", &Failure::Call(error));
            assert!(line.starts_with(expected), "{line}");
            assert_eq!(line.lines().count(), 1, "{line}");
        }
        let url = UrlError::Scheme("ftp://x".into());
        let line = explain("u", &Failure::Url(url));
        assert!(line.contains("ftp://x: use http://host:port"), "{line}");
    }
}
