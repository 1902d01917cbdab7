//! What a tick leads to.

use std::io::{self, Write};
use std::time::Instant;

use client::ProcessInfo;
use listener_kit::{Identity, Mail, Mailer, Supervisor, error_text};
use protocol::states::ProcessState;

use crate::options::Options;
use crate::probe::{Answer, Probe, ask_all};
use crate::restart::{Dumper, Report, Selection};

/// Everything outside that a check needs.
#[derive(Debug)]
pub(crate) struct Surroundings<S, P, D, M, L> {
    /// Whom to ask for processes and restarts.
    pub(crate) supervisor: S,
    /// Who asks the URLs, in their order.
    pub(crate) probes: Vec<P>,
    /// Who writes core files, if they are wanted.
    pub(crate) dumper: Option<D>,
    /// Who sends mail.
    pub(crate) mailer: M,
    /// Where people look.
    pub(crate) log: L,
    /// Time for the pause after a restart.
    pub(crate) clock: fn() -> Instant,
}

/// Watches URLs.
#[derive(Debug)]
pub(crate) struct Watch {
    options: Options,
    me: Identity,
    /// When something was last restarted.
    restarted: Option<Instant>,
}

impl Watch {
    /// A watch that itself is the process `me`.
    pub(crate) const fn new(options: Options, me: Identity) -> Self {
        Self {
            options,
            me,
            restarted: None,
        }
    }

    /// Asks the URLs and, if an answer is wrong, restarts the processes and sends mail.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(crate) fn check<S, P, D, M, L>(
        &mut self,
        around: &mut Surroundings<S, P, D, M, L>,
    ) -> io::Result<()>
    where
        S: Supervisor,
        P: Probe + Send,
        D: Dumper,
        M: Mailer,
        L: Write,
    {
        if self.is_waiting((around.clock)()) || !self.has_a_reason_to_ask(around)? {
            return Ok(());
        }
        let answers = ask_all(&mut around.probes);
        let urls = self.options.urls.iter().zip(answers);
        let faults: Vec<_> = urls
            .filter_map(|(url, answer)| self.judge(url, answer))
            .collect();
        if !faults.is_empty() {
            self.act(&faults, around)?;
        }
        around.log.flush()
    }

    fn is_waiting(&self, now: Instant) -> bool {
        let since = self
            .restarted
            .map(|then| now.saturating_duration_since(then));
        since.is_some_and(|since| since < self.options.wait)
    }

    /// Whether the options want the URLs asked although nothing may be RUNNING, or something is.
    fn has_a_reason_to_ask<S: Supervisor, P, D, M, L: Write>(
        &self,
        around: &mut Surroundings<S, P, D, M, L>,
    ) -> io::Result<bool> {
        if self.options.eager {
            return Ok(true);
        }
        let selection = self.selection();
        let is_running = |process: &ProcessInfo| {
            process.process_state() == Some(ProcessState::Running) && selection.includes(process)
        };
        match around.supervisor.processes() {
            Ok(processes) => Ok(processes.iter().any(is_running)),
            Err(error) => {
                writeln!(
                    around.log,
                    "Exception retrieving process info {}, not acting",
                    error_text(&error)
                )?;
                around.log.flush()?;
                Ok(false)
            }
        }
    }

    const fn selection(&self) -> Selection<'_> {
        Selection {
            programs: self.options.programs.as_slice(),
            any: self.options.any,
            me: &self.me,
        }
    }

    /// What is wrong about an answer, if anything is.
    fn judge(&self, url: &str, answer: Result<Answer, String>) -> Option<Fault> {
        let (fault, message) = match answer {
            Err(error) => ("bad status", format!("error contacting {url}:\n\n {error}")),
            Ok(answer) => {
                let expected = self.options.statuses.contains(&i64::from(answer.status));
                let fault = match (expected, answer.has_text) {
                    (true, true) => return None,
                    (false, _) => "bad status",
                    (true, false) => "bad body",
                };
                let (status, reason) = (answer.status, answer.reason);
                (fault, format!("status contacting {url}: {status} {reason}"))
            }
        };
        Some(Fault {
            title: format!("{url}: {fault} returned"),
            message,
        })
    }

    fn subject(&self, faults: &[Fault]) -> String {
        let titles: Vec<_> = faults.iter().map(|fault| fault.title.as_str()).collect();
        let titles = titles.join(", ");
        match &self.options.name {
            None => format!("httpok: {titles}"),
            Some(name) => format!("httpok [{name}]: {titles}"),
        }
    }

    fn act<S, P, D, M, L>(
        &mut self,
        faults: &[Fault],
        around: &mut Surroundings<S, P, D, M, L>,
    ) -> io::Result<()>
    where
        S: Supervisor,
        D: Dumper,
        M: Mailer,
        L: Write,
    {
        let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        let messages = messages.join("\n");
        // With one URL it is clear which it was, and Superlance's log does not say.
        if self.options.urls.len() > 1 {
            writeln!(around.log, "{messages}")?;
        }
        let mut report = Report::new(messages, &mut around.log);
        let processes = match around.supervisor.processes() {
            Ok(processes) => processes,
            Err(error) => {
                let text = format!(
                    "Exception retrieving process info {}, not acting",
                    error_text(&error)
                );
                return report.line(text);
            }
        };
        let selection = self.selection();
        let restarted = selection.restart(
            &processes,
            &mut around.supervisor,
            around.dumper.as_mut(),
            &mut report,
        )?;
        let body = report.finish();
        if restarted {
            self.restarted = Some((around.clock)());
        }
        if let Some(to) = &self.options.email {
            let mail = Mail {
                to: to.clone(),
                subject: self.subject(faults),
                body,
            };
            if around.mailer.send(&mail, &mut around.log) {
                write!(around.log, "Mailed:\n\n{mail}")?;
            }
        }
        Ok(())
    }
}

/// A wrong answer, as the mail puts it.
struct Fault {
    /// In the subject.
    title: String,
    /// Lines at the top of the body.
    message: String,
}

#[cfg(test)]
mod tests;
