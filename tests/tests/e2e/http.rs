//! The HTTP layer: status codes, authentication, log streams, many requests on one connection.

use std::io::{Read, Write};

use callboard_tests::http::Address;
use callboard_tests::xmlrpc::encode_call;
use callboard_tests::{Daemon, Flavour};
use serde_json::json;

#[test]
fn mistakes_get_their_status() {
    let daemon = Daemon::under_test("");
    let address = daemon.address();
    assert_eq!(
        address.send("GET", "/RPC2", &[]).expect("an answer").status,
        400
    );
    assert_eq!(
        address
            .send("POST", "/RPC2", &[])
            .expect("an answer")
            .status,
        411
    );
    assert_eq!(
        address
            .post("/RPC2", &[], b"nonsense")
            .expect("an answer")
            .status,
        400
    );
    assert_eq!(
        address
            .send("GET", "/nothing/here", &[])
            .expect("an answer")
            .status,
        404
    );
    assert_eq!(
        address
            .send("GET", "/logtail/nobody", &[])
            .expect("an answer")
            .status,
        404
    );
    let page = address.send("GET", "/", &[]).expect("an answer");
    assert_eq!(page.status, 200);
    assert!(
        page.header("Content-Type")
            .is_some_and(|kind| kind.starts_with("text/html")),
        "{page:?}"
    );
}

#[test]
fn credentials_guard_every_path() {
    let daemon = Daemon::under_test(
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=ann\npassword={SHA}93903ec6be779f82f1affc3e3ad9219654c866b9\n",
    );
    let address = Address::Port(daemon.port());
    // ann:open:sesame, whose hash is configured, and the hash itself, which is no password.
    let body = encode_call("supervisor.getState", &json!([]));
    for (header, status) in [
        ("X-Nothing: x", 401),
        ("Authorization: Basic bm9ib2R5OnJlYWxseQ==", 401),
        ("Authorization: Bearer xyz", 401),
        ("Authorization: Basic YW5uOm9wZW46c2VzYW1l", 200),
        ("Authorization: bAsIc YW5uOm9wZW46c2VzYW1l", 200),
    ] {
        let reply = address
            .post("/RPC2", &[header], body.as_bytes())
            .expect("an answer");
        assert_eq!(reply.status, status, "{header}");
        if status == 401 {
            assert_eq!(
                reply.header("WWW-Authenticate"),
                Some("Basic realm=\"default\"")
            );
        }
    }
    assert_eq!(
        address.send("GET", "/", &[]).expect("an answer").status,
        401
    );
    assert_eq!(
        address
            .send("GET", "/mainlogtail", &[])
            .expect("an answer")
            .status,
        401
    );
}

#[test]
fn requests_on_one_connection_are_answered_in_order() {
    if Flavour::under_test() == Flavour::Original {
        return; // It loses an answer when calls that wait are pipelined.
    }
    let daemon =
        Daemon::under_test("[program:a]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n");
    let mut requests = Vec::new();
    for (method, params) in [
        ("supervisor.startProcess", json!(["a"])),
        ("supervisor.getProcessInfo", json!(["nobody"])),
        ("supervisor.stopProcess", json!(["a"])),
        ("supervisor.getIdentification", json!([])),
    ] {
        let body = encode_call(method, &params);
        requests.extend(
            format!(
                "POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        );
    }
    let mut connection = daemon.address().connect().expect("the daemon listens");
    connection.write_all(&requests).expect("it reads");
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while seen.matches("</methodResponse>").count() < 4 {
        let count = connection.read(&mut buffer).expect("an answer");
        assert_ne!(count, 0, "closed after {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    let at = |text: &str| {
        seen.find(text)
            .unwrap_or_else(|| panic!("{text} is not in {seen}"))
    };
    assert!(
        at("<boolean>1</boolean>") < at("BAD_NAME: nobody") && at("BAD_NAME: nobody") < at("board")
    );
}

#[test]
fn a_log_stream_follows_over_clearing() {
    let daemon = Daemon::under_test(
        "[program:talk]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/talk.out\n",
    );
    daemon.wait_state("talk", "RUNNING");
    let say = |text: &str| daemon.call("sendProcessStdin", json!(["talk", text]));
    say("first\n");
    daemon.wait_file("talk.out", "first\n");
    let mut stream = daemon.address().connect().expect("the daemon listens");
    stream
        .write_all(b"GET /logtail/talk HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it reads");
    let mut seen = String::new();
    let mut expect = |text: &str| {
        let mut buffer = [0; 4096];
        while !seen.contains(text) {
            let count = stream.read(&mut buffer).expect("the stream goes on");
            assert_ne!(count, 0, "closed after {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    };
    expect("Transfer-Encoding: chunked");
    expect("6\r\nfirst\n\r\n");
    say("second\n");
    expect("7\r\nsecond\n\r\n");
    daemon.call("clearProcessLogs", json!(["talk"]));
    say("third\n");
    expect("third\n");
}

#[test]
fn a_silent_client_holds_up_nobody() {
    let daemon = Daemon::under_test("");
    let mut silent = daemon.address().connect().expect("the daemon listens");
    silent
        .write_all(b"POST /RPC2 HTTP/1.1\r\nContent-Le")
        .expect("it reads");
    assert_eq!(daemon.call("getIdentification", json!([])), "board");
}

#[test]
fn an_empty_body_is_a_bad_request() {
    if Flavour::under_test() == Flavour::Original {
        return; // It never answers.
    }
    let daemon = Daemon::under_test("");
    assert_eq!(
        daemon
            .address()
            .post("/RPC2", &[], b"")
            .expect("an answer")
            .status,
        400
    );
}

#[test]
fn refusals_are_logged_with_the_client() {
    if Flavour::under_test() == Flavour::Original {
        return; // It logs some of them as internal errors, and others not at all.
    }
    let daemon = Daemon::under_test(
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=ann\npassword=secret\n",
    );
    let port = Address::Port(daemon.port());
    let reply = port.send("GET", "/index.html", &[]).expect("an answer");
    assert_eq!(reply.status, 401);
    daemon.wait_log("WARN refused GET \"/index.html\" from 127.0.0.1:");

    let unix = Daemon::under_test("");
    let reply = unix.address().exchange(b"nonsense\r\n\r\n");
    assert_eq!(reply.expect("an answer").status, 400);
    let user = nix::unistd::Uid::current();
    unix.wait_log(&format!(
        "WARN refused a request from the Unix socket (uid {user}, pid {}): ",
        std::process::id()
    ));
}
