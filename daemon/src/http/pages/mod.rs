//! The web pages: which there are, and how they are answered.

mod actions;
mod ask;
mod form;
mod html;
mod status;
mod tail;

use std::rc::Rc;

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, EXPIRES, HeaderName, HeaderValue, LOCATION, PRAGMA};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use protocol::faults::Fault;
use protocol::states::DaemonState;

use super::body;
use super::guard::{Forgery, Guard};
use super::refusals::Remark;
use super::reply::{self, Reply};
use super::router::{Exchange, forbid};
use crate::rpc::RpcContext;
use crate::supervisor::messages::{GetAllInfo, GetAllPools, GetDaemon};
use actions::Action;
use form::Form;

const HTML: &str = "text/html;charset=utf-8";

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// The processes and what can be done with them.
    Status,
    /// The end of a log.
    Tail,
    /// A sign of life.
    Ok,
}

impl Page {
    /// The page at a decoded path.
    pub(super) fn at(path: &str) -> Option<Self> {
        let path = path.trim_start_matches('/');
        match path.split(';').next().unwrap_or(path) {
            "" | "index.html" => Some(Self::Status),
            "tail.html" => Some(Self::Tail),
            "ok.html" => Some(Self::Ok),
            _ => None,
        }
    }
}

/// Answers a request for a page.
pub(super) async fn answer(
    exchange: &Rc<Exchange>,
    context: &RpcContext,
    page: Page,
    request: Request<Incoming>,
) -> Reply {
    let (head, body) = request.into_parts();
    let body = match head.method {
        Method::GET | Method::HEAD => Default::default(),
        Method::POST => match body::read(&head.headers, body).await {
            Ok(body) => body,
            Err(status) => return reply::error(status),
        },
        _ => return reply::error(StatusCode::BAD_REQUEST),
    };
    let form = Form::parse(head.uri.query().unwrap_or_default(), &body);
    match page {
        Page::Ok => protected(reply::content(StatusCode::OK, "text/plain", "OK")),
        Page::Tail => html(StatusCode::OK, tail::render(context, &form).await),
        Page::Status if form.action.is_none() || head.method == Method::HEAD => {
            status_page(context, form.message.as_deref()).await
        }
        Page::Status => act(exchange, context, form, &head).await,
    }
}

async fn status_page(context: &RpcContext, message: Option<&str>) -> Reply {
    let infos = async {
        Ok::<_, Fault>((
            context.ask(GetDaemon).await?,
            context.ask(GetAllInfo).await?,
            context.ask(GetAllPools).await?,
        ))
    };
    match infos.await {
        Ok((daemon, infos, pools)) if daemon.state == DaemonState::Running => html(
            StatusCode::OK,
            status::render(&infos, &pools, message, &context.caller),
        ),
        Ok((daemon, ..)) => html(
            StatusCode::SERVICE_UNAVAILABLE,
            status::render_ending(daemon.state),
        ),
        Err(_) => reply::error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Performs an action and sends the client to the status page with a message about it. The action goes on in a task
/// of its own, as a client that leaves must not interrupt it half-way.
async fn act(exchange: &Exchange, context: &RpcContext, form: Form, head: &Parts) -> Reply {
    let headers = &head.headers;
    let Some(action) = Action::requested(&form) else {
        return reply::error(StatusCode::BAD_REQUEST);
    };
    if action != Action::Refresh
        && let Err(forgery) = examine(&exchange.site.guard, head)
    {
        return match forgery {
            // Whoever takes no for an answer, and can read none, shall not believe that it is done.
            Forgery::Unvouched => {
                Remark::on(html(StatusCode::FORBIDDEN, ask::render(&form)), forgery)
            }
            forgery => forbid(&forgery),
        };
    }
    match context.ask(GetDaemon).await {
        Ok(daemon) if daemon.state != DaemonState::Running => {
            return status_page(context, None).await;
        }
        _ => {}
    }
    let context = context.clone();
    match actix::spawn(async move { action.perform(&context).await }).await {
        Ok(message) => {
            let server = exchange.server_url(headers);
            redirect(&format!("{server}/?message={}", form::quote(&message)))
        }
        Err(_) => reply::error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn examine(guard: &Guard, head: &Parts) -> Result<(), Forgery> {
    match head.method {
        Method::GET => guard.check_link(&head.headers),
        _ => guard.check(&head.headers),
    }
}

fn redirect(location: &str) -> Reply {
    let mut reply = reply::error(StatusCode::MOVED_PERMANENTLY);
    never_cache(&mut reply);
    // Made of what is allowed in headers; should that ever fail, there is no place to go.
    match HeaderValue::from_str(location) {
        Ok(location) => {
            reply.headers_mut().insert(LOCATION, location);
            reply
        }
        Err(_) => reply::error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn html(status: StatusCode, page: String) -> Reply {
    let mut reply = protected(reply::content(status, HTML, page));
    never_cache(&mut reply);
    reply
}

/// An answer that browsers can do little harm with.
fn protected(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    for (name, value) in SECURITY {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    reply
}

/// The pages need nothing from elsewhere, run one script, which may not turn text into markup, and belong into no
/// frame.
const SECURITY: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action \
         'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
];

fn never_cache(reply: &mut Reply) {
    let headers = reply.headers_mut();
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    // Supervisor's, and that nothing be kept: pages show what only some may see.
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-store"),
    );
    headers.insert(
        EXPIRES,
        HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_by_path() {
        let rows = [
            ("/", Some(Page::Status)),
            ("", Some(Page::Status)),
            ("//index.html", Some(Page::Status)),
            ("/index.html;x", Some(Page::Status)),
            ("/tail.html", Some(Page::Tail)),
            ("/ok.html", Some(Page::Ok)),
            ("/ok.html/", None),
            ("/x/ok.html", None),
            ("/stylesheets/supervisor.css", None),
        ];
        for (path, page) in rows {
            assert_eq!(Page::at(path), page, "{path}");
        }
    }
}
