//! Mail that is tried again.
//!
//! The first attempt is made at once, in the handler, as Superlance makes its only one. What fails goes to a thread that exists
//! as long as something waits, so that supervisord is never kept by a mail server that is away.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, raise};

use super::{Carrier, Delivery, Mail, MailError, Mailer};

/// So many mails wait at most; beyond, the oldest are given up.
const MOST_WAITING: usize = 100;

/// How long to wait after the first failure; twice as long after each further one, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// How long a mail is tried.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The signals by which supervisord, or somebody at a terminal, stops a listener.
const STOP_SIGNALS: [Signal; 4] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// A mailer that tries again what fails, and says what it gives up.
#[derive(Debug)]
pub struct Outbox {
    shared: Arc<Shared>,
    pause: Duration,
    /// Whether to tell on a signal what is given up. It is to be told once, and not in tests.
    tells_on_signals: bool,
}

struct Shared {
    carrier: Box<dyn Carrier + Send + Sync>,
    /// How long a mail is tried.
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// What the thread is sending.
    current: Option<Waiting>,
    /// Whether there is a thread.
    has_helper: bool,
    closed: bool,
}

#[derive(Debug, Clone)]
struct Waiting {
    mail: Mail,
    /// When it was first tried.
    since: Instant,
    due: Instant,
    /// How long to wait if it fails again.
    pause: Duration,
}

/// What became of an attempt.
enum Fate {
    /// Somebody got it.
    Sent,
    /// Nobody ever will.
    Lost,
    /// It is to be tried again for these recipients, which somebody else may have got already.
    Again { to: String, sent: bool },
}

impl Outbox {
    /// An outbox whose mail goes by `carrier`.
    pub fn new(carrier: impl Carrier + Send + Sync + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                carrier: Box::new(carrier),
                patience: PATIENCE,
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
            pause: FIRST_PAUSE,
            tells_on_signals: true,
        }
    }

    /// Tries a mail later, for the first time after the usual pause.
    pub fn keep(&mut self, mail: Mail, log: &mut dyn Write) {
        let waiting = Waiting {
            mail,
            since: Instant::now(),
            due: Instant::now() + self.pause,
            pause: self.pause * 2,
        };
        self.enqueue(waiting, log);
    }

    fn enqueue(&mut self, waiting: Waiting, log: &mut dyn Write) {
        if std::mem::take(&mut self.tells_on_signals) {
            tell_on_signals(Arc::clone(&self.shared), log);
        }
        let needs_helper = {
            let mut state = self.shared.lock();
            state.push(waiting, log);
            !std::mem::replace(&mut state.has_helper, true)
        };
        self.shared.changed.notify_all();
        if needs_helper {
            let shared = Arc::clone(&self.shared);
            if let Err(error) = thread::Builder::new().spawn(move || shared.insist()) {
                // The next mail that fails brings another chance.
                self.shared.lock().has_helper = false;
                say(log, &format!("mail waits, there is no thread: {error}"));
            }
        }
    }
}

impl Mailer for Outbox {
    /// Sends at once, unless others wait: then the server is likely away, and the thread is to find out.
    fn send(&mut self, mail: &Mail, log: &mut dyn Write) -> bool {
        let now = Instant::now();
        let waiting = Waiting {
            mail: mail.clone(),
            since: now,
            due: now,
            pause: self.pause,
        };
        let others = self.shared.lock().count();
        if others > 0 {
            say(
                log,
                &format!("mail waits with {others} others: {}", title(mail)),
            );
            self.enqueue(waiting, log);
            return false;
        }
        match self.shared.attempt(&waiting, log) {
            Fate::Sent => true,
            Fate::Lost => false,
            Fate::Again { to, sent } => {
                self.enqueue(waiting.again(to), log);
                sent
            }
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut log = crate::log();
        self.shared.give_up("stopping", &mut log);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what waits, until nothing does.
    fn insist(&self) {
        while let Some(waiting) = self.next() {
            // Anew each time: what is written at once stays together.
            let mut log = Vec::new();
            let fate = self.attempt(&waiting, &mut log);
            let mut state = self.lock();
            state.current = None;
            if state.closed {
                // It was given up already, which is no reason to hide that it arrived.
                drop(state);
            } else if let Fate::Again { to, .. } = &fate {
                state.push(waiting.clone().again(to.clone()), &mut log);
            }
            if let Fate::Sent | Fate::Again { sent: true, .. } = fate {
                // As the listeners say it for a mail that goes at once.
                let _ = writeln!(log, "Mailed:\n\n{}", waiting.mail);
            }
            // A log that cannot be written cannot be complained about either.
            let _ = io::stderr().write_all(&log);
        }
    }

    /// The next mail that is due; waits for it. `None`: there is none any more.
    fn next(&self) -> Option<Waiting> {
        let mut state = self.lock();
        loop {
            let first = state.waiting.iter().enumerate();
            let first = first.min_by_key(|(_, waiting)| waiting.due);
            let Some((index, due)) = first.map(|(index, waiting)| (index, waiting.due)) else {
                state.has_helper = false;
                return None;
            };
            let pause = due.saturating_duration_since(Instant::now());
            if pause.is_zero() {
                state.current = state.waiting.remove(index);
                return state.current.clone();
            }
            let waited = self.changed.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Tries once, and says in `log` what went wrong.
    fn attempt(&self, waiting: &Waiting, log: &mut dyn Write) -> Fate {
        let mail = &waiting.mail;
        let tired = waiting.since.elapsed() >= self.patience;
        let seconds = waiting.pause.as_secs();
        match self.carrier.carry(mail) {
            Ok(delivery) => self.settle(&delivery, waiting, tired, log),
            Err(error @ MailError::Lasting(_)) => {
                say(
                    log,
                    &format!("mail not sent: {error}; given up: {}", title(mail)),
                );
                Fate::Lost
            }
            Err(error) if tired => {
                say(
                    log,
                    &format!(
                        "mail not sent: {error}; given up after a day: {}",
                        title(mail)
                    ),
                );
                Fate::Lost
            }
            Err(error) => {
                say(
                    log,
                    &format!("mail not sent: {error}; trying again in {seconds} s"),
                );
                Fate::Again {
                    to: mail.to.clone(),
                    sent: false,
                }
            }
        }
    }

    /// Says who did not get a mail.
    fn settle(
        &self,
        delivery: &Delivery,
        waiting: &Waiting,
        tired: bool,
        log: &mut dyn Write,
    ) -> Fate {
        let sent = delivery.accepted > 0;
        for refused in &delivery.refused {
            say(log, &format!("mail refused for {refused}"));
        }
        for deferred in &delivery.deferred {
            let end = match tired {
                true => "given up after a day".to_owned(),
                false => format!("trying again in {} s", waiting.pause.as_secs()),
            };
            say(log, &format!("mail refused for {deferred}; {end}"));
        }
        match (delivery.deferred.is_empty() || tired, sent) {
            (true, true) => Fate::Sent,
            (true, false) => Fate::Lost,
            (false, sent) => Fate::Again {
                to: delivery.still_to(),
                sent,
            },
        }
    }

    /// Says what will not be sent any more, and forgets it.
    fn give_up(&self, reason: &str, log: &mut dyn Write) {
        let mut state = self.lock();
        state.closed = true;
        let state = &mut *state;
        for waiting in state.current.iter().chain(&state.waiting) {
            say(
                log,
                &format!("mail given up, {reason}: {}", title(&waiting.mail)),
            );
        }
        state.waiting.clear();
        self.changed.notify_all();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl State {
    fn count(&self) -> usize {
        self.waiting.len() + usize::from(self.current.is_some())
    }

    fn push(&mut self, waiting: Waiting, log: &mut dyn Write) {
        if self.waiting.len() == MOST_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            let title = title(&oldest.mail);
            say(log, &format!("mail given up, too many wait: {title}"));
        }
        self.waiting.push_back(waiting);
    }
}

impl Waiting {
    /// The same, for these recipients, after the pause.
    fn again(mut self, to: String) -> Self {
        self.mail.to = to;
        self.due = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self
    }
}

/// On a stop signal, says what is given up, and dies of the signal. Until mail fails for the first time there is nothing to
/// say, and the signal kills as it always did.
fn tell_on_signals(shared: Arc<Shared>, log: &mut dyn Write) {
    let signals = SigSet::from_iter(STOP_SIGNALS);
    let told = signals.thread_block().map_err(io::Error::from);
    let told = told.and_then(|()| {
        thread::Builder::new().spawn(move || {
            if let Ok(signal) = signals.wait() {
                shared.give_up("stopping", &mut crate::log());
                // In this order the signal kills.
                let _ = signals.thread_unblock();
                let _ = raise(signal);
            }
        })
    });
    if let Err(error) = told {
        let _ = signals.thread_unblock();
        say(log, &format!("cannot watch for signals: {error}"));
    }
}

/// Recipient and subject.
fn title(mail: &Mail) -> String {
    match mail.subject.trim() {
        "" => format!("to {}", mail.to),
        subject => format!("to {}, {subject}", mail.to),
    }
}

fn say(log: &mut dyn Write, text: &str) {
    // A log that cannot be written cannot be complained about either.
    let _ = writeln!(log, "{text}");
}

#[cfg(test)]
#[path = "outbox/tests.rs"]
mod tests;
