//! `status`

mod json;

use std::fmt::Write as _;
use std::io::{self, Write as _};

use client::ProcessInfo;
use protocol::namespec::Namespec;
use protocol::states::ProcessState;

use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::selection::meant;

pub(super) const COMMAND: Command = Command {
    name: "status",
    help: "status <name>\t\tShow the state of one process\n\
           status <gname>:*\tShow the state of every process of a group\n\
           status <name> <name>\tShow the state of several processes\n\
           status\t\t\tShow the state of everything\n\
           status --json [...]\tThe same as JSON\n\
           status --ignore-stopped [...]\tSTOPPED is no problem for the exit status",
    completes: Completes::Processes,
    run,
};

/// Narrowest column of names.
const MIN_NAME_WIDTH: usize = 30;

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    show(ctl, args)?;
    Ok(Flow::Continue)
}

/// Shows the state of what is named.
pub(super) fn show(ctl: &mut Controller, args: &str) -> Result<(), Failure> {
    if !ctl.check_server()? {
        ctl.set_status(ExitStatus::Unknown);
        return Ok(());
    }
    let processes = ctl.processes()?;
    let request = Request::parse(args);
    let (listed, unknown) = select(&processes, &request.names);
    if !unknown.is_empty() {
        ctl.set_status(ExitStatus::Unknown);
    }
    if request.json {
        // Whoever reads standard output expects JSON there and nothing else.
        unknown.iter().for_each(|line| warn(line));
        ctl.print(json::array(&listed))?;
    } else {
        for line in unknown
            .into_iter()
            .chain(table(&listed, |state| ctl.colour(state)))
        {
            ctl.print(line)?;
        }
    }
    if listed.iter().any(|info| request.is_problem(info)) {
        ctl.set_status(ExitStatus::NotAllRunning);
    }
    Ok(())
}

fn warn(line: &str) {
    // There is nowhere to complain if stderr is gone.
    let _ = writeln!(io::stderr(), "{line}");
}

/// What was asked for.
#[derive(Debug, Default)]
struct Request<'a> {
    names: Vec<&'a str>,
    /// For a program to read.
    json: bool,
    /// Somebody stopped what is STOPPED, or never started it: he knows.
    ignore_stopped: bool,
}

impl<'a> Request<'a> {
    fn parse(args: &'a str) -> Self {
        let mut request = Self::default();
        for word in args.split_whitespace() {
            match word {
                "--json" => request.json = true,
                "--ignore-stopped" => request.ignore_stopped = true,
                name => request.names.push(name),
            }
        }
        request
    }

    /// Whether the state of a process makes the exit status one of a problem.
    fn is_problem(&self, info: &ProcessInfo) -> bool {
        match info.process_state() {
            Some(ProcessState::Stopped) => !self.ignore_stopped,
            Some(state) => state.is_stopped(),
            None => false,
        }
    }
}

/// The named processes in the order of the names, and complaints about names that match none.
fn select<'a>(processes: &'a [ProcessInfo], names: &[&str]) -> (Vec<&'a ProcessInfo>, Vec<String>) {
    if names.is_empty() || names.contains(&"all") {
        return (processes.iter().collect(), Vec::new());
    }
    let mut listed = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        let spec = Namespec::parse(name);
        let before = listed.len();
        listed.extend(meant(processes, name));
        if listed.len() == before {
            unknown.push(match spec.process {
                None => format!("{}: ERROR (no such group)", spec.group),
                Some(_) => format!("{name}: ERROR (no such process)"),
            });
        }
    }
    (listed, unknown)
}

/// Ends a colour.
const NO_COLOUR: &str = "\x1b[0m";

/// A line per process: name, state, description. The width counts characters, not bytes. `colour` gives the escape
/// sequence for a state, or nothing.
fn table(
    processes: &[&ProcessInfo],
    colour: impl Fn(Option<ProcessState>) -> &'static str,
) -> Vec<String> {
    let names: Vec<_> = processes.iter().map(|info| info.namespec()).collect();
    let longest = names.iter().map(|name| name.chars().count()).max();
    let width = longest.unwrap_or(0).max(MIN_NAME_WIDTH) + 3;
    let row = |(name, info): (&String, &&ProcessInfo)| {
        let mut line = String::with_capacity(width + 10 + info.description.len());
        let (state, description) = (&info.statename, &info.description);
        // Writing to a string cannot fail.
        let _ = match colour(info.process_state()) {
            "" => write!(line, "{name:width$}{state:10}{description}"),
            // Padding may not count the escape sequences, nor be coloured.
            colour => {
                let padding = 10_usize.saturating_sub(state.len());
                write!(
                    line,
                    "{name:width$}{colour}{state}{NO_COLOUR}{:padding$}{description}",
                    ""
                )
            }
        };
        line
    };
    names.iter().zip(processes).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(group: &str, name: &str, description: &str) -> ProcessInfo {
        ProcessInfo {
            name: name.into(),
            group: group.into(),
            state: 20,
            statename: "RUNNING".into(),
            description: description.into(),
            ..ProcessInfo::default()
        }
    }

    #[test]
    fn columns_line_up() {
        let cat = info("cat", "cat", "pid 4003, uptime 0:00:01");
        let expected = "cat                              RUNNING   pid 4003, uptime 0:00:01";
        assert_eq!(table(&[&cat], |_| ""), [expected]);

        let wide = info("gruppe", &"ü".repeat(30), "");
        let lines = table(&[&cat, &wide], |_| "");
        assert_eq!(lines[0].find("RUNNING"), Some(6 + 1 + 30 + 3));
        assert_eq!(lines[1], format!("gruppe:{}   RUNNING   ", "ü".repeat(30)));
    }

    #[test]
    fn colours_do_not_move_columns() {
        let cat = info("cat", "cat", "pid 1");
        let lines = table(&[&cat], |_| "<");
        let expected = "cat                              <RUNNING\x1b[0m   pid 1";
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn options_may_stand_anywhere() {
        let request = Request::parse("a --json --ignore-stopped --b");
        assert!(request.json && request.ignore_stopped);
        assert_eq!(request.names, ["a", "--b"]);
    }

    #[test]
    fn stopped_processes_are_a_problem_unless_ignored() {
        let rows = [
            (0, true, false),
            (20, false, false),
            (100, true, true),
            (200, true, true),
        ];
        for (state, usually, ignoring) in rows {
            let info = ProcessInfo {
                state,
                ..info("a", "a", "")
            };
            assert_eq!(Request::parse("").is_problem(&info), usually, "{state}");
            let request = Request::parse("--ignore-stopped");
            assert_eq!(request.is_problem(&info), ignoring, "{state}");
        }
    }

    #[test]
    fn names_select_in_their_order() {
        let all = [info("a", "a", ""), info("g", "x", ""), info("g", "y", "")];
        let rows: [(&[&str], &str, &str); 10] = [
            (&[], "a g:x g:y", ""),
            (&["nope", "all"], "a g:x g:y", ""),
            (&["g:y", "a"], "g:y a", ""),
            (&["a", "a"], "a a", ""),
            (&["g:*"], "g:x g:y", ""),
            (&["g:"], "g:x g:y", ""),
            (&["x", "a"], "a", "x: ERROR (no such process)"),
            (&["n:*"], "", "n: ERROR (no such group)"),
            (&["g:[yz]", "?"], "g:y a", ""),
            (&["b*"], "", "b*: ERROR (no such process)"),
        ];
        for (names, expected, complaints) in rows {
            let (listed, unknown) = select(&all, names);
            let listed: Vec<_> = listed.iter().map(|info| info.namespec()).collect();
            assert_eq!(listed.join(" "), expected);
            assert_eq!(unknown.join("\n"), complaints);
        }
    }
}
