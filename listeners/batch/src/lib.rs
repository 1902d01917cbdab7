//! Event listeners that collect what happened and mail it in batches, by SMTP.

mod alert;
mod collector;
mod options;
mod smtp;

use std::io::{self, Write};
use std::process::ExitCode;

use jiff::Zoned;
use listener_kit::{Event, Listener, Outcome, arguments, is_supervised, log};

pub use crate::alert::{Alert, CRASH_MAIL, CRASH_SMS, FATAL_MAIL};
use crate::collector::Collector;
use crate::options::{Options, Unusable};
use crate::smtp::{Letter, PostOffice, Smtp};

/// Runs the listener that raises `alert` until its input ends. Returns the exit code.
pub fn serve(alert: &'static Alert) -> ExitCode {
    match prepare(alert) {
        Ok(mut station) => Listener::stdio().serve(|event| {
            // A log that cannot be written is no reason to end.
            let _ = station.handle(event);
            Outcome::Done
        }),
        Err(unusable) => unusable.exit(alert.tool),
    }
}

fn prepare(alert: &'static Alert) -> Result<Station<Smtp, listener_kit::Log>, Unusable> {
    let options = Options::parse(&arguments(), alert)?;
    if !is_supervised() {
        return Err(Unusable::Failure(
            "Must run as a supervisor event listener".to_owned(),
        ));
    }
    let collector = Collector::new(options.interval, &options.tick);
    let collector = collector.map_err(|error| Unusable::Failure(error.to_string()))?;
    Ok(Station {
        alert,
        collector,
        post: Smtp::new(&options),
        letter: options.letter,
        log: log(),
    })
}

/// Collects lines, and sends them when it is time.
struct Station<P, L> {
    alert: &'static Alert,
    collector: Collector,
    post: P,
    /// Addresses and subject.
    letter: Letter,
    log: L,
}

impl<P: PostOffice, L: Write> Station<P, L> {
    fn handle(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let Some(line) = self.alert.line(event, &Zoned::now()) {
            writeln!(self.log, "{line}")?;
            self.collector.add(line);
        }
        if self.collector.is_due(event.header.eventname) {
            self.send()?;
        }
        self.log.flush()
    }

    fn send(&mut self) -> io::Result<()> {
        let Some(body) = self.collector.body() else {
            return Ok(());
        };
        match self.post.send(&self.letter, &body) {
            Ok(()) => self.collector.clear(),
            // The lines stay for the next time.
            Err(error) => writeln!(self.log, "Error sending email: {error}")?,
        }
        writeln!(self.log, "{}", self.letter.summary(&body))
    }
}

#[cfg(test)]
mod tests;
