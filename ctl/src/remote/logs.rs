//! Log streams.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use client::{ByteStream, CallError, Client};
use futures_util::stream::{self, SelectAll, StreamExt as _};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::time::{Instant, interval_at};

use crate::failure::Failure;
use crate::server::OnPiece;
use crate::waiting::TICK;

/// What a path must not hold as it is. Names may hold anything but white space.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Opens a log stream. That there is none is told on stderr, and no failure.
pub(super) async fn open_log(
    client: &Client,
    url: &str,
    path: &str,
) -> Result<Option<ByteStream>, Failure> {
    let encoded = utf8_percent_encode(path, PATH).to_string();
    let status = match client.stream(&encoded).await {
        Ok(stream) => return Ok(Some(stream)),
        Err(CallError::Http(status)) => status,
        Err(CallError::Unauthorized) => 401,
        Err(error) => return Err(error.into()),
    };
    // There is nowhere to complain if stderr is gone.
    let _ = writeln!(
        io::stderr(),
        "{url}{path} Cannot read, status code {status}"
    );
    Ok(None)
}

/// The next piece of a log. A connection that breaks ends it without a word, as in Supervisor 4.3.0, whose server
/// never ends a stream in another way.
pub(super) async fn next_piece(log: &mut ByteStream) -> Option<Bytes> {
    log.next().await?.ok()
}

/// The next piece of a log; waits for ever when it has ended, so that another can go on.
pub(super) async fn next(log: &mut Option<ByteStream>) -> Bytes {
    if let Some(stream) = log {
        if let Some(piece) = next_piece(stream).await {
            return piece;
        }
        *log = None;
    }
    std::future::pending().await
}

pub(super) fn write(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Failure> {
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}

/// Reads logs until all have ended.
pub(super) async fn follow_all(
    client: &Client,
    url: &str,
    paths: &[String],
    each: &mut OnPiece<'_, usize>,
) -> Result<(), Failure> {
    let mut logs = SelectAll::new();
    for (number, path) in paths.iter().enumerate() {
        if let Some(log) = open_log(client, url, path).await? {
            let pieces = stream::unfold(log, async |mut log| {
                Some((next_piece(&mut log).await?, log))
            });
            logs.push(Box::pin(pieces.map(move |piece| (number, piece))));
        }
    }
    while let Some((number, piece)) = logs.next().await {
        each(number, &piece)?;
    }
    Ok(())
}

/// Reads the main log until the server ends it by going away.
pub(super) async fn stay(client: &Client, each: &mut OnPiece<'_, Duration>) -> Result<(), Failure> {
    // Whatever the reason is: there is nothing to see.
    let Ok(mut log) = client.stream("/mainlogtail").await else {
        return Ok(());
    };
    let began = Instant::now();
    let mut ticks = interval_at(began + TICK, TICK);
    loop {
        tokio::select! {
            piece = next_piece(&mut log) => match piece {
                Some(piece) => each(began.elapsed(), &piece)?,
                None => return Ok(()),
            },
            _ = ticks.tick() => each(began.elapsed(), &[])?,
        }
    }
}
