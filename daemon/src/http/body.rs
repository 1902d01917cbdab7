//! Request bodies: whole, within limits of size and patience.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use tokio::time::timeout;

/// The largest body.
const LIMIT: usize = 32 * 1024 * 1024;

/// What is believed about a body's length before it is there.
const CREDIBLE: usize = 1024 * 1024;

/// The longest pause inside a body.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest time a body may take in all.
const WHOLE: Duration = Duration::from_secs(10 * 60);

/// Reads a body whose length was announced.
///
/// # Errors
/// The status to answer with.
pub(super) async fn read(headers: &HeaderMap, body: Incoming) -> Result<Bytes, StatusCode> {
    if !headers.contains_key(CONTENT_LENGTH) {
        return Err(StatusCode::LENGTH_REQUIRED);
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > LIMIT {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let whole = timeout(WHOLE, collect(body, announced));
    whole.await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

async fn collect(mut body: Incoming, announced: usize) -> Result<Bytes, StatusCode> {
    // Small bodies come in one piece and are not copied.
    let Some(first) = next(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() >= announced && body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(announced.clamp(first.len(), CREDIBLE));
    whole.extend_from_slice(&first);
    while let Some(piece) = next(&mut body).await? {
        if whole.len() + piece.len() > LIMIT {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, StatusCode> {
    loop {
        match timeout(PATIENCE, body.frame()).await {
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(StatusCode::BAD_REQUEST),
            Ok(Some(Ok(frame))) => {
                // Trailers mean nothing here.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
