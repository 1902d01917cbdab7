//! From a request to who answers it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::SystemTime;

use bytes::Bytes;
use config::model::Credentials;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;

use super::auth::{self, Denied};
use super::capacity::Capacity;
use super::connection::Client;
use super::patience::Busy;
use super::push::Push;
use super::refusals::Refusals;
use super::reply::{self, Reply};
use super::stream::LogStream;
use super::{api, assets, body, pages, stream};
use crate::api::Api;
use crate::logs::activity::ActivityLog;
use crate::rpc::{RpcContext, RpcReply, dispatch};

/// What one server section serves.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) context: RpcContext,
    pub(super) api: Api,
    credentials: Option<Credentials>,
    capacity: Capacity,
    refusals: Refusals,
    /// When the static files came into being, as far as clients are concerned.
    pub(super) since: SystemTime,
}

impl Site {
    pub(super) fn new(
        context: RpcContext,
        api: Api,
        credentials: Option<Credentials>,
        capacity: Capacity,
        refusals: Refusals,
    ) -> Self {
        Self {
            context,
            api,
            credentials,
            capacity,
            refusals,
            since: SystemTime::now(),
        }
    }

    pub(super) fn log(&self) -> &ActivityLog {
        &self.context.log
    }

    /// Connections at the moment, to all servers.
    pub(super) fn connections(&self) -> usize {
        self.capacity.taken()
    }

    pub(super) const fn refusals(&self) -> &Refusals {
        &self.refusals
    }
}

/// One connection as the request handlers see it.
pub(super) struct Exchange {
    pub(super) site: Rc<Site>,
    /// Our own address on a TCP connection.
    pub(super) address: Option<String>,
    pub(super) client: Client,
    /// Whether a request is being answered.
    pub(super) busy: Busy,
    /// Where a handler leaves the stream that is to take over the connection.
    pub(super) stream: Cell<Option<Stream>>,
}

/// What may take over a connection.
#[derive(Debug)]
pub(super) enum Stream {
    /// A log, in Supervisor's manner.
    Log(LogStream),
    /// Server-sent events.
    Push(Push),
}

/// Makes hyper let go of the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection now belongs to a stream")]
pub(super) struct TakenOver;

/// Answers one request. What the operator may want to know about is logged.
pub(super) async fn answer(
    exchange: Rc<Exchange>,
    request: Request<Incoming>,
) -> Result<Reply, TakenOver> {
    let _busy = exchange.busy.begin();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let reply = route(&exchange, request).await?;
    let status = reply.status();
    if is_noteworthy(status) {
        let client = &exchange.client;
        let refusals = exchange.site.refusals();
        refusals.tell(format_args!(
            "refused {method} {path:?} from {client}: {status}"
        ));
    }
    Ok(reply)
}

/// Whether a status tells of somebody who may not, or of something too large or too slow, rather than of a wrong path.
fn is_noteworthy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE
    )
}

async fn route(exchange: &Rc<Exchange>, request: Request<Incoming>) -> Result<Reply, TakenOver> {
    let site = &exchange.site;
    if let Some(credentials) = &site.credentials {
        match auth::check(credentials, request.headers()) {
            Ok(()) => {}
            Err(Denied::Unauthorized) => return Ok(reply::unauthorized()),
            Err(Denied::Malformed) => return Ok(reply::error(StatusCode::BAD_REQUEST)),
        }
    }
    if api::covers(request.uri().path()) {
        return api::answer(exchange, request).await;
    }
    let path = percent_decode_str(request.uri().path())
        .decode_utf8_lossy()
        .into_owned();
    if path.starts_with("/RPC2") {
        return Ok(rpc(site, request).await);
    }
    if path.starts_with("/logtail") || path.starts_with("/mainlogtail") {
        return match stream::open(site, &request, &path).await {
            Ok(stream) => {
                exchange.stream.set(Some(Stream::Log(stream)));
                Err(TakenOver)
            }
            Err(status) => Ok(reply::error(status)),
        };
    }
    if let Some(page) = pages::Page::at(&path) {
        return Ok(pages::answer(exchange, page, request).await);
    }
    Ok(assets::answer(exchange, &path, &request))
}

/// XML-RPC. The call goes on in a task of its own, as a client that leaves must not undo what it has begun.
async fn rpc(site: &Rc<Site>, request: Request<Incoming>) -> Reply {
    if request.method() != Method::POST {
        return reply::error(StatusCode::BAD_REQUEST);
    }
    let (head, body) = request.into_parts();
    let body: Bytes = match body::read(&head.headers, body).await {
        Ok(body) => body,
        Err(status) => return reply::error(status),
    };
    let context = site.context.clone();
    match actix::spawn(async move { dispatch(&context, &body).await }).await {
        Ok(RpcReply::Answer(answer)) => reply::content(StatusCode::OK, "text/xml", answer),
        Ok(RpcReply::Unparsable) => reply::error(StatusCode::BAD_REQUEST),
        Err(_) => reply::error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
