use std::sync::{Arc, Mutex};

use listener_kit::{MailError, Refused};
use protocol::listener::EventHeader;

use super::*;

/// A way mail takes, or not.
#[derive(Default, Clone)]
struct Office(Arc<Mutex<Counter>>);

#[derive(Default)]
struct Counter {
    /// How the next mail ends; otherwise well.
    next: Option<Result<Delivery, MailError>>,
    sent: Vec<Mail>,
}

impl Office {
    fn next(&self, result: Result<Delivery, MailError>) {
        self.0.lock().expect("no panic").next = Some(result);
    }

    fn sent(&self) -> Vec<Mail> {
        self.0.lock().expect("no panic").sent.clone()
    }
}

impl Carrier for Office {
    fn carry(&self, mail: &Mail) -> Result<Delivery, MailError> {
        let mut counter = self.0.lock().expect("no panic");
        let result = counter.next.take().unwrap_or_else(|| Ok(taken()));
        if result.is_ok() {
            counter.sent.push(mail.clone());
        }
        result
    }
}

fn taken() -> Delivery {
    Delivery {
        accepted: 1,
        ..Delivery::default()
    }
}

fn station(interval: f64) -> Station<Office, Vec<u8>> {
    Station {
        alert: &FATAL_MAIL,
        collector: Collector::new(interval, "TICK_60").expect("a tick"),
        carrier: Office::default(),
        later: Outbox::new(Office::default()),
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
    assert!(station.carrier.sent().is_empty());
    feed(&mut station, &["TICK_60"]);
    let sent = station.carrier.sent();
    let body = &sent.first().expect("a letter").body;
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
    assert_eq!(station.carrier.sent().len(), 1);
}

/// How many lines each mail has.
fn lines(station: &Station<Office, Vec<u8>>) -> Vec<usize> {
    let sent = station.carrier.sent();
    sent.iter().map(|mail| mail.body.lines().count()).collect()
}

fn log(station: &Station<Office, Vec<u8>>) -> String {
    String::from_utf8(station.log.clone()).expect("text")
}

#[test]
fn lines_that_cannot_be_sent_are_kept() {
    let mut station = station(1.0);
    station.carrier.next(Err(MailError::Passing("away".into())));
    feed(&mut station, &[FATAL, "TICK_60", FATAL]);
    let log = log(&station);
    assert!(
        log.contains("\nError sending email: away\nSending notification email:\n"),
        "{log}"
    );
    feed(&mut station, &["TICK_60"]);
    assert_eq!(lines(&station), [2]);
}

#[test]
fn lines_that_nobody_wants_are_not_sent_again() {
    let mut station = station(1.0);
    station.carrier.next(Err(MailError::Lasting("no".into())));
    feed(&mut station, &[FATAL, "TICK_60", FATAL, "TICK_60"]);
    assert_eq!(lines(&station), [1]);
    assert!(log(&station).contains("\nError sending email: no\n"));
}

#[test]
fn who_is_refused_does_not_keep_the_others_from_their_mail() {
    let mut station = station(1.0);
    station.carrier.next(Ok(Delivery {
        refused: vec![Refused {
            address: "b@x".into(),
            reason: "no such user".into(),
        }],
        ..taken()
    }));
    feed(&mut station, &[FATAL, "TICK_60", FATAL, "TICK_60"]);
    assert_eq!(lines(&station), [1, 1]);
    let log = log(&station);
    assert!(
        log.contains("\nError sending email to b@x: no such user\n"),
        "{log}"
    );
}
