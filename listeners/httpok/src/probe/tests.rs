use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use super::*;

/// A server that gives each connection the next of some answers, then ends; returns the requests it saw.
struct Server {
    url: String,
    requests: JoinHandle<Vec<String>>,
}

impl Server {
    fn start(answers: &'static [&'static str]) -> Self {
        Self::with(answers, |stream, answer| {
            // A client that has seen enough may leave before the end.
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    fn with(
        answers: &'static [&'static str],
        send: impl Fn(&mut TcpStream, &str) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = thread::spawn(move || {
            let serve = |answer: &&str| {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).expect("a request");
                    request.extend(byte);
                }
                send(&mut stream, answer);
                String::from_utf8(request).expect("text")
            };
            answers.iter().map(serve).collect()
        });
        Self {
            url: format!("http://{address}/"),
            requests,
        }
    }
}

fn probe(line: &str, url: &str) -> HttpProbe {
    let words = line.split_whitespace().chain([url]);
    let words: Vec<_> = words.map(str::to_owned).collect();
    let options = Options::parse(&words).expect("the options fit");
    HttpProbe::new(Target::parse(url).expect("a target"), &options).expect("no certificates")
}

fn answer(status: u16, reason: &str, has_text: bool) -> Result<Answer, String> {
    Ok(Answer {
        status,
        reason: reason.to_owned(),
        has_text,
    })
}

#[test]
fn answers_are_read() {
    let server = Server::start(&[
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 503 Gone fishing\r\n\r\nbye",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
    ]);
    let mut probe = probe("-b hello", &server.url);
    assert_eq!(probe.ask(), answer(200, "OK", true));
    assert_eq!(probe.ask(), answer(503, "Gone fishing", false));
    assert_eq!(probe.ask(), answer(200, "OK", true));
    assert_eq!(probe.ask(), answer(302, "Found", false));
    assert_eq!(probe.ask(), answer(404, "", false));
    let requests = server.requests.join().expect("the server ends");
    let request = requests[0].to_lowercase();
    assert!(request.starts_with("get / http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nuser-agent: httpok\r\n"), "{request}");
    assert!(
        request.contains("\r\naccept-encoding: identity\r\n"),
        "{request}"
    );
    assert!(!request.contains("\r\naccept:"), "{request}");
}

#[test]
fn all_are_asked_at_the_same_time() {
    // Neither server answers before both were asked.
    let meeting: &'static std::sync::Barrier = Box::leak(Box::new(std::sync::Barrier::new(2)));
    let server = |answers| {
        Server::with(answers, |stream, answer| {
            meeting.wait();
            let _ = stream.write_all(answer.as_bytes());
        })
    };
    let servers = [
        server(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]),
        server(&["HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]),
    ];
    let mut probes = servers.each_ref().map(|server| probe("", &server.url));
    assert_eq!(
        ask_all(&mut probes),
        [answer(200, "OK", true), answer(503, "Busy", true)]
    );
    for server in servers {
        server.requests.join().expect("the server ends");
    }
}

#[test]
fn failures_are_told_in_words() {
    let server = Server::start(&[
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        "garbage\r\n\r\n",
    ]);
    let mut probe = probe("", &server.url);
    let closed = Err("Remote end closed connection without response".to_owned());
    assert_eq!(probe.ask(), closed);
    assert_eq!(probe.ask(), Err("the answer breaks off".to_owned()));
    assert_eq!(
        probe.ask(),
        Err("protocol: http parse fail: invalid HTTP version".to_owned())
    );
    server.requests.join().expect("the server ends");
}

#[test]
fn a_server_that_drips_runs_out_of_time() {
    let server = Server::with(
        &["HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
        |stream, answer| {
            let mut sent = stream.write_all(answer.as_bytes());
            while sent.is_ok() {
                thread::sleep(Duration::from_millis(5));
                sent = stream.write_all(b".");
            }
        },
    );
    let url = server.url.clone();
    let mut options = Options::parse(std::slice::from_ref(&url)).expect("a URL");
    options.timeout = Duration::from_millis(50);
    let mut probe =
        HttpProbe::new(Target::parse(&url).expect("a target"), &options).expect("no certificates");
    assert_eq!(probe.ask(), Err("timed out".to_owned()));
    server.requests.join().expect("the server ends");
}

#[test]
fn a_server_that_is_silent_runs_out_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let mut options = Options::parse(std::slice::from_ref(&url)).expect("a URL");
    options.timeout = Duration::from_millis(50);
    let mut probe =
        HttpProbe::new(Target::parse(&url).expect("a target"), &options).expect("no certificates");
    assert_eq!(probe.ask(), Err("timed out".to_owned()));
}

#[test]
fn refused_connections_are_tried_again_while_there_is_time() {
    static PAUSES: AtomicU32 = AtomicU32::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let mut probe = probe("-t 31", &url);
    probe.pause = |pause| {
        assert_eq!(pause, RETRY);
        PAUSES.fetch_add(1, Ordering::Relaxed);
    };
    assert_eq!(
        probe.ask(),
        Err("[Errno 111] Connection refused".to_owned())
    );
    assert_eq!(PAUSES.load(Ordering::Relaxed), 3);
}

#[test]
fn attempts_fit_into_the_time() {
    for (timeout, want) in [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3), (31, 4)] {
        assert_eq!(attempts(Duration::from_secs(timeout)), want, "{timeout}");
    }
}
