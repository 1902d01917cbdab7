//! From a request to who answers it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;

use super::auth::{Denied, Gate};
use super::capacity::Capacity;
use super::guard::{Forgery, Guard};
use super::origin::{Scheme, server_url};
use super::patience::{BusyGuard, Condition};
use super::refusals::{Refusals, Remark};
use super::reply::{self, Reply};
use super::sockets::Client;
use super::stream::Stream;
use super::{api, assets, body, logtail, pages};
use crate::access::Deed;
use crate::api::Api;
use crate::logs::activity::ActivityLog;
use crate::rpc::{RpcContext, RpcReply, dispatch};

/// What one server section serves.
#[derive(Debug)]
pub(super) struct Site {
    /// On behalf of nobody yet.
    pub(super) context: RpcContext,
    pub(super) api: Api,
    gate: Gate,
    pub(super) guard: Guard,
    pub(super) scheme: Scheme,
    capacity: Capacity,
    refusals: Refusals,
    /// When the static files came into being, as far as clients are concerned.
    pub(super) since: SystemTime,
}

impl Site {
    pub(super) fn new(
        context: RpcContext,
        api: Api,
        gate: Gate,
        guard: Guard,
        scheme: Scheme,
        capacity: Capacity,
        refusals: Refusals,
    ) -> Self {
        Self {
            context,
            api,
            gate,
            guard,
            scheme,
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
    pub(super) condition: Condition,
    /// Where a handler leaves the stream that is to take over the connection.
    pub(super) stream: Cell<Option<Box<Stream>>>,
}

impl Exchange {
    pub(super) fn new(site: Rc<Site>, address: Option<String>, client: Client) -> Self {
        Self {
            site,
            address,
            client,
            condition: Condition::default(),
            stream: Cell::new(None),
        }
    }

    /// The address that the client uses for us, without a slash at the end; empty if that cannot be told.
    pub(super) fn server_url(&self, headers: &HeaderMap) -> String {
        server_url(self.site.scheme, headers, self.address.as_deref()).unwrap_or_default()
    }
}

/// Makes hyper let go of the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection now belongs to a stream")]
pub(super) struct TakenOver;

/// Answers one request, and is busy with that. What the operator may want to know about is logged.
pub(super) async fn answer(
    exchange: Rc<Exchange>,
    _busy: BusyGuard,
    request: Request<Incoming>,
) -> Result<Reply, TakenOver> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let reply = route(&exchange, request).await?;
    let status = reply.status();
    if is_noteworthy(status) {
        let client = &exchange.client;
        let refusals = exchange.site.refusals();
        let remark = Remark::of(&reply);
        refusals.tell(format_args!(
            "refused {method} {path:?} from {client}{remark}: {status}"
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
            | StatusCode::TOO_MANY_REQUESTS
    )
}

async fn route(exchange: &Rc<Exchange>, request: Request<Incoming>) -> Result<Reply, TakenOver> {
    let site = &exchange.site;
    let is_api = api::covers(request.uri().path());
    if let Err(forgery) = site.guard.admit(request.headers()) {
        return Ok(match is_api {
            true => api::refuse(StatusCode::FORBIDDEN, &forgery.to_string()),
            false => forbid(&forgery),
        });
    }
    let caller = match site.gate.admit(&exchange.client, request.headers()).await {
        Ok(caller) => caller,
        Err(denied) => return Ok(turn_away(&denied, is_api)),
    };
    if !caller.may(&Deed::Look) {
        return Ok(reply::error(StatusCode::FORBIDDEN));
    }
    let context = site.context.on_behalf_of(caller);
    if is_api {
        return api::answer(exchange, &context, request).await;
    }
    let path = percent_decode_str(request.uri().path())
        .decode_utf8_lossy()
        .into_owned();
    if path.starts_with("/RPC2") {
        return Ok(rpc(site, context, request).await);
    }
    if path.starts_with("/logtail") || path.starts_with("/mainlogtail") {
        return match logtail::open(&context, &request, &path).await {
            Ok(stream) => {
                exchange.stream.set(Some(Box::new(stream)));
                Err(TakenOver)
            }
            Err(status) => Ok(reply::error(status)),
        };
    }
    if let Some(page) = pages::Page::at(&path) {
        return Ok(pages::answer(exchange, &context, page, request).await);
    }
    Ok(assets::answer(exchange, &path, &request))
}

/// The answer to somebody who is nobody. The log gets the name, never the password.
fn turn_away(denied: &Denied, is_api: bool) -> Reply {
    let status = match denied {
        Denied::Unauthorized(_) => StatusCode::UNAUTHORIZED,
        Denied::Malformed => StatusCode::BAD_REQUEST,
        Denied::Overrun => StatusCode::TOO_MANY_REQUESTS,
    };
    let reply = match is_api {
        true => api::refuse(status, &denied.to_string()),
        false => reply::error(status),
    };
    match denied {
        Denied::Unauthorized(Some(name)) => Remark::naming(reply::challenge(reply), name),
        Denied::Unauthorized(None) => reply::challenge(reply),
        Denied::Malformed | Denied::Overrun => reply,
    }
}

/// The answer to a request that a browser's user may know nothing about.
pub(super) fn forbid(forgery: &Forgery) -> Reply {
    let reply = reply::refusal(StatusCode::FORBIDDEN, &forgery.to_string());
    Remark::on(reply, forgery)
}

/// XML-RPC. The call goes on in a task of its own, as a client that leaves must not undo what it has begun.
async fn rpc(site: &Site, context: RpcContext, request: Request<Incoming>) -> Reply {
    if request.method() != Method::POST {
        return reply::error(StatusCode::BAD_REQUEST);
    }
    if let Err(forgery) = site.guard.check(request.headers()) {
        return forbid(&forgery);
    }
    let (head, body) = request.into_parts();
    let body: Bytes = match body::read(&head.headers, body).await {
        Ok(body) => body,
        Err(status) => return reply::error(status),
    };
    match actix::spawn(async move { dispatch(&context, &body).await }).await {
        Ok(RpcReply::Answer(answer)) => reply::content(StatusCode::OK, "text/xml", answer),
        Ok(RpcReply::Unparsable) => reply::error(StatusCode::BAD_REQUEST),
        Err(_) => reply::error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
