use protocol::listener::EventHeader;

use super::*;
use crate::smtp::SendError;

/// A post office that takes letters or, closed, none.
#[derive(Default)]
struct Office {
    closed: bool,
    sent: Vec<String>,
}

impl PostOffice for Office {
    fn send(&mut self, _: &Letter, body: &str) -> Result<(), SendError> {
        if self.closed {
            return Err(SendError::Letter(lettre::error::Error::MissingFrom));
        }
        self.sent.push(body.to_owned());
        Ok(())
    }
}

fn station(interval: f64) -> Station<Office, Vec<u8>> {
    Station {
        alert: &FATAL_MAIL,
        collector: Collector::new(interval, "TICK_60").expect("a tick"),
        post: Office::default(),
        letter: Letter {
            to: vec!["a@x".into()],
            from: "me@z".into(),
            subject: Some("S".into()),
        },
        log: Vec::new(),
    }
}

fn feed(station: &mut Station<Office, Vec<u8>>, events: &[&str]) {
    for event in events {
        let header = format!("eventname:{event} len:0");
        let event = Event {
            header: EventHeader::parse(&header).expect("a header"),
            payload: "processname:p groupname:g from_state:BACKOFF",
        };
        station.handle(&event).expect("the log is writable");
    }
}

const FATAL: &str = "PROCESS_STATE_FATAL";

#[test]
fn lines_are_sent_when_the_interval_is_over() {
    let mut station = station(2.0);
    feed(&mut station, &[FATAL, "TICK_60", FATAL, "TICK_5"]);
    assert!(station.post.sent.is_empty());
    feed(&mut station, &["TICK_60"]);
    let body = station.post.sent.first().expect("a letter");
    assert_eq!(body.lines().count(), 2);
    assert!(
        body.lines()
            .all(|line| line.ends_with(" -- Process g:p failed to start too many times"))
    );
    let log = String::from_utf8(station.log.clone()).expect("text");
    let start =
        format!("{body}\nSending notification email:\nTo: a@x\nFrom: me@z\nSubject: S\nBody:\n");
    assert!(log.starts_with(&start), "{log}");
    feed(&mut station, &["TICK_60", "TICK_60"]);
    assert_eq!(station.post.sent.len(), 1);
}

#[test]
fn lines_that_cannot_be_sent_are_kept() {
    let mut station = station(1.0);
    station.post.closed = true;
    feed(&mut station, &[FATAL, "TICK_60", FATAL]);
    let log = String::from_utf8(station.log.clone()).expect("text");
    assert!(log.contains("\nError sending email: "), "{log}");
    assert!(log.contains("\nSending notification email:\n"), "{log}");
    station.post.closed = false;
    feed(&mut station, &["TICK_60"]);
    assert_eq!(
        station.post.sent.first().map(|body| body.lines().count()),
        Some(2)
    );
}
