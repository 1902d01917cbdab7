//! Answers, with the headers Supervisor's clients have always seen.

use std::time::SystemTime;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderValue, SERVER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

/// An answer, complete in memory.
pub(super) type Reply = Response<Full<Bytes>>;

/// What the servers call themselves: the HTTP library of Supervisor.
pub(super) const IDENTITY: &str = "Medusa/1.12";

/// An answer with a body.
pub(super) fn content(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let body = body.into();
    let length = body.len();
    let mut reply = bare(status, body);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, length.into());
    reply
}

/// The page that goes with a status other than success.
pub(super) fn error(status: StatusCode) -> Reply {
    explained(status, reason(status))
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Unknown")
}

fn explained(status: StatusCode, message: &str) -> Reply {
    let body = format!(
        "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n<h1>Error response</h1>\r\n\
         <p>Error code {}.\r\n<p>Message: {message}.\r\n</body>\r\n",
        status.as_u16()
    );
    let length = body.len();
    let mut reply = bare(status, body.into());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// The same, with a sentence about it.
pub(super) fn refusal(status: StatusCode, why: &str) -> Reply {
    explained(status, &format!("{}: {why}", reason(status)))
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Reply {
    bare(status, Bytes::new())
}

/// Asks for credentials with an answer. The connection ends, as it may hold a body that nobody wants.
pub(super) fn challenge(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"default\""),
    );
    reply
}

fn bare(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static(IDENTITY));
    let now = httpdate::fmt_http_date(SystemTime::now());
    if let Ok(now) = HeaderValue::from_str(&now) {
        headers.insert(DATE, now);
    }
    reply
}
