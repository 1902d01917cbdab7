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

const FIREFOX: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[test]
fn other_sites_cannot_make_a_browser_act() {
    let rows: [(&[&str], [u16; 4]); 9] = [
        (&["Host: localhost"], PASSED),
        (&[], PASSED),
        (&["Host: localhost", "Sec-Fetch-Site: same-origin"], PASSED),
        (&["Host: localhost", "Sec-Fetch-Site: none"], PASSED),
        (&["Host: localhost", "Sec-Fetch-Site: cross-site"], REFUSED),
        (&["Host: localhost", "Sec-Fetch-Site: same-site"], REFUSED),
        (&["Host: localhost", "Origin: http://evil.example"], REFUSED),
        (&["Host: localhost", "Origin: null"], REFUSED),
        (
            &["Host: localhost", "Referer: http://evil.example/page"],
            REFUSED,
        ),
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
        let page = "GET / HTTP/1.1\r\nConnection: close\r\nSec-Fetch-Site: cross-site\r\n";
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
        let headers = [&format!("Host: {host}"), FIREFOX];
        assert_eq!(statuses(&daemon, &headers), PASSED, "{host}");
    }
    let strange = "Host: rebound.example";
    let signs = [
        FIREFOX,
        "Origin: http://rebound.example",
        "Referer: http://rebound.example/",
        "Sec-Fetch-Site: same-origin",
    ];
    for sign in signs {
        assert_eq!(statuses(&daemon, &[strange, sign]), REFUSED, "{sign}");
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
    let reply = Door::PageForm.knock(&daemon, &[strange, FIREFOX]);
    assert!(
        reply.text().contains("not known as rebound.example"),
        "{}",
        reply.text()
    );
    daemon.wait_log("add that to server_names");
}

#[test]
fn a_password_makes_names_irrelevant() {
    let daemon = Daemon::start(Flavour::Ours, CLOSED);
    daemon.wait_state("web", "RUNNING");
    let authorization = authorization(Some(("boss", "boss"))).expect("a line");
    let headers = ["Host: behind.a.proxy.example", FIREFOX, &authorization];
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
