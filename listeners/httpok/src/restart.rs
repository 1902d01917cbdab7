//! Restarting what was selected.

use std::io::{self, Write};
use std::time::Duration;

use client::ProcessInfo;
use listener_kit::{Identity, Shell, Supervisor, error_text, repr_list};
use protocol::states::ProcessState;

/// How long a core file may take to be written.
const DUMP_LIMIT: Duration = Duration::from_secs(600);

/// What is done, a line at a time: in the log at once, in the mail at the end.
pub(crate) struct Report<'a> {
    body: String,
    log: &'a mut dyn Write,
}

impl<'a> Report<'a> {
    /// A report whose mail starts with `message`, which the log does not show.
    pub(crate) fn new(message: String, log: &'a mut dyn Write) -> Self {
        Self { body: message, log }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.body.push('\n');
        self.body.push_str(text.as_ref());
        writeln!(self.log, "{}", text.as_ref())?;
        self.log.flush()
    }

    /// The body of the mail.
    pub(crate) fn finish(self) -> String {
        self.body
    }
}

/// Something that writes a core file of a running process.
pub(crate) trait Dumper {
    /// Writes one; returns what there is to tell about it.
    fn dump(&mut self, name: &str, pid: i32) -> String;
}

/// Core files by the `gcore` command.
#[derive(Debug, Clone)]
pub(crate) struct Gcore {
    /// The command line; file and pid are appended.
    pub(crate) command: String,
    /// Where the files go, one per process, with its name.
    pub(crate) directory: String,
}

impl Dumper for Gcore {
    fn dump(&mut self, name: &str, pid: i32) -> String {
        let slash = if self.directory.ends_with('/') {
            ""
        } else {
            "/"
        };
        let command = format!("{} \"{}{slash}{name}\" {pid}", self.command, self.directory);
        let shell = Shell {
            command: &command,
            limit: DUMP_LIMIT,
        };
        match shell.capture() {
            Ok(output) => String::from_utf8_lossy(&output).into_owned(),
            Err(error) => error.to_string(),
        }
    }
}

/// The processes a URL stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection<'a> {
    /// Names, as `process` or `group:process`.
    pub(crate) programs: &'a [String],
    /// All of them, whatever the names.
    pub(crate) any: bool,
    /// Who selects: never part of it.
    pub(crate) me: &'a Identity,
}

impl Selection<'_> {
    /// Whether a process belongs to it.
    pub(crate) fn includes(&self, process: &ProcessInfo) -> bool {
        self.names(process) && !self.me.is(&process.group, &process.name)
    }

    /// Restarts the selected processes that are RUNNING, and says about each of the others why not. Returns whether any was
    /// told to restart.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(crate) fn restart<S: Supervisor, D: Dumper>(
        &self,
        processes: &[ProcessInfo],
        supervisor: &mut S,
        mut dumper: Option<&mut D>,
        report: &mut Report<'_>,
    ) -> io::Result<bool> {
        match self.any {
            true => report.line("Restarting all running processes")?,
            false => report.line(format!(
                "Restarting selected processes {}",
                repr_list(self.programs)
            ))?,
        }
        let mut restarted = false;
        for process in processes.iter().filter(|process| self.names(process)) {
            let name = process.namespec();
            if self.me.is(&process.group, &process.name) {
                report.line(format!("{name} is this httpok, NOT restarting"))?;
            } else if process.process_state() == Some(ProcessState::Running) {
                if let Some(dumper) = &mut dumper {
                    let output = dumper.dump(&name, process.pid);
                    report.line(format!("gcore output for {name}:\n\n {output}"))?;
                }
                restart(&name, supervisor, report)?;
                restarted = true;
            } else {
                report.line(format!("{name} not in RUNNING state, NOT restarting"))?;
            }
        }
        let unknown = self.unknown(processes);
        if !unknown.is_empty() {
            let list = repr_list(&unknown);
            report.line(format!(
                "Programs not restarted because they did not exist: {list}"
            ))?;
        }
        Ok(restarted)
    }

    /// Whether the options name a process, be it this one.
    fn names(&self, process: &ProcessInfo) -> bool {
        self.any || self.programs.iter().any(|name| is_called(process, name))
    }

    /// The names no process has.
    fn unknown(&self, processes: &[ProcessInfo]) -> Vec<&str> {
        let missing = |name: &&String| !processes.iter().any(|process| is_called(process, name));
        self.programs
            .iter()
            .filter(missing)
            .map(String::as_str)
            .collect()
    }
}

/// Whether `name` is the process's bare or canonical name, or its full one.
fn is_called(process: &ProcessInfo, name: &str) -> bool {
    match name.split_once(':') {
        _ if name == process.name => true,
        Some((group, bare)) => group == process.group && bare == process.name,
        None => false,
    }
}

fn restart(
    name: &str,
    supervisor: &mut impl Supervisor,
    report: &mut Report<'_>,
) -> io::Result<()> {
    report.line(format!("{name} is in RUNNING state, restarting"))?;
    if let Err(error) = supervisor.stop(name) {
        report.line(format!(
            "Failed to stop process {name}: {}",
            error_text(&error)
        ))?;
    }
    match supervisor.start(name) {
        Ok(()) => report.line(format!("{name} restarted")),
        Err(error) => report.line(format!(
            "Failed to start process {name}: {}",
            error_text(&error)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gcore_gets_file_and_pid() {
        for (directory, want) in [
            ("/cores", "-o /cores/g:p 7\n"),
            ("/cores/", "-o /cores/g:p 7\n"),
            ("a b", "-o a b/g:p 7\n"),
        ] {
            let mut gcore = Gcore {
                command: "echo -o".into(),
                directory: directory.into(),
            };
            assert_eq!(gcore.dump("g:p", 7), want);
        }
    }
}
