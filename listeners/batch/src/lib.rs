//! Event listeners that collect what happened and mail it in batches.

mod alert;
mod collector;
mod letter;
mod options;

use std::io::{self, Write};
use std::process::ExitCode;

use jiff::Zoned;
use listener_kit::{
    Carrier, Carrying, Delivery, Event, Listener, Mail, Outbox, Outcome, arguments, is_supervised,
    log,
};

pub use crate::alert::{Alert, CRASH_MAIL, CRASH_SMS, FATAL_MAIL};
use crate::collector::Collector;
use crate::letter::Letter;
use crate::options::{Options, Unusable};

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

fn prepare(alert: &'static Alert) -> Result<Station<Carrying, listener_kit::Log>, Unusable> {
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
        later: Outbox::new(options.carrier()),
        carrier: options.carrier(),
        letter: options.letter,
        log: log(),
    })
}

/// Collects lines, and sends them when it is time.
struct Station<C, L> {
    alert: &'static Alert,
    collector: Collector,
    carrier: C,
    /// Mail for those whose server wanted it later, while others got it.
    later: Outbox,
    /// Addresses and subject.
    letter: Letter,
    log: L,
}

impl<C: Carrier, L: Write> Station<C, L> {
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
        let summary = self.letter.summary(&body);
        let mail = self.letter.mail(body);
        match self.carrier.carry(&mail) {
            Ok(delivery) => {
                self.collector.clear();
                self.settle(mail, &delivery)?;
            }
            Err(error) => {
                writeln!(self.log, "Error sending email: {error}")?;
                // Otherwise the lines stay for the next time.
                if error.is_lasting() {
                    self.collector.clear();
                }
            }
        }
        writeln!(self.log, "{summary}")
    }

    /// Says who did not get the mail. It is not for them that the others shall get it again.
    fn settle(&mut self, mail: Mail, delivery: &Delivery) -> io::Result<()> {
        for refused in &delivery.refused {
            writeln!(self.log, "Error sending email to {refused}")?;
        }
        for deferred in &delivery.deferred {
            writeln!(self.log, "Error sending email to {deferred}; trying again")?;
        }
        if !delivery.deferred.is_empty() {
            let to = delivery.still_to();
            self.later.keep(Mail { to, ..mail }, &mut self.log);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
