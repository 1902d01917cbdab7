//! The check at each tick.

use std::collections::BTreeSet;
use std::io::{self, Write};

use client::{CallError, ProcessInfo};
use jiff::Zoned;
use listener_kit::{Identity, Mail, Mailer, Supervisor, asctime, error_text, zone_name};

use crate::memory::Memory;
use crate::options::Options;

/// Everything outside that a check needs.
#[derive(Debug)]
pub(crate) struct Surroundings<S, M, P, L> {
    /// Whom to ask for processes and restarts.
    pub(crate) supervisor: S,
    /// Whom to ask for memory.
    pub(crate) memory: M,
    /// Who sends mail.
    pub(crate) mailer: P,
    /// Where people look.
    pub(crate) log: L,
    /// The wall clock, for the text of the mail.
    pub(crate) clock: fn() -> Zoned,
}

/// Checks processes against limits.
#[derive(Debug)]
pub(crate) struct Monitor {
    options: Options,
    me: Identity,
    /// Whether the names in the options were compared with the processes there are.
    names_checked: bool,
}

impl Monitor {
    /// A monitor that itself is the process `me`.
    pub(crate) const fn new(options: Options, me: Identity) -> Self {
        Self {
            options,
            me,
            names_checked: false,
        }
    }

    /// Checks all processes and restarts those over a limit. Whatever fails is logged; the next tick tries again.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(crate) fn check<S: Supervisor, M: Memory, P: Mailer, L: Write>(
        &mut self,
        around: &mut Surroundings<S, M, P, L>,
    ) -> io::Result<()> {
        around
            .log
            .write_all(self.options.limits.announcement().as_bytes())?;
        around.memory.refresh();
        match around.supervisor.processes() {
            Ok(processes) => {
                self.check_names(&processes, &mut around.log)?;
                for process in processes.iter().filter(|process| process.pid != 0) {
                    self.check_process(process, around)?;
                }
            }
            Err(error) => {
                writeln!(
                    around.log,
                    "Exception retrieving process info {}",
                    error_text(&error)
                )?;
            }
        }
        around.log.flush()
    }

    /// Checks one process; it is restarted at most once, whatever the number of limits it exceeds.
    fn check_process<S: Supervisor, M: Memory, P: Mailer, L: Write>(
        &self,
        process: &ProcessInfo,
        around: &mut Surroundings<S, M, P, L>,
    ) -> io::Result<()> {
        let Some(rss) = around.memory.rss(process.pid) else {
            return Ok(());
        };
        let name = format!("{}:{}", process.group, process.name);
        let mut dealt_with = false;
        for limit in self
            .options
            .limits
            .applicable(&process.group, &process.name)
        {
            writeln!(around.log, "RSS of {name} is {rss}")?;
            if rss <= limit || dealt_with {
                continue;
            }
            dealt_with = true;
            if self.me.is(&process.group, &process.name) {
                writeln!(around.log, "Not restarting {name}: it is this memmon")?;
            } else {
                self.restart(&name, process, rss, around)?;
            }
        }
        Ok(())
    }

    fn restart<S: Supervisor, M: Memory, P: Mailer, L: Write>(
        &self,
        name: &str,
        process: &ProcessInfo,
        rss: i64,
        around: &mut Surroundings<S, M, P, L>,
    ) -> io::Result<()> {
        let uptime = i64::from(process.now) - i64::from(process.start);
        writeln!(around.log, "Restarting {name}")?;
        around.log.flush()?;
        let result = restart(&mut around.supervisor, name);
        // Stopping may have taken minutes.
        around.memory.refresh();
        let (subject, body) = match result {
            Ok(()) if uptime > self.options.uptime_limit => return Ok(()),
            Ok(()) => restarted(name, rss, &(around.clock)()),
            Err(failure) => {
                let (subject, body) = failure.message(name, rss);
                writeln!(around.log, "{body}")?;
                (subject, body)
            }
        };
        if let Some(to) = &self.options.email {
            let mail = Mail {
                to: to.clone(),
                subject: self.subject(&subject),
                body,
            };
            around.mailer.send(&mail, &mut around.log);
        }
        Ok(())
    }

    fn subject(&self, text: &str) -> String {
        match &self.options.name {
            None => format!("memmon: {text}"),
            Some(name) => format!("memmon [{name}]: {text}"),
        }
    }

    /// At the first look at the processes, says which names in the options none of them has.
    fn check_names(&mut self, processes: &[ProcessInfo], log: &mut impl Write) -> io::Result<()> {
        if std::mem::replace(&mut self.names_checked, true) {
            return Ok(());
        }
        let names = |process: &ProcessInfo| {
            [
                process.name.clone(),
                format!("{}:{}", process.group, process.name),
            ]
        };
        let names: BTreeSet<_> = processes.iter().flat_map(names).collect();
        let groups: BTreeSet<_> = processes.iter().map(|process| &process.group).collect();
        let limits = &self.options.limits;
        for name in limits.programs.keys().filter(|name| !names.contains(*name)) {
            writeln!(log, "No process matches -p {name}")?;
        }
        for name in limits.groups.keys().filter(|name| !groups.contains(name)) {
            writeln!(log, "No process matches -g {name}")?;
        }
        Ok(())
    }
}

/// Which half of a restart failed, and why.
enum Failure {
    Stop(CallError),
    Start(CallError),
}

impl Failure {
    /// Subject and body of the mail. They say `exiting` as Supervisor's memmon did, which ended here; this one goes on.
    fn message(&self, name: &str, rss: i64) -> (String, String) {
        match self {
            Self::Stop(error) => (
                format!("failed to stop process {name}, exiting"),
                format!(
                    "Failed to stop process {name} (RSS {rss}), exiting: {}",
                    error_text(error)
                ),
            ),
            Self::Start(error) => (
                format!("failed to start process {name}, exiting"),
                format!(
                    "Failed to start process {name} after stopping it, exiting: {}",
                    error_text(error)
                ),
            ),
        }
    }
}

fn restart(supervisor: &mut impl Supervisor, name: &str) -> Result<(), Failure> {
    supervisor.stop(name).map_err(Failure::Stop)?;
    supervisor.start(name).map_err(Failure::Start)
}

/// Subject and body of the mail about a restart.
fn restarted(name: &str, rss: i64, now: &Zoned) -> (String, String) {
    (
        format!("process {name} restarted"),
        format!(
            "memmon.py restarted the process named {name} at {} {} because it was consuming too much memory ({rss} bytes RSS)",
            asctime(now),
            zone_name(now)
        ),
    )
}

#[cfg(test)]
mod tests;
