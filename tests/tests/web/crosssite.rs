//! Requests that a browser sends without its user's wish, as raw bytes.

use callboard_tests::http::Reply;
use callboard_tests::{Daemon, Flavour, xmlrpc};
use serde_json::json;

use crate::support::{authorization, port};

const OPEN: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
server_names=sup.example
[program:web]
command=cat
";

const CLOSED: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
username=boss
password=boss
[program:web]
command=cat
";

/// Every door through which something can be changed.
#[derive(Debug, Clone, Copy)]
enum Door {
    PageLink,
    PageForm,
    XmlRpc,
    Json,
}

const DOORS: [Door; 4] = [Door::PageLink, Door::PageForm, Door::XmlRpc, Door::Json];

impl Door {
    /// Asks for something that changes nothing much, with these further header lines.
    fn knock(self, daemon: &Daemon, headers: &[&str]) -> Reply {
        const FORM: &str = "action=stop&processname=nobody";
        let call = xmlrpc::encode_call("supervisor.signalProcess", &json!(["web", "CONT"]));
        let (line, kind, body) = match self {
            Self::PageLink => (format!("GET /index.html?{FORM}"), "", String::new()),
            Self::PageForm => (
                "POST /index.html".to_owned(),
                "application/x-www-form-urlencoded",
                FORM.to_owned(),
            ),
            Self::XmlRpc => ("POST /RPC2".to_owned(), "text/xml", call),
            Self::Json => (
                "POST /api/v1/processes/web/signal".to_owned(),
                "application/json",
                r#"{"signal":"CONT"}"#.to_owned(),
            ),
        };
        let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(&format!("{header}\r\n"));
        }
        if !kind.is_empty() {
            let length = body.len();
            request.push_str(&format!(
                "Content-Type: {kind}\r\nContent-Length: {length}\r\n"
            ));
        }
        request.push_str("\r\n");
        request.push_str(&body);
        port(daemon)
            .exchange(request.as_bytes())
            .expect("an answer")
    }
}

/// What every door answers.
fn statuses(daemon: &Daemon, headers: &[&str]) -> [u16; 4] {
    DOORS.map(|door| door.knock(daemon, headers).status)
}

const PASSED: [u16; 4] = [301, 301, 200, 200];
const REFUSED: [u16; 4] = [403; 4];
/// A link that may be anywhere: the page asks.
const ASKED: [u16; 4] = [403, 301, 200, 200];

const FIREFOX: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[test]
fn other_sites_cannot_make_a_browser_act() {
    let rows: [(&[&str], [u16; 4]); 13] = [
        (&["Host: localhost"], PASSED),
        (&[], PASSED),
        (&["Host: localhost", "Sec-Fetch-Site: same-origin"], PASSED),
        (&["Host: localhost", "Sec-Fetch-Site: cross-site"], REFUSED),
        (&["Host: localhost", "Sec-Fetch-Site: same-site"], REFUSED),
        (&["Host: localhost", "Origin: http://evil.example"], REFUSED),
        (&["Host: localhost", "Origin: null"], REFUSED),
        (
            &["Host: localhost", "Referer: http://evil.example/page"],
            REFUSED,
        ),
        (&["Host: localhost", "Sec-Fetch-Site: none"], PASSED),
        (&["Host: localhost", FIREFOX], ASKED),
        (&["Host: 127.0.0.1", "Accept-Language: en"], ASKED),
        (
            &["Host: localhost:1", FIREFOX, "Referer: http://localhost:1/"],
            PASSED,
        ),
        (&["Host: 127.0.0.1", "User-Agent: curl/8.9"], PASSED),
    ];
    let authorization = authorization(Some(("boss", "boss"))).expect("a line");
    for config in [OPEN, CLOSED] {
        let daemon = Daemon::start(Flavour::Ours, config);
        daemon.wait_state("web", "RUNNING");
        for (headers, expected) in rows {
            // A browser sends the password that it remembers, whoever makes it ask.
            let headers = [headers, &[authorization.as_str()]].concat();
            assert_eq!(statuses(&daemon, &headers), expected, "{headers:?}");
        }
        let page = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Site: cross-site\r\n";
        let page = port(&daemon).exchange(format!("{page}{authorization}\r\n\r\n").as_bytes());
        assert_eq!(
            page.expect("an answer").status,
            200,
            "links to the page work"
        );
        daemon.wait_log("another web site has made the browser send this request");
    }
}

fn own_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.expect("the machine has a name").trim().to_owned()
}

#[test]
fn browsers_must_call_an_open_server_by_its_name() {
    let daemon = Daemon::start(Flavour::Ours, OPEN);
    daemon.wait_state("web", "RUNNING");
    let port = daemon.port();
    let own = [
        "localhost".to_owned(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        format!("sup.example:{port}"),
        "SUP.EXAMPLE".to_owned(),
        own_name(),
    ];
    for host in own {
        let page = format!("Referer: http://{host}/");
        let headers = [&format!("Host: {host}"), FIREFOX, &page];
        assert_eq!(statuses(&daemon, &headers), PASSED, "{host}");
        assert_eq!(reads(&daemon, &headers), READABLE, "{host}");
    }
    let strange = "Host: rebound.example";
    let signs = [
        FIREFOX,
        "Origin: http://rebound.example",
        "Referer: http://rebound.example/",
        "Sec-Fetch-Site: same-origin",
        "Accept-Language: de",
    ];
    for sign in signs {
        assert_eq!(statuses(&daemon, &[strange, sign]), REFUSED, "{sign}");
        assert_eq!(reads(&daemon, &[strange, sign]), HIDDEN, "{sign}");
    }
    assert_eq!(
        statuses(&daemon, &[strange, "User-Agent: curl/8.9"]),
        PASSED
    );
    assert_eq!(
        statuses(&daemon, &[strange]),
        PASSED,
        "scripts call as they like"
    );
    assert_eq!(reads(&daemon, &[strange]), READABLE, "and read");
    let reply = Door::PageForm.knock(&daemon, &[strange, FIREFOX]);
    assert!(
        reply.text().contains("not known as rebound.example"),
        "{}",
        reply.text()
    );
    daemon.wait_log("add that to server_names");
}

/// What there is to read.
const READS: [&str; 6] = [
    "/",
    "/tail.html?processname=web",
    "/api/v1/daemon/log",
    "/api/v1/config",
    "/metrics",
    "/logtail/web",
];
const READABLE: [u16; 5] = [200; 5];
const HIDDEN: [u16; 5] = [403; 5];

/// What is answered to somebody who reads; streams do not end by themselves.
fn reads(daemon: &Daemon, headers: &[&str]) -> [u16; 5] {
    [0, 1, 2, 3, 4].map(|number| read(daemon, READS[number], headers).status)
}

fn read(daemon: &Daemon, path: &str, headers: &[&str]) -> Reply {
    let mut request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
    for header in headers {
        request.push_str(&format!("{header}\r\n"));
    }
    request.push_str("\r\n");
    let reply = port(daemon).exchange(request.as_bytes());
    reply.expect("an answer")
}

#[test]
fn what_is_refused_says_why_in_the_clients_words() {
    let daemon = Daemon::start(Flavour::Ours, OPEN);
    let strange = ["Host: rebound.example", FIREFOX];
    for path in READS {
        let reply = read(&daemon, path, &strange);
        assert_eq!(reply.status, 403, "{path}");
        let text = reply.text();
        assert!(text.contains("add that to server_names"), "{path}: {text}");
        let is_api = path.starts_with("/api") || path == "/metrics";
        let kind = if is_api {
            "application/json"
        } else {
            "text/html"
        };
        assert_eq!(reply.header("Content-Type"), Some(kind), "{path}");
        assert_eq!(
            reply.header("X-Content-Type-Options"),
            Some("nosniff"),
            "{path}"
        );
    }
}

#[test]
fn refusals_of_json_are_logged_with_their_reason() {
    let daemon = Daemon::start(Flavour::Ours, OPEN);
    let signal = "POST /api/v1/processes/web/stop HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                  Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n";
    let reply = port(&daemon)
        .exchange(signal.as_bytes())
        .expect("an answer");
    assert_eq!(reply.status, 403);
    daemon.wait_log("\"/api/v1/processes/web/stop\" from");
    daemon.wait_log(
        "from evil.example; if that is this server, add evil.example to its server_names)",
    );
}

#[test]
fn a_link_that_may_be_anywhere_is_asked_about() {
    let daemon = Daemon::start(Flavour::Ours, OPEN);
    daemon.wait_state("web", "RUNNING");
    let asked = ["Host: localhost", FIREFOX];
    let reply = read(&daemon, "/?action=stop&processname=web", &asked);
    assert_eq!(reply.status, 403);
    let text = reply.text();
    assert!(text.contains("<strong>stop web</strong>"), "{text}");
    assert!(text.contains("method=\"post\""), "{text}");
    assert!(reply.header("Content-Security-Policy").is_some());
    assert_eq!(daemon.state("web"), "RUNNING");
    daemon.wait_log("the browser does not say which page this link is on");
    let refresh = read(&daemon, "/?action=refresh", &asked);
    assert_eq!(refresh.status, 301, "harmless");
    let answer = "POST /index.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: http://localhost\r\n\
                  Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 27\r\n\r\n\
                  action=stop&processname=web";
    let reply = port(&daemon)
        .exchange(answer.as_bytes())
        .expect("an answer");
    assert_eq!(reply.status, 301);
    daemon.wait_state("web", "STOPPED");
}

/// nginx passes on its own idea of our name unless told otherwise.
#[test]
fn pages_at_the_proxys_name_are_ours() {
    let daemon = Daemon::start(Flavour::Ours, OPEN);
    daemon.wait_state("web", "RUNNING");
    let host = format!("Host: 127.0.0.1:{}", daemon.port());
    let behind = |source: &str| statuses(&daemon, &[&host, FIREFOX, source]);
    assert_eq!(behind("Origin: http://sup.example"), PASSED);
    assert_eq!(behind("Referer: https://sup.example/index.html"), PASSED);
    assert_eq!(behind("Origin: http://sup.example:8080"), REFUSED);
    assert_eq!(behind("Origin: http://evil.example"), REFUSED);
}

#[test]
fn a_password_makes_names_irrelevant() {
    let daemon = Daemon::start(Flavour::Ours, CLOSED);
    daemon.wait_state("web", "RUNNING");
    let authorization = authorization(Some(("boss", "boss"))).expect("a line");
    let page = "Referer: http://behind.a.proxy.example/";
    let headers = ["Host: behind.a.proxy.example", FIREFOX, &authorization];
    assert_eq!(statuses(&daemon, &headers), ASKED);
    assert_eq!(reads(&daemon, &headers), READABLE);
    let headers = [&headers, [page].as_slice()].concat();
    assert_eq!(statuses(&daemon, &headers), PASSED);
}

#[test]
fn pages_tell_browsers_what_not_to_do_and_calls_stay_as_they_were() {
    let daemon = Daemon::start(Flavour::Ours, OPEN);
    let page = port(&daemon).send("GET", "/", &[]).expect("an answer");
    let policy = page.header("Content-Security-Policy").unwrap_or_default();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(
        !policy.contains("unsafe") && policy.contains("default-src"),
        "{policy}"
    );
    assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(page.header("X-Frame-Options"), Some("DENY"));
    assert!(page.header("Referrer-Policy").is_some());
    let caching = page.header("Cache-Control").unwrap_or_default();
    assert!(caching.contains("no-store"), "{caching}");
    let call = xmlrpc::encode_call("supervisor.getState", &json!([]));
    let answer = port(&daemon)
        .post("/RPC2", &[], call.as_bytes())
        .expect("an answer");
    let mut names: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "Connection",
            "Content-Length",
            "Content-Type",
            "Date",
            "Server"
        ]
    );
}
