//! The files that go with the pages; they are part of the program.

use std::time::{SystemTime, UNIX_EPOCH};

use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, LAST_MODIFIED, LOCATION,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, StatusCode};

use super::reply::{self, Reply};
use super::router::Exchange;

/// Joins files, each of one subject, into one.
macro_rules! joined {
    ($before:literal, $folder:literal, [$($name:literal),+ $(,)?], $after:literal) => {
        concat!($before, $(include_str!(concat!("../../assets/", $folder, "/", $name)), "\n",)+ $after).as_bytes()
    };
}

/// The style sheet.
const STYLE: &[u8] = joined!(
    "",
    "style",
    [
        "base.css",
        "plain.css",
        "frame.css",
        "list.css",
        "detail.css"
    ],
    ""
);

/// The script that brings the status page to life. Its parts see each other and nobody else sees them.
const SCRIPT: &[u8] = joined!(
    "'use strict';\n(() => {\n",
    "script",
    [
        "theme.js",
        "dom.js",
        "format.js",
        "api.js",
        "seats.js",
        "model.js",
        "charts.js",
        "row.js",
        "list.js",
        "actions.js",
        "dialogs.js",
        "terminal.js",
        "logs.js",
        "detail.js",
        "pools.js",
        "activity.js",
        "feed.js",
        "header.js",
        "refresh.js",
        "keys.js",
        "main.js",
    ],
    "})();\n"
);

/// Path, content type, content.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("/stylesheets/supervisor.css", "text/css", STYLE),
    (
        "/scripts/status.js",
        "text/javascript;charset=utf-8",
        SCRIPT,
    ),
    (
        "/images/icon.png",
        "image/png",
        include_bytes!("../../assets/icon.png"),
    ),
    (
        "/images/supervisor.gif",
        "image/gif",
        include_bytes!("../../assets/supervisor.gif"),
    ),
];

const DIRECTORIES: [&str; 3] = ["/stylesheets", "/scripts", "/images"];

/// Answers a request for anything that is neither RPC nor stream nor page.
pub(super) fn answer(exchange: &Exchange, path: &str, request: &Request<Incoming>) -> Reply {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return reply::error(StatusCode::BAD_REQUEST);
    }
    if DIRECTORIES.contains(&path) {
        return redirect_into(exchange, path, request.headers());
    }
    match FILES.into_iter().find(|(name, ..)| *name == path) {
        Some((_, kind, content)) => file(kind, content, exchange.site.since, request.headers()),
        None => reply::error(StatusCode::NOT_FOUND),
    }
}

fn file(
    kind: &'static str,
    content: &'static [u8],
    since: SystemTime,
    headers: &HeaderMap,
) -> Reply {
    let mut reply = match is_known(since, headers) {
        true => reply::empty(StatusCode::NOT_MODIFIED),
        false => reply::content(StatusCode::OK, kind, content),
    };
    insert(&mut reply, LAST_MODIFIED, &httpdate::fmt_http_date(since));
    // Asked for each time: a page must not meet the script of an older daemon.
    insert(&mut reply, CACHE_CONTROL, "no-cache");
    insert(&mut reply, X_CONTENT_TYPE_OPTIONS, "nosniff");
    reply
}

/// Whether the client has a copy that is not older, to the second.
fn is_known(since: SystemTime, headers: &HeaderMap) -> bool {
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    };
    let copy = headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|copy| copy.to_str().ok());
    let copy = copy.and_then(|copy| httpdate::parse_http_date(copy).ok());
    copy.is_some_and(|copy| seconds(copy) >= seconds(since))
}

fn redirect_into(exchange: &Exchange, directory: &str, headers: &HeaderMap) -> Reply {
    let server = exchange.server_url(headers);
    let mut reply = reply::error(StatusCode::MOVED_PERMANENTLY);
    insert(&mut reply, LOCATION, &format!("{server}{directory}/"));
    reply
}

fn insert(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn copies_that_are_not_older_are_known() {
        let since = UNIX_EPOCH + Duration::from_millis(1_795_256_365_700);
        let rows = [
            ("Sat, 21 Nov 2026 10:19:25 GMT", true),
            ("Sat, 21 Nov 2026 10:19:26 GMT", true),
            ("Sat, 21 Nov 2026 10:19:24 GMT", false),
            ("yesterday", false),
        ];
        for (copy, known) in rows {
            let headers = [(IF_MODIFIED_SINCE, copy.parse().unwrap())]
                .into_iter()
                .collect();
            assert_eq!(is_known(since, &headers), known, "{copy}");
        }
        assert!(!is_known(since, &HeaderMap::new()));
    }
}
