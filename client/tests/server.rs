//! The client against servers that behave, misbehave, or leave.

#![allow(clippy::unwrap_used)] // helpers of tests may fail too
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use client::blocking::Client;
use client::{CallError, Credentials};
use protocol::xmlrpc::{Value, write_fault, write_response};

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// Reads one request with its body; `None` when the client has gone.
fn read_request(stream: &mut impl BufRead) -> Option<String> {
    let mut request = String::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if stream.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let line = request[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(request + &String::from_utf8(body).unwrap())
}

fn answer(stream: &mut impl Write, head: &str, body: &[u8]) {
    let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
}

fn response(value: impl Into<Value>) -> Vec<u8> {
    let mut out = Vec::new();
    write_response(&value.into(), &mut out);
    out
}

/// Serves one TCP connection per element: that many requests, each answered with its text, then closes it. Yields the
/// requests.
fn serve(connections: Vec<Vec<(&'static str, Vec<u8>)>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut requests = Vec::new();
        for answers in connections {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = BufReader::new(stream);
            for (head, body) in answers {
                requests.push(read_request(&mut stream).unwrap());
                answer(stream.get_mut(), head, &body);
            }
        }
        requests
    });
    (url, server)
}

#[test]
fn calls_share_a_connection() {
    let answers = vec![(OK, response("3.0")), (OK, response(true))];
    let (url, server) = serve(vec![answers]);
    let mut client = Client::new(&url, None).unwrap();
    let version = client.call("supervisor.getVersion", &[]).unwrap();
    assert_eq!(version, Value::from("3.0"));
    let stopped = client.call("supervisor.stopProcess", &["cat".into()]);
    assert_eq!(stopped.unwrap(), Value::Bool(true));

    let requests = server.join().unwrap();
    assert!(requests[0].starts_with("POST /RPC2 HTTP/1.1\r\n"));
    assert!(!requests[0].to_ascii_lowercase().contains("authorization"));
    assert!(requests[1].contains("<string>cat</string>"));
}

#[test]
fn a_connection_the_server_has_closed_is_replaced() {
    let heads = [OK, "HTTP/1.1 200 OK\r\nConnection: close\r\n", OK];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (closed, server_has_closed) = mpsc::channel();
    let server = thread::spawn(move || {
        for head in heads {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            read_request(&mut stream).unwrap();
            answer(stream.get_mut(), head, &response(true));
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    let mut client = Client::new(&url, None).unwrap();
    for _ in heads {
        assert_eq!(client.call("a.b", &[]).unwrap(), Value::Bool(true));
        server_has_closed.recv().unwrap();
    }
    server.join().unwrap();
}

#[test]
fn a_request_the_server_may_have_seen_is_not_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        read_request(&mut stream).unwrap();
        answer(stream.get_mut(), OK, &response(1));
        read_request(&mut stream).unwrap();
        drop(stream);
        listener.set_nonblocking(true).unwrap();
        listener
    });
    let mut client = Client::new(&url, None).unwrap();
    client.call("a.b", &[]).unwrap();
    let error = client.call("a.b", &[]).unwrap_err();
    assert!(matches!(error, CallError::Io(_)), "{error:?}");
    let again = server.join().unwrap().accept();
    assert_eq!(again.unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn refusals_are_told_apart() {
    let mut fault = Vec::new();
    write_fault(10, "BAD_NAME: x", &mut fault);
    let mut cut = response("naïve");
    cut.truncate(cut.len() - 4);
    let (url, server) = serve(vec![vec![
        (OK, fault),
        (OK, b"<html>".to_vec()),
        (OK, cut),
        ("HTTP/1.1 401 Unauthorized\r\n", Vec::new()),
        ("HTTP/1.1 500 Internal Server Error\r\n", Vec::new()),
    ]]);
    let mut client = Client::new(&url, None).unwrap();
    let mut call = || client.call("a.b", &[]).unwrap_err();
    assert!(matches!(call(), CallError::Fault(fault) if fault.code == 10));
    assert!(matches!(call(), CallError::Protocol(_)));
    assert!(matches!(call(), CallError::Incomplete));
    assert!(matches!(call(), CallError::Unauthorized));
    assert!(matches!(call(), CallError::Http(500)));
    server.join().unwrap();
}

#[test]
fn credentials_are_sent() {
    let (url, server) = serve(vec![vec![(OK, response(true))]]);
    let credentials = Credentials {
        username: "user".into(),
        password: "pa:ss".into(),
    };
    let mut client = Client::new(&url, Some(credentials)).unwrap();
    client.call("a.b", &[]).unwrap();
    let requests = server.join().unwrap();
    assert!(requests[0].contains("Basic dXNlcjpwYTpzcw=="));
}

#[test]
fn unix_sockets_work() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        read_request(&mut stream).unwrap();
        answer(stream.get_mut(), OK, &response("ü"));
    });
    let url = format!("unix://{}", path.display());
    let mut client = Client::new(&url, None).unwrap();
    assert_eq!(client.call("a.b", &[]).unwrap(), Value::from("ü"));
    server.join().unwrap();

    // The listener is gone, its socket still there.
    let mut client = Client::new(&url, None).unwrap();
    let error = client.call("a.b", &[]).unwrap_err();
    assert!(matches!(error, CallError::Refused), "{error:?}");

    let mut client = Client::new("unix:///nonexistent/s.sock", None).unwrap();
    let error = client.call("a.b", &[]).unwrap_err();
    assert!(matches!(error, CallError::NoSuchFile), "{error:?}");
}

#[test]
fn streams_yield_chunks_as_they_come() {
    let head = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let request = read_request(&mut stream).unwrap();
        let stream = stream.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"3\r\na\xffb\r\n0\r\n\r\n").unwrap();
        request
    });
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_io().build().unwrap();
    runtime.block_on(async {
        let client = client::Client::new(url.parse().unwrap(), None);
        let mut stream = client.stream("/mainlogtail").await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), &b"a\xffb"[..]);
        assert!(stream.next().await.is_none());
    });
    let request = server.join().unwrap();
    assert!(request.starts_with("GET /mainlogtail HTTP/1.1\r\n"));
}

#[test]
fn a_body_that_breaks_off_is_incomplete() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        read_request(&mut stream).unwrap();
        let answer = format!("{OK}Content-Length: 100\r\n\r\n<?xml");
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
    });
    let mut client = Client::new(&url, None).unwrap();
    let error = client.call("a.b", &[]).unwrap_err();
    assert!(matches!(error, CallError::Incomplete), "{error:?}");
    server.join().unwrap();
}

#[test]
fn a_server_that_never_encrypts_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread();
    // The clock jumps as soon as there is nothing else to do.
    let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
    let mut client = client::Client::new(url.parse().unwrap(), None);
    let error = runtime.block_on(client.call("a.b", &[])).unwrap_err();
    let expected = "the server does not answer the TLS handshake within 10 s";
    assert_eq!(error.to_string(), expected);
}
