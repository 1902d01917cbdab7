//! `/logtail/...` and `/mainlogtail`: the end of a log, and then what is added to it, for ever.

use std::fmt::Write as _;
use std::io;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode, Version};
use protocol::events::Channel;

use super::outgoing::Framing;
use super::reply::IDENTITY;
use super::stream::{Feed, Stream};
use crate::logs::follow::{FileFollower, Piece};
use crate::logs::followed::{FollowedLog, WhichLog};
use crate::rpc::{RpcContext, locate_log};

/// How much of a log's end a stream starts with.
const HEAD_START: u64 = 1024;

const TRUNCATED: &[u8] = b"==> File truncated <==\n";

/// A log as it is, in Supervisor's manner.
#[derive(Debug)]
pub(super) struct LogTail(pub(super) FollowedLog);

impl LogTail {
    /// The next piece; `None` when the file cannot be read any more. May be given up and called again.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.ready().ok()? {
                return Some(piece);
            }
            self.0.changed().await;
        }
    }

    /// A piece that is there already.
    pub(super) fn ready(&mut self) -> io::Result<Option<Bytes>> {
        let mut buffer = Vec::new();
        loop {
            match self.0.next(&mut buffer)? {
                Piece::Data => return Ok(Some(buffer.into())),
                // Supervisor says nothing of a log that was cleared or rotated.
                Piece::Removed => {}
                Piece::Truncated => return Ok(Some(Bytes::from_static(TRUNCATED))),
                Piece::Nothing => return Ok(None),
            }
        }
    }
}

/// Finds the log that a path asks for.
///
/// # Errors
/// The status to answer with.
pub(super) async fn open(
    context: &RpcContext,
    request: &Request<Incoming>,
    path: &str,
) -> Result<Stream, StatusCode> {
    if request.method() != Method::GET {
        return Err(StatusCode::BAD_REQUEST);
    }
    let which = match path.starts_with("/mainlogtail") {
        true => WhichLog::Daemon,
        false => target(path).ok_or(StatusCode::NOT_FOUND)?,
    };
    let located = locate_log(context, &which).await;
    let located = located.map_err(|_| StatusCode::NOT_FOUND)?;
    let path = located.path.ok_or(StatusCode::NOT_FOUND)?;
    let is_main = which == WhichLog::Daemon;
    let log = FollowedLog::open(which, &path, HEAD_START, located.changed);
    let log = log.map_err(|_| StatusCode::NOT_FOUND)?;
    let framing = Framing::of(request.version(), request.headers());
    let head = head(request.version(), framing, log.file(), is_main);
    Ok(Stream::new(framing, head, Feed::Log(LogTail(log))))
}

/// `/logtail/<name>[/<channel>]`, decoded.
fn target(path: &str) -> Option<WhichLog> {
    let (_, wanted) = path.trim_start_matches('/').split_once('/')?;
    let (name, channel) = wanted
        .split_once('/')
        .unwrap_or((wanted, Channel::Stdout.name()));
    let channels = [Channel::Stdout, Channel::Stderr];
    let channel = channels.into_iter().find(|known| known.name() == channel)?;
    Some(WhichLog::of(name.to_owned(), channel))
}

fn head(version: Version, framing: Framing, file: &FileFollower, is_main: bool) -> String {
    let version = if version == Version::HTTP_11 {
        "1.1"
    } else {
        "1.0"
    };
    let now = httpdate::fmt_http_date(SystemTime::now());
    let mut head = format!("HTTP/{version} 200 OK\r\nServer: {IDENTITY}\r\nDate: {now}\r\n");
    if let Ok(modified) = file.metadata().and_then(|metadata| metadata.modified()) {
        // Writing to a string cannot fail.
        let _ = write!(
            head,
            "Last-Modified: {}\r\n",
            httpdate::fmt_http_date(modified)
        );
    }
    // Programs write what they like: nobody shall take it for a page.
    head.push_str("Content-Type: text/plain;charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n");
    if !is_main {
        // Keeps nginx from collecting the stream.
        head.push_str("X-Accel-Buffering: no\r\n");
    }
    head.push_str(framing.header());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_process_and_a_channel() {
        let stdout = |name: &str| Some(WhichLog::Stdout(name.to_owned()));
        let rows = [
            ("/logtail/cat", stdout("cat")),
            (
                "/logtail/g:cat/stderr",
                Some(WhichLog::Stderr("g:cat".to_owned())),
            ),
            ("//logtail/cat/stdout", stdout("cat")),
            ("/logtail/cat/", None),
            ("/logtail/cat/stdin", None),
            ("/logtail/cat/stdout/x", None),
            ("/logtail/", stdout("")),
            ("/logtail", None),
        ];
        for (path, expected) in rows {
            assert_eq!(target(path), expected, "{path}");
        }
    }
}
