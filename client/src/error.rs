//! Why a call did not succeed.

use std::error::Error as _;
use std::io;

use protocol::faults::FaultCode;
use protocol::xmlrpc::FaultValue;

use crate::tls::TlsError;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server refused the call.
    #[error(transparent)]
    Fault(#[from] FaultValue),
    /// The server wants other credentials, or any (HTTP 401).
    #[error("the server requires authentication")]
    Unauthorized,
    /// Nothing listens at the address.
    #[error("connection refused")]
    Refused,
    /// There is no socket at the path.
    #[error("no such file")]
    NoSuchFile,
    /// The socket belongs to somebody else.
    #[error("permission denied")]
    PermissionDenied,
    /// The server answered with an HTTP error other than 401.
    #[error("the server answered with HTTP status {0}")]
    Http(u16),
    /// The server cannot be trusted, or speaks no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The connection failed.
    #[error("{0}")]
    Io(#[source] io::Error),
    /// The answer breaks off.
    #[error("the answer is incomplete")]
    Incomplete,
    /// The answer makes no sense.
    #[error("unexpected answer: {0}")]
    Protocol(String),
}

impl CallError {
    /// What kind of fault, if it is one, and one of Supervisor's.
    pub fn fault(&self) -> Option<FaultCode> {
        match self {
            Self::Fault(fault) => fault.kind(),
            _ => None,
        }
    }

    /// An answer that is not of the type the method is documented to return.
    pub fn unexpected(method: &str) -> Self {
        Self::Protocol(format!("{method} returned something else than documented"))
    }

    /// A body that could not be read to its end.
    pub(crate) fn from_body(error: hyper::Error) -> Self {
        match Self::from_http(error) {
            Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::Incomplete,
            error => error,
        }
    }

    /// A request or response that hyper could not carry.
    pub(crate) fn from_http(error: hyper::Error) -> Self {
        if let Some(error) = io_source(&error) {
            return Self::Io(io::Error::new(error.kind(), error.to_string()));
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            let text = "the server closed the connection without answering";
            return Self::Io(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        Self::Protocol(error.to_string())
    }
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::NotFound => Self::NoSuchFile,
            io::ErrorKind::PermissionDenied => Self::PermissionDenied,
            _ => Self::Io(error),
        }
    }
}

/// The operating system's error underneath, if there is one.
pub(crate) fn io_source(error: &hyper::Error) -> Option<&io::Error> {
    error.source().and_then(|source| source.downcast_ref())
}
