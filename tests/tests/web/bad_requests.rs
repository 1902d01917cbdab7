//! Requests that are refused: with a status that fits, and words that help.

use callboard_tests::Daemon;
use serde_json::json;

use crate::client::{get, parse, poke, request};

const CONFIG: &str = "\
[program:idle]
command=sleep 1000
startsecs=0
[program:start]
command=sleep 1000
startsecs=0
[program:odd]
command=sleep 1000
process_name=a%%b?ü
startsecs=0
";

const JSON: &str = "Content-Type: application/json";

/// Method, path, headers, body; status and what the words hold.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    u16,
    &'static str,
);

#[test]
fn refusals_fit_and_help() {
    let daemon = Daemon::under_test(CONFIG);
    let stop = "/api/v1/processes/idle/stop";
    let rows: [Row; 21] = [
        ("GET", "/api/v1/nope", &[], "", 404, "no such path"),
        ("GET", "/api/v1/daemon/", &[], "", 404, "no such path"),
        ("GET", "/api", &[], "", 404, "no such path"),
        (
            "GET",
            "/api/v1/processes/idle/logs/stdnull",
            &[],
            "",
            404,
            "one of stdout, stderr",
        ),
        ("GET", "/api/v1/processes/%ff", &[], "", 404, "no such path"),
        ("DELETE", "/api/v1/daemon", &[], "", 405, "GET, HEAD"),
        ("PUT", stop, &[JSON], "{}", 405, "POST"),
        ("GET", stop, &[], "", 405, "POST"),
        (
            "GET",
            "/api/v1/events?types=PROCESS_STATES",
            &[],
            "",
            400,
            "PROCESS_STATES",
        ),
        ("GET", "/api/v1/events?type=TICK", &[], "", 400, "'type'"),
        ("GET", "/api/v1/processes?usage=on", &[], "", 400, "'usage'"),
        (
            "GET",
            "/api/v1/daemon/log?offset=1e3",
            &[],
            "",
            400,
            "'offset'",
        ),
        (
            "GET",
            "/metrics?descriptors=",
            &[],
            "",
            400,
            "'descriptors'",
        ),
        (
            "POST",
            stop,
            &[JSON],
            "{\"wait\": maybe}",
            400,
            "line 1 column 10",
        ),
        ("POST", stop, &[JSON], "[true]", 400, "no object"),
        ("POST", stop, &[JSON], "{\"wait\": \"yes\"}", 400, "'wait'"),
        ("POST", stop, &[JSON], "{\"wiat\": true}", 400, "'wiat'"),
        (
            "POST",
            "/api/v1/processes/idle/signal",
            &[JSON],
            "{}",
            400,
            "'signal': is missing",
        ),
        (
            "POST",
            stop,
            &["Content-Type: text/plain"],
            "{}",
            415,
            "application/json",
        ),
        (
            "POST",
            stop,
            &["Content-Type: application/x-www-form-urlencoded"],
            "",
            415,
            "application/json",
        ),
        ("POST", stop, &[], "{}", 415, "application/json"),
    ];
    for (method, path, headers, body, status, text) in rows {
        let reply = request(&daemon, method, path, headers, body);
        let (answered, refusal) = parse(&reply);
        assert_eq!(answered, status, "{method} {path}: {refusal}");
        assert_eq!(refusal["error"]["status"], status);
        let words = refusal["error"]["text"].as_str().unwrap();
        assert!(words.contains(text), "{method} {path}: {words}");
        assert_eq!(reply.header("allow").is_some(), status == 405);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    assert_eq!(daemon.state("idle"), "RUNNING");
}

#[test]
fn other_web_sites_are_refused() {
    let daemon = Daemon::under_test(CONFIG);
    for header in ["Origin: http://elsewhere", "Sec-Fetch-Site: cross-site"] {
        for headers in [&[header][..], &[header, JSON][..]] {
            let reply = request(&daemon, "POST", "/api/v1/processes/stop", headers, "");
            assert_eq!(parse(&reply).0, 403, "{headers:?}");
        }
    }
    assert_eq!(daemon.state("idle"), "RUNNING");
    let ours = [
        "Origin: http://localhost",
        "Sec-Fetch-Site: same-origin",
        JSON,
    ];
    let reply = request(&daemon, "POST", "/api/v1/processes/idle/stop", &ours, "{}");
    assert_eq!(parse(&reply), (200, json!(true)));
}

#[test]
fn bodies_have_limits() {
    let daemon = Daemon::under_test(CONFIG);
    let head = format!("POST /api/v1/processes/idle/stop HTTP/1.1\r\nHost: x\r\n{JSON}\r\n");
    let rows = [
        ("Content-Length: 40000000\r\n\r\n", 413),
        (
            "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            411,
        ),
    ];
    for (rest, status) in rows {
        let reply = daemon
            .address()
            .exchange(format!("{head}Connection: close\r\n{rest}").as_bytes());
        assert_eq!(parse(&reply.unwrap()).0, status, "{rest}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let reply = request(&daemon, "POST", "/api/v1/processes/stop", &[JSON], &deep);
    assert_eq!(parse(&reply).0, 400);
    assert_eq!(daemon.state("idle"), "RUNNING");
}

#[test]
fn heads_are_those_of_get() {
    let daemon = Daemon::under_test(CONFIG);
    let rows = [
        ("/api/v1/groups", "application/json"),
        ("/api/v1/openapi.json", "application/json"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/api/v1/events", "text/event-stream"),
        (
            "/api/v1/processes/idle/logs/stdout/follow",
            "text/event-stream",
        ),
    ];
    for (path, kind) in rows {
        let reply = daemon.address().send("HEAD", path, &[]).unwrap();
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{path}");
        assert_eq!(reply.header("content-type"), Some(kind), "{path}");
    }
}

#[test]
fn names_may_be_anything() {
    let daemon = Daemon::under_test(CONFIG);
    let (status, info) = get(&daemon, "/api/v1/processes/odd:a%25b%3F%C3%BC");
    assert_eq!((status, &info["name"]), (200, &json!("a%b?ü")));
    // What is called like an action is reached by its whole name.
    assert_eq!(get(&daemon, "/api/v1/processes/start").0, 405);
    assert_eq!(get(&daemon, "/api/v1/processes/start:start").0, 200);
    assert_eq!(poke(&daemon, "/api/v1/processes/start/stop").0, 200);
    assert_eq!(daemon.state("start"), "STOPPED");
}

#[test]
fn everything_asks_for_the_password() {
    let daemon = Daemon::under_test(
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=ann\npassword=secret\n",
    );
    let address = callboard_tests::http::Address::Port(daemon.port());
    for path in [
        "/api/v1/daemon",
        "/api/v1/openapi.json",
        "/api/v1/events",
        "/metrics",
        "/api/v1/nope",
    ] {
        assert_eq!(
            address.send("GET", path, &[]).unwrap().status,
            401,
            "{path}"
        );
    }
    // ann:secret
    let header = "Authorization: Basic YW5uOnNlY3JldA==";
    for path in ["/api/v1/daemon", "/metrics"] {
        assert_eq!(
            address.send("GET", path, &[header]).unwrap().status,
            200,
            "{path}"
        );
    }
}
