//! The commands, one file per verb, and the table of them.

mod act;
mod add;
mod avail;
mod clear;
mod exit;
mod fg;
mod hash_password;
mod help;
mod maintail;
mod matched;
mod open;
mod pid;
mod pools;
mod reload;
mod remove;
mod reread;
mod restart;
mod serialrestart;
mod shutdown;
mod signal;
mod start;
mod status;
mod stop;
mod tail;
mod update;
mod upgrade;
mod version;

use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::password_hash::VERB;

/// What the shell offers to complete a command's arguments with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completes {
    /// Nothing.
    Nothing,
    /// Names of commands.
    Commands,
    /// Names of groups.
    Groups,
    /// Names of processes.
    Processes,
}

/// A command.
pub(crate) struct Command {
    /// The word that calls it.
    pub(crate) name: &'static str,
    /// Its forms, each with an explanation, as `help` prints them.
    pub(crate) help: &'static str,
    /// What its arguments are.
    pub(crate) completes: Completes,
    run: fn(&mut Controller, &str) -> Result<Flow, Failure>,
}

/// Supervisor's commands, by name.
pub(crate) const DEFAULT: [&Command; 22] = [
    &add::COMMAND,
    &avail::COMMAND,
    &clear::COMMAND,
    &exit::EXIT,
    &fg::COMMAND,
    &help::COMMAND,
    &maintail::COMMAND,
    &open::COMMAND,
    &pid::COMMAND,
    &exit::QUIT,
    &reload::COMMAND,
    &remove::COMMAND,
    &reread::COMMAND,
    &restart::COMMAND,
    &shutdown::COMMAND,
    &signal::COMMAND,
    &start::COMMAND,
    &status::COMMAND,
    &stop::COMMAND,
    &tail::COMMAND,
    &update::COMMAND,
    &version::COMMAND,
];

/// Commands Supervisor has by plug-ins or not at all, by name.
pub(crate) const FURTHER: [&Command; 7] = [
    &hash_password::COMMAND,
    &matched::MRESTART,
    &matched::MSTART,
    &matched::MSTOP,
    &pools::COMMAND,
    &serialrestart::COMMAND,
    &upgrade::COMMAND,
];

/// What may be typed instead of Ctrl-D.
const END_OF_INPUT: &str = "EOF";

/// Every command.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    DEFAULT.into_iter().chain(FURTHER)
}

/// Finds a command.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    all().find(|command| command.name == name)
}

/// Runs the command a line names. A blank line is none.
pub(crate) fn dispatch(ctl: &mut Controller, line: &str) -> Result<Flow, Failure> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Flow::Continue);
    }
    let (word, args) = split(line);
    if word == END_OF_INPUT {
        return exit::leave(ctl);
    }
    match find(word) {
        Some(command) => (command.run)(ctl, args),
        None => {
            let line = format!("*** Unknown syntax: {line}");
            ctl.complain(line, ExitStatus::Failed)?;
            Ok(Flow::Continue)
        }
    }
}

/// The command word and its arguments. The word is the leading run of ASCII letters, digits and `_`, as in
/// Supervisor; one command of ours has a hyphen.
fn split(line: &str) -> (&str, &str) {
    if let Some(topic) = line.strip_prefix('?') {
        return ("help", topic.trim());
    }
    if let Some(args) = line.strip_prefix(VERB)
        && (args.is_empty() || args.starts_with(char::is_whitespace))
    {
        return (VERB, args.trim());
    }
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let end = line.find(|character| !is_word(character));
    let (word, args) = line.split_at(end.unwrap_or(line.len()));
    (word, args.trim())
}

/// Prints what is wrong with the arguments, and the command's help.
fn usage_error(
    ctl: &mut Controller,
    command: &Command,
    problem: &str,
    status: ExitStatus,
) -> Result<Flow, Failure> {
    ctl.complain(format_args!("Error: {problem}"), status)?;
    ctl.print(command.help)?;
    Ok(Flow::Continue)
}

/// The names a command was given, once the server is known to be the right one. `None`: the user has
/// been told what is wrong, with `missing` as the exit status if it was that there are no names.
fn process_names<'a>(
    ctl: &mut Controller,
    command: &Command,
    args: &'a str,
    missing: ExitStatus,
) -> Result<Option<Vec<&'a str>>, Failure> {
    if !ctl.check_server()? {
        return Ok(None);
    }
    let names: Vec<_> = args.split_whitespace().collect();
    if names.is_empty() {
        let problem = format!("{} requires a process name", command.name);
        usage_error(ctl, command, &problem, missing)?;
        return Ok(None);
    }
    Ok(Some(names))
}

/// Whether a command that takes no arguments got none; complains otherwise.
fn takes_no_arguments(
    ctl: &mut Controller,
    command: &Command,
    args: &str,
) -> Result<bool, Failure> {
    if args.is_empty() {
        return Ok(true);
    }
    let problem = format!("{} accepts no arguments", command.name);
    usage_error(ctl, command, &problem, ExitStatus::Failed)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_documented() {
        assert!(DEFAULT.is_sorted_by_key(|command| command.name));
        assert!(FURTHER.is_sorted_by_key(|command| command.name));
        for command in all() {
            assert!(command.help.starts_with(command.name), "{}", command.name);
            for line in command.help.lines() {
                assert!(
                    line.contains('\t')
                        || line.starts_with("Ex:")
                        || line.starts_with("Note:")
                        || line.starts_with("tail [-f]"),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn lines_split_at_the_command_word() {
        let rows = [
            ("status", ("status", "")),
            ("start  a b ", ("start", "a b")),
            ("status;x", ("status", ";x")),
            ("?start", ("help", "start")),
            ("?", ("help", "")),
            ("hash-password", ("hash-password", "")),
            ("hash-passwords", ("hash", "-passwords")),
            ("start-x", ("start", "-x")),
            ("!ls", ("", "!ls")),
            ("héllo", ("h", "éllo")),
        ];
        for (line, expected) in rows {
            assert_eq!(split(line), expected, "{line}");
        }
    }
}
