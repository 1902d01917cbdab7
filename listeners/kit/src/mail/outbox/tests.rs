use std::sync::mpsc::{self, Receiver, Sender};

use super::super::Refused;
use super::*;

/// How long a test waits for the thread.
const LONG: Duration = Duration::from_secs(30);

/// A way that ends as scripted, then well; it tells to whom each attempt was.
struct Script {
    results: Mutex<VecDeque<Result<Delivery, MailError>>>,
    attempts: Sender<String>,
}

impl Carrier for Script {
    fn carry(&self, mail: &Mail) -> Result<Delivery, MailError> {
        let result = self.results.lock().expect("no panic").pop_front();
        self.attempts.send(mail.to.clone()).expect("a test");
        result.unwrap_or_else(|| Ok(taken(1)))
    }
}

fn taken(accepted: usize) -> Delivery {
    Delivery {
        accepted,
        ..Delivery::default()
    }
}

fn passing() -> Result<Delivery, MailError> {
    Err(MailError::Passing("away".into()))
}

fn outbox(
    pause: Duration,
    results: impl IntoIterator<Item = Result<Delivery, MailError>>,
) -> (Outbox, Receiver<String>) {
    let (attempts, seen) = mpsc::channel();
    let results = Mutex::new(results.into_iter().collect());
    let mut outbox = Outbox::new(Script { results, attempts });
    outbox.pause = pause;
    outbox.tells_on_signals = false;
    (outbox, seen)
}

fn mail(to: &str) -> Mail {
    Mail {
        to: to.into(),
        subject: " S".into(),
        body: "text".into(),
    }
}

fn send(outbox: &mut Outbox, to: &str) -> (bool, String) {
    let mut log = Vec::new();
    let sent = outbox.send(&mail(to), &mut log);
    (sent, String::from_utf8(log).expect("text"))
}

#[test]
fn what_goes_at_once_is_no_matter() {
    let (mut outbox, seen) = outbox(LONG, []);
    assert_eq!(send(&mut outbox, "a"), (true, String::new()));
    assert_eq!(seen.try_iter().count(), 1);
    assert!(!outbox.shared.lock().has_helper);
}

#[test]
fn what_fails_is_tried_again() {
    let (mut outbox, seen) = outbox(Duration::ZERO, [passing(), passing()]);
    let text = "mail not sent: away; trying again in 0 s\n".to_owned();
    assert_eq!(send(&mut outbox, "a"), (false, text));
    for _ in 0..3 {
        assert_eq!(seen.recv_timeout(LONG).as_deref(), Ok("a"));
    }
}

#[test]
fn those_behind_a_failure_do_not_keep_the_caller() {
    let (mut outbox, seen) = outbox(LONG, [passing()]);
    send(&mut outbox, "a");
    let text = "mail waits with 1 others: to b, S\n".to_owned();
    assert_eq!(send(&mut outbox, "b"), (false, text));
    assert_eq!(seen.recv_timeout(LONG).as_deref(), Ok("a"));
    // Tried by the thread, before the first one's time.
    assert_eq!(seen.recv_timeout(LONG).as_deref(), Ok("b"));
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    let (mut outbox, seen) = outbox(LONG, [Err(MailError::Lasting("no".into()))]);
    let text = "mail not sent: no; given up: to a, S\n".to_owned();
    assert_eq!(send(&mut outbox, "a"), (false, text));
    assert_eq!(
        (seen.try_iter().count(), outbox.shared.lock().count()),
        (1, 0)
    );
}

#[test]
fn only_those_who_may_still_get_it_are_tried_again() {
    let refused = |address: &str| {
        vec![Refused {
            address: address.into(),
            reason: "no".into(),
        }]
    };
    let delivery = Delivery {
        accepted: 1,
        refused: refused("b"),
        deferred: refused("c"),
    };
    let (mut outbox, seen) = outbox(Duration::ZERO, [Ok(delivery)]);
    let text = "mail refused for b: no\nmail refused for c: no; trying again in 0 s\n";
    assert_eq!(send(&mut outbox, "a,b,c"), (true, text.to_owned()));
    assert_eq!(seen.recv_timeout(LONG).as_deref(), Ok("a,b,c"));
    assert_eq!(seen.recv_timeout(LONG).as_deref(), Ok("c"));
}

#[test]
fn what_is_given_up_is_told() {
    let (mut outbox, _seen) = outbox(LONG, [passing()]);
    send(&mut outbox, "a");
    let mut log = Vec::new();
    for number in 0..=MOST_WAITING {
        outbox.keep(mail(&number.to_string()), &mut log);
    }
    let text = "mail given up, too many wait: to a, S\nmail given up, too many wait: to 0, S\n";
    assert_eq!(String::from_utf8(log).expect("text"), text);
    let mut log = Vec::new();
    outbox.shared.give_up("stopping", &mut log);
    let log = String::from_utf8(log).expect("text");
    assert_eq!(log.lines().count(), MOST_WAITING);
    assert!(
        log.starts_with("mail given up, stopping: to 1, S\n"),
        "{log}"
    );
}

#[test]
fn after_a_day_it_is_given_up() {
    let (mut outbox, _seen) = outbox(LONG, [passing()]);
    let shared = Arc::get_mut(&mut outbox.shared).expect("there is no thread yet");
    shared.patience = Duration::ZERO;
    let text = "mail not sent: away; given up after a day: to a, S\n".to_owned();
    assert_eq!(send(&mut outbox, "a"), (false, text));
}

#[test]
fn pauses_grow() {
    let now = Instant::now();
    let mut waiting = Waiting {
        mail: mail("a"),
        since: now,
        due: now,
        pause: FIRST_PAUSE,
    };
    let mut pauses = Vec::new();
    for _ in 0..9 {
        pauses.push(waiting.pause.as_secs());
        waiting = waiting.again("a".into());
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
}
