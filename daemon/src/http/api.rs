//! The JSON interface and the metrics: bodies in, replies out.

use std::rc::Rc;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};

use super::refusals::Remark;
use super::reply::{self, Reply};
use super::router::{Exchange, TakenOver};
use super::{body, push};
use crate::api::{Found, Output, Problem, Query, Whole};
use crate::rpc::RpcContext;

const METRICS: &str = "/metrics";

/// Whether a path, as the client wrote it, is for here.
pub(super) fn covers(path: &str) -> bool {
    path == METRICS || path == "/api" || path.starts_with("/api/")
}

/// Answers a request; a stream is left in the exchange.
pub(super) async fn answer(
    exchange: &Rc<Exchange>,
    context: &RpcContext,
    request: Request<Incoming>,
) -> Result<Reply, TakenOver> {
    let (head, body) = request.into_parts();
    let output = match respond(exchange, context, &head, body).await {
        Ok(output) => output,
        Err(problem) => return Ok(refusal(problem)),
    };
    match output {
        Output::Whole(whole) => Ok(reply(whole)),
        Output::Stream(_) if head.method == Method::HEAD => Ok(reply(Whole::no_stream())),
        Output::Stream(source) => {
            let stream = push::answer(&head, source);
            exchange.stream.set(Some(Box::new(stream)));
            Err(TakenOver)
        }
    }
}

/// Answers a request that gets no further.
pub(super) fn refuse(status: StatusCode, why: &str) -> Reply {
    refusal(Problem::new(status, why))
}

fn refusal(problem: Problem) -> Reply {
    let reason = problem.to_string();
    Remark::on(reply(problem.into()), reason)
}

async fn respond(
    exchange: &Rc<Exchange>,
    context: &RpcContext,
    head: &Parts,
    body: Incoming,
) -> Result<Output, Problem> {
    let site = &exchange.site;
    let found = Found::at(&head.method, head.uri.path())?;
    if head.method == Method::POST {
        let checked = site.guard.check(&head.headers);
        checked.map_err(|forgery| Problem::new(StatusCode::FORBIDDEN, forgery.to_string()))?;
    }
    let body = match found.takes_body() {
        true => read(&head.headers, body).await?,
        false => Bytes::new(),
    };
    let query = Query {
        text: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        connections: site.connections(),
    };
    site.api.answer(context, found, query, &body).await
}

/// The body of a POST: JSON, if there is one. Forms of other web sites cannot send that unasked.
async fn read(headers: &HeaderMap, body: Incoming) -> Result<Bytes, Problem> {
    let is_absent = body.is_end_stream();
    if !headers.get(CONTENT_TYPE).map_or(is_absent, is_json) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a body has to be of the type application/json",
        ));
    }
    if is_absent {
        return Ok(Bytes::new());
    }
    let whole = body::read(headers, body).await;
    whole.map_err(|status| {
        let reason = status.canonical_reason().unwrap_or("Bad body");
        Problem::new(status, reason.to_lowercase())
    })
}

fn is_json(kind: &HeaderValue) -> bool {
    let kind = kind.as_bytes().split(|&byte| byte == b';').next();
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/json"))
}

fn reply(whole: Whole) -> Reply {
    let mut reply = match whole.status {
        StatusCode::NOT_MODIFIED => reply::empty(whole.status),
        status => reply::content(status, whole.kind, whole.body),
    };
    let headers = reply.headers_mut();
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    let etag = whole
        .etag
        .and_then(|etag| HeaderValue::from_str(&etag).ok());
    let cache = match etag {
        Some(etag) => {
            headers.insert(ETAG, etag);
            "no-cache"
        }
        None => "no-store",
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(allow) = whole
        .allow
        .and_then(|allow| HeaderValue::from_str(&allow).ok())
    {
        headers.insert(ALLOW, allow);
    }
    reply
}
