//! supervisord's command line. What overrides an option of the file comes from the option table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use getopt::{Spec, getopt};

use crate::error::CliError;
use crate::table::{Flag, Row, rows};

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Print this text, which ends its last line, and exit.
    Help(String),
    /// Print the version and exit.
    Version,
    /// Tell everything that is wrong with the configuration, and exit. Not an option of Supervisor.
    Check {
        /// What a start would have gone by.
        cmd: CommandLine,
        /// For programs, instead of people.
        json: bool,
    },
    /// Run the daemon.
    Run(CommandLine),
}

/// A command line that runs the daemon; it stays in force for every reread and restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program as it was invoked.
    pub argv0: String,
    /// The working directory at start. Relative paths mean this one for ever, the file of `-c`
    /// included.
    pub start_dir: PathBuf,
    /// The argument of `-c`, as typed.
    pub config_file: Option<String>,
    /// The texts that beat the file's, by option; flags are `true`. Checked once already.
    pub overrides: BTreeMap<&'static str, String>,
}

impl CommandLine {
    /// The absolute path of the file that `-c` names.
    pub fn config_path(&self) -> Option<PathBuf> {
        self.config_file
            .as_ref()
            .map(|file| self.start_dir.join(file))
    }
}

const CHECK: &str = "check";
const JSON: &str = "json";

/// An option of the command line.
struct CliOption {
    short: Option<char>,
    long: &'static str,
    metavar: Option<&'static str>,
    help: &'static str,
    action: Action,
}

#[derive(Clone, Copy)]
enum Action {
    ConfigFile,
    Help,
    Version,
    Check,
    Json,
    Ignore,
    Override(&'static dyn Row),
}

/// Reads a command line; `args[0]` is the program. Relative paths mean the working directory.
///
/// # Errors
/// The first thing wrong with it, in Supervisor's words.
pub fn parse(args: &[String]) -> Result<Invocation, CliError> {
    let start_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    parse_at(args, start_dir)
}

/// The same for a daemon that was started in another directory than it is in now.
///
/// # Errors
/// As [`parse`].
pub fn parse_at(args: &[String], start_dir: PathBuf) -> Result<Invocation, CliError> {
    let home = std::env::var("HOME").ok();
    parse_in(args, start_dir, home.as_deref())
}

fn parse_in(
    args: &[String],
    start_dir: PathBuf,
    home: Option<&str>,
) -> Result<Invocation, CliError> {
    let (argv0, words) = match args.split_first() {
        Some((argv0, words)) => (argv0.as_str(), words),
        None => ("supervisord", args),
    };
    let options = options();
    let parsed = split(words, &options)?;
    if !parsed.rest.is_empty() {
        return Err(CliError::Positional(parsed.rest));
    }
    let mut cmd = CommandLine {
        argv0: argv0.to_owned(),
        start_dir,
        config_file: None,
        overrides: BTreeMap::new(),
    };
    let mut ignored = None;
    let mut check = None;
    let mut json = None;
    for (typed, value) in parsed.options {
        let conflict = match find(&options, &typed) {
            None => false,
            Some(Action::Help) => return Ok(Invocation::Help(usage(argv0, &options))),
            Some(Action::Version) => return Ok(Invocation::Version),
            Some(Action::ConfigFile) => cmd.config_file.replace(value).is_some(),
            Some(Action::Check) => check.replace(()).is_some(),
            Some(Action::Json) => json.replace(()).is_some(),
            Some(Action::Ignore) => ignored.replace(()).is_some(),
            Some(Action::Override(row)) => {
                let value = checked(row, &typed, value, &cmd.start_dir, home)?;
                cmd.overrides.insert(row.about().key, value).is_some()
            }
        };
        if conflict {
            return Err(CliError::Conflict(typed));
        }
    }
    match (check, json) {
        (Some(()), json) => Ok(Invocation::Check {
            cmd,
            json: json.is_some(),
        }),
        (None, Some(())) => Err(CliError::JsonWithoutCheck),
        (None, None) => Ok(Invocation::Run(cmd)),
    }
}

/// The text an override stands for, if it is right.
fn checked(
    row: &dyn Row,
    typed: &str,
    value: String,
    start_dir: &Path,
    home: Option<&str>,
) -> Result<String, CliError> {
    if row.about().flag.is_some_and(|flag| flag.metavar.is_none()) {
        return Ok("true".to_owned());
    }
    match row.check(&value, start_dir, home) {
        Ok(()) => Ok(value),
        Err(reason) => Err(CliError::Value {
            option: typed.to_owned(),
            value,
            reason,
        }),
    }
}

fn options() -> Vec<CliOption> {
    let own = |short, long, metavar, help, action| CliOption {
        short,
        long,
        metavar,
        help,
        action,
    };
    let mut options = vec![
        own(
            Some('c'),
            "configuration",
            Some("FILENAME"),
            "read FILENAME instead of searching for a configuration",
            Action::ConfigFile,
        ),
        own(
            Some('h'),
            "help",
            None,
            "print this text and exit",
            Action::Help,
        ),
        own(
            Some('v'),
            "version",
            None,
            "print the version and exit",
            Action::Version,
        ),
    ];
    options.extend(rows().filter_map(|row| Some(overriding(row, row.about().flag?))));
    options.push(own(
        None,
        "profile_options",
        Some("OPTIONS"),
        "accepted for compatibility, without effect",
        Action::Ignore,
    ));
    options.push(own(
        None,
        CHECK,
        None,
        "print everything that is wrong with the configuration and exit: 0 if it can be used, else 2",
        Action::Check,
    ));
    options.push(own(
        None,
        JSON,
        None,
        "with --check: print a JSON object",
        Action::Json,
    ));
    options
}

fn overriding(row: &'static dyn Row, flag: Flag) -> CliOption {
    CliOption {
        short: flag.short,
        long: row.about().key,
        metavar: flag.metavar,
        help: flag.help,
        action: Action::Override(row),
    }
}

/// Takes the words apart. Options that Supervisor does not have must be spelled out, so that every
/// shortened option means what it means there (`--ch` is `--childlogdir`).
fn split(words: &[String], options: &[CliOption]) -> Result<getopt::Parsed, getopt::Error> {
    let is_asked_for = |option: &CliOption| match option.action {
        Action::Check | Action::Json => {
            let mut words = words.iter();
            words.any(|word| word.strip_prefix("--") == Some(option.long))
        }
        _ => true,
    };
    let mut short = "?".to_owned();
    let mut long = Vec::with_capacity(options.len());
    for option in options.iter().filter(|option| is_asked_for(option)) {
        let colon = if option.metavar.is_some() { ":" } else { "" };
        let equals = if option.metavar.is_some() { "=" } else { "" };
        if let Some(letter) = option.short {
            short.push(letter);
            short.push_str(colon);
        }
        long.push(format!("{}{equals}", option.long));
    }
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let spec = Spec {
        short: &short,
        long: &long,
    };
    getopt(words, spec)
}

fn find(options: &[CliOption], typed: &str) -> Option<Action> {
    if typed == "-?" {
        return Some(Action::Help);
    }
    let found = match typed.strip_prefix("--") {
        Some(long) => options.iter().find(|option| option.long == long),
        None => options
            .iter()
            .find(|option| option.short == typed.chars().nth(1)),
    };
    found.map(|option| option.action)
}

fn usage(argv0: &str, options: &[CliOption]) -> String {
    let mut text = format!(
        "supervisord -- run a set of applications as daemons.\n\nUsage: {argv0} [options]\n\nOptions:\n"
    );
    for option in options {
        if let Some(letter) = option.short {
            let _ = write!(text, "-{letter}/");
        }
        let _ = write!(text, "--{}", option.long);
        if let Some(metavar) = option.metavar {
            let _ = write!(text, " {metavar}");
        }
        let _ = writeln!(text, " -- {}", option.help);
    }
    text
}

#[cfg(test)]
mod tests;
