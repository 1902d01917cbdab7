//! Server-sent events: how such an answer begins.

use std::time::SystemTime;

use hyper::Version;
use hyper::http::request::Parts;

use super::outgoing::Framing;
use super::reply::IDENTITY;
use super::stream::{Feed, Stream};
use crate::api::Source;

/// The answer to a request, whose pieces come from `source`.
pub(super) fn answer(request: &Parts, source: Source) -> Stream {
    let framing = Framing::of(request.version, &request.headers);
    let head = head(request.version, framing);
    Stream::new(framing, head, Feed::Events(source))
}

fn head(version: Version, framing: Framing) -> String {
    let version = match version {
        Version::HTTP_11 => "1.1",
        _ => "1.0",
    };
    let now = httpdate::fmt_http_date(SystemTime::now());
    let framing = framing.header();
    // The third last keeps nginx from collecting the stream.
    format!(
        "HTTP/{version} 200 OK\r\nServer: {IDENTITY}\r\nDate: {now}\r\nContent-Type: text/event-stream\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\n{framing}"
    )
}
