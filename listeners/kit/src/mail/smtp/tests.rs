use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::*;

/// A server that takes one mail; it answers what was told for lines that contain a word, or are a dot, and otherwise what fits. Returns what
/// it heard.
struct Server {
    smtp: Smtp,
    heard: JoinHandle<Vec<String>>,
}

type Answers = &'static [(&'static str, &'static str)];

impl Server {
    fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a port").to_string();
        let heard = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            converse(&stream, answers)
        });
        Self {
            smtp: Smtp::new(&address, "me@z.org"),
            heard,
        }
    }

    fn heard(self) -> Vec<String> {
        self.heard.join().expect("the server ends")
    }
}

fn converse(mut stream: &TcpStream, answers: Answers) -> Vec<String> {
    stream.write_all(b"220 here\r\n").expect("a client");
    let mut heard = Vec::new();
    let mut in_mail = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        heard.push(line.clone());
        let told = answers
            .iter()
            .find(|(word, _)| line == *word || (*word != "." && line.contains(word)));
        let answer = match (in_mail, line.as_str(), told) {
            (true, ".", None) => "250 taken",
            (true, line, _) if line != "." => continue,
            (_, _, Some((_, answer))) => answer,
            (_, "DATA", _) => "354 go on",
            _ => "250 fine",
        };
        in_mail = answer.starts_with("354");
        if stream
            .write_all(format!("{answer}\r\n").as_bytes())
            .is_err()
        {
            break;
        }
    }
    heard
}

fn mail(to: &str) -> Mail {
    Mail {
        to: to.into(),
        subject: "Crash".into(),
        body: "one\ntwo".into(),
    }
}

fn refused(address: &str, reason: &str) -> Vec<Refused> {
    vec![Refused {
        address: address.into(),
        reason: reason.into(),
    }]
}

#[test]
fn who_is_refused_does_not_keep_the_mail_from_others() {
    let server = Server::start(&[
        ("<no@x>", "550 no such user"),
        ("<late@x>", "450 come back"),
    ]);
    let to = "a@x, no@x, @@, late@x, Be <b@y>";
    let delivery = server.smtp.carry(&mail(to)).expect("somebody gets it");
    assert_eq!(delivery.accepted, 2);
    assert_eq!(
        delivery.deferred,
        refused("late@x", "transient error (450): come back")
    );
    assert_eq!(delivery.still_to(), "late@x");
    let names: Vec<_> = delivery.refused.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), 2);
    assert!(names[0].starts_with("@@: "), "{names:?}");
    assert_eq!(names[1], "no@x: permanent error (550): no such user");
    let heard = server.heard();
    assert_eq!(heard.iter().filter(|line| *line == "DATA").count(), 1);
    assert_eq!(heard.last().map(String::as_str), Some("QUIT"));
}

#[test]
fn failures_last_or_pass() {
    let rows: [(Answers, &str, bool); 5] = [
        (
            &[("RCPT", "550 no")],
            "a@x: permanent error (550): no, b@x: permanent error (550): no",
            true,
        ),
        (&[("MAIL", "550 no")], "permanent error (550): no", false),
        (&[("DATA", "554 no")], "permanent error (554): no", true),
        (&[(".", "554 spam")], "permanent error (554): spam", true),
        (&[(".", "451 busy")], "transient error (451): busy", false),
    ];
    for (answers, text, lasting) in rows {
        let server = Server::start(answers);
        let error = server.smtp.carry(&mail("a@x,b@x")).expect_err(text);
        assert_eq!(
            (error.to_string(), error.is_lasting()),
            (text.into(), lasting)
        );
        server.heard();
    }
}

#[test]
fn nobody_yet_is_no_failure() {
    let server = Server::start(&[("RCPT", "450 later")]);
    let delivery = server.smtp.carry(&mail("a@x")).expect("it may come later");
    assert_eq!(
        (delivery.accepted, delivery.still_to().as_str()),
        (0, "a@x")
    );
    assert!(!server.heard().contains(&"DATA".to_owned()));
}

#[test]
fn encryption_is_not_given_up() {
    let server = Server::start(&[]);
    let error = server
        .smtp
        .clone()
        .tls()
        .carry(&mail("a@x"))
        .expect_err("no TLS");
    let text = error.to_string();
    assert!(text.contains("STARTTLS is not supported"), "{text}");
    assert!(!error.is_lasting());
    server.heard();
}

#[test]
fn a_silent_server_runs_out_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port").to_string();
    let smtp = Smtp {
        limit: Duration::from_millis(50),
        ..Smtp::new(&address, "me@z")
    };
    let error = smtp.carry(&mail("a@x")).expect_err("it is silent");
    assert_eq!(error.to_string(), "timed out");
}

#[test]
fn letters_have_the_usual_headers() {
    let letter = |subject: &str| {
        let mail = Mail {
            subject: subject.into(),
            ..mail("a@x.org,root")
        };
        let letter = Letter::write("Me <me@z.org>", &mail).expect("a letter");
        let text = String::from_utf8(letter.message.clone()).expect("text");
        (letter, text)
    };
    let (parts, text) = letter("Crash");
    for header in [
        "From: Me <me@z.org>\r\n",
        "To: a@x.org, root@localhost\r\n",
        "Subject: Crash\r\n",
        "Date: ",
        "Message-ID: <",
        "MIME-Version: 1.0\r\n",
    ] {
        assert!(text.contains(header), "{header}: {text}");
    }
    assert!(text.ends_with("\r\n\r\none\r\ntwo"), "{text}");
    assert_eq!(parts.from.to_string(), "me@z.org");
    let to: Vec<_> = parts.to.iter().map(|(_, to)| to.to_string()).collect();
    assert_eq!(to, ["a@x.org", "root@localhost"]);
    assert!(!letter("").1.contains("Subject:"));
}

#[test]
fn long_lines_stay_whole() {
    let encoding = |text: &str| content(text).encoding();
    let long = "x".repeat(LONGEST_LINE);
    assert_eq!(encoding(&long), ContentTransferEncoding::SevenBit);
    assert_eq!(content("a\nb").into_vec(), b"a\r\nb");
    for text in [format!("{long}x"), format!("{long}é")] {
        assert_ne!(encoding(&text), ContentTransferEncoding::SevenBit);
    }
}

#[test]
fn what_is_no_address_is_refused() {
    let smtp = Smtp::new("127.0.0.1:1", "me@z");
    let error = smtp.carry(&mail("a@@b")).expect_err("no address");
    assert!(error.to_string().starts_with("a@@b: "), "{error}");
    assert!(error.is_lasting());
}

#[test]
fn what_the_system_refuses_is_told_as_superlance_tells_it() {
    let refused = io::Error::from_raw_os_error(111);
    let outer = ErrorAround(refused);
    assert_eq!(chain(&outer), "[Errno 111] Connection refused");
    assert_eq!(
        chain(&ErrorAround(io::Error::from_raw_os_error(11))),
        "timed out"
    );
    let other = ErrorAround(io::Error::other("why"));
    assert_eq!(chain(&other), "outside: why");
}

#[derive(Debug, thiserror::Error)]
#[error("outside")]
struct ErrorAround(#[source] io::Error);

#[test]
fn hosts_may_have_ports() {
    let rows = [
        ("mx", "mx", 25),
        ("mx:26", "mx", 26),
        ("::1", "::1", 25),
        ("mx:x", "mx:x", 25),
    ];
    for (text, host, port) in rows {
        assert_eq!(host_and_port(text), (host, port), "{text}");
    }
}
