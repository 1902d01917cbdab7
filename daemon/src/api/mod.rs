//! The JSON interface, `/api/v1`: what XML-RPC offers and what only watchers want, as JSON, and events as they happen.
//!
//! A table ([`routes`]) says what there is; requests are dispatched by it and the OpenAPI document is made from it. What
//! changes something becomes a call of a method by [`crate::rpc::call`], the door that XML-RPC goes through as well.

mod actions;
mod answers;
mod daemon;
mod events;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod lines;
mod openapi;
mod params;
mod problem;
mod processes;
mod route;
mod routes;
mod schema;
mod shapes;
mod source;

use std::rc::Rc;

use bytes::Bytes;
use hyper::header::{ACCEPT, HeaderMap, IF_NONE_MATCH};
use hyper::{Method, StatusCode};

use crate::access::Deed;
use crate::bus::BusHandle;
use crate::metrics;
use crate::process::unix_now;
use crate::rpc::RpcContext;
use events::Hub;
use lines::LogLines;
use params::Given;
use route::{Action, Verb};

pub use openapi::document;
pub(crate) use problem::Problem;
pub(crate) use route::Found;
pub(crate) use source::{Source, SourceSnapshot};

/// What the interface needs besides what a call needs; clones share it.
#[derive(Debug, Clone)]
pub struct Api {
    hub: Rc<Hub>,
    bus: BusHandle,
    /// Unix time of the start of this life of the daemon.
    started: i64,
}

/// What a request says besides its path and its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    /// What stands behind the question mark, as written.
    pub(crate) text: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// Connections to all servers.
    pub(crate) connections: usize,
}

/// What a request is answered with.
#[derive(Debug)]
pub(crate) enum Output {
    /// Something complete.
    Whole(Whole),
    /// Something that goes on.
    Stream(Source),
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    /// The type of the body.
    pub(crate) kind: &'static str,
    pub(crate) body: Bytes,
    /// Names the content if it may be kept.
    pub(crate) etag: Option<String>,
    /// The methods there are, where another one was used.
    pub(crate) allow: Option<String>,
}

const JSON: &str = "application/json";

impl Whole {
    fn json(body: impl Into<Bytes>) -> Self {
        Self::of(JSON, body)
    }

    fn of(kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            kind,
            body: body.into(),
            etag: None,
            allow: None,
        }
    }

    /// What a client learns that asks for the head of a stream only.
    pub(crate) fn no_stream() -> Self {
        Self::of("text/event-stream", Bytes::new())
    }
}

impl Api {
    /// The interface of a daemon that begins to live.
    pub fn new(bus: BusHandle) -> Self {
        Self {
            hub: Rc::new(Hub::new(bus.clone())),
            bus,
            started: unix_now(),
        }
    }

    /// Answers a request.
    ///
    /// # Errors
    /// What is wrong with the request, or the fault that the call ends in.
    pub(crate) async fn answer(
        &self,
        context: &RpcContext,
        found: Found,
        query: Query<'_>,
        body: &[u8],
    ) -> Result<Output, Problem> {
        // Calls are checked one by one; what is no call is at least a look.
        context.caller.check(&Deed::Look)?;
        let route = found.route;
        let given = Given::read(found, query.text, body)?;
        if route.verb == Verb::Post {
            return perform(context.clone(), route.action, given).await;
        }
        let whole = match route.action {
            Action::Events => return Ok(self.events(&given)),
            Action::FollowMain => {
                return Ok(self.follow(lines::follow_main(context, &given).await?, &given));
            }
            Action::FollowLog => {
                return Ok(self.follow(lines::follow(context, &given).await?, &given));
            }
            Action::ReadLog if wants_stream(query.headers) => {
                return Ok(self.follow(lines::follow(context, &given).await?, &given));
            }
            Action::ReadLog => processes::read_log(context, &given).await?,
            Action::Daemon => daemon::show(context, self.started, &given).await?,
            Action::Processes => processes::list(context, &given).await?,
            Action::Process => processes::one(context, &given).await?,
            Action::Groups => processes::groups(context).await?,
            Action::OpenApi => openapi_document(query.headers),
            Action::Metrics => self.metrics(context, query.connections, &given).await?,
            Action::Call(_) | Action::MainLog | Action::Reload | Action::Restart(_) => {
                actions::perform(context, route.action, given).await?
            }
        };
        Ok(Output::Whole(whole))
    }

    fn events(&self, given: &Given) -> Output {
        Output::Stream(Source::Events(self.hub.stream(given.event_types("types"))))
    }

    /// A log, with events if some are asked for.
    fn follow(&self, lines: Box<LogLines>, given: &Given) -> Output {
        Output::Stream(match given.get("types") {
            Some(_) => Source::Both(self.hub.stream(given.event_types("types")), lines),
            None => Source::Log(lines),
        })
    }

    async fn metrics(
        &self,
        context: &RpcContext,
        connections: usize,
        given: &Given,
    ) -> Result<Whole, Problem> {
        let scene = metrics::Scene {
            context,
            bus: &self.bus,
            started: self.started,
            connections,
            streams: self.hub.clients(),
            cut_off: self.hub.cut_off(),
        };
        let text = metrics::render(scene, given.flag("descriptors")).await?;
        Ok(Whole::of(metrics::CONTENT_TYPE, text))
    }
}

/// Goes on in a task of its own, as a client that leaves must not undo what it has begun.
async fn perform(context: RpcContext, action: Action, given: Given) -> Result<Output, Problem> {
    let task = actix::spawn(async move { actions::perform(&context, action, given).await });
    match task.await {
        Ok(outcome) => outcome.map(Output::Whole),
        Err(_) => Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the call was lost",
        )),
    }
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accepted.is_some_and(|accept| accept.contains("text/event-stream"))
}

fn openapi_document(headers: &HeaderMap) -> Whole {
    let body = document();
    let etag = etag(body.as_bytes());
    let known = headers.get(IF_NONE_MATCH).map(|known| known.as_bytes());
    let mut whole = Whole::json(body);
    if known == Some(etag.as_bytes()) {
        whole.status = StatusCode::NOT_MODIFIED;
        whole.body = Bytes::new();
    }
    whole.etag = Some(etag);
    whole
}

fn etag(content: &[u8]) -> String {
    use sha1::{Digest as _, Sha1};
    let digest = Sha1::digest(content);
    let hex: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

impl Found {
    /// Whether a body may come with the request.
    pub(crate) fn takes_body(&self) -> bool {
        self.route.verb == Verb::Post
    }
}

impl Verb {
    fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET | Method::HEAD => Some(Self::Get),
            Method::POST => Some(Self::Post),
            _ => None,
        }
    }
}
