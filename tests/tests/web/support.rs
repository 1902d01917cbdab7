//! What these suites share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_tests::http::{Address, Reply};
use callboard_tests::{Daemon, Fault, xmlrpc};
use serde_json::Value;

/// A user name and a password.
pub(crate) type Login = (&'static str, &'static str);

/// The header line that says who asks; none for nobody.
pub(crate) fn authorization(login: Option<Login>) -> Option<String> {
    let (name, password) = login?;
    let encoded = STANDARD.encode(format!("{name}:{password}"));
    Some(format!("Authorization: Basic {encoded}"))
}

/// The daemon's port, `127.0.0.1:%(ENV_TEST_PORT)s` of its configuration.
pub(crate) fn port(daemon: &Daemon) -> Address {
    Address::Port(daemon.port())
}

/// A GET of somebody.
pub(crate) fn get(daemon: &Daemon, login: Option<Login>, path: &str) -> Reply {
    let headers = authorization(login);
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    port(daemon).send("GET", path, &headers).expect("an answer")
}

/// A call by XML-RPC of somebody; the outer error is an HTTP status.
pub(crate) fn call(
    daemon: &Daemon,
    login: Option<Login>,
    method: &str,
    params: &Value,
) -> Result<Result<Value, Fault>, u16> {
    let headers = authorization(login);
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    let body = xmlrpc::encode_call(method, params);
    let reply = port(daemon).post("/RPC2", &headers, body.as_bytes());
    let reply = reply.expect("an answer");
    match reply.status {
        200 => Ok(xmlrpc::decode_answer(&reply.text())),
        status => Err(status),
    }
}

/// A POST of JSON by somebody.
pub(crate) fn post_json(
    daemon: &Daemon,
    login: Option<Login>,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Reply {
    let mut head = format!("POST {path} HTTP/1.1\r\nConnection: close\r\n");
    for line in authorization(login)
        .iter()
        .map(String::as_str)
        .chain(headers.iter().copied())
    {
        head.push_str(&format!("{line}\r\n"));
    }
    if !headers.iter().any(|line| line.starts_with("Host:")) {
        head.push_str("Host: localhost\r\n");
    }
    let length = body.len();
    let head =
        format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    port(daemon).exchange(head.as_bytes()).expect("an answer")
}
