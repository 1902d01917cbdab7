//! The command line.

use std::path::PathBuf;

use config::python_repr;
use config::supervisorctl::check_url;
use getopt::{Spec, getopt};

/// What the command line says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// `-c`
    pub(crate) config_file: Option<String>,
    /// `-i`
    pub(crate) interactive: bool,
    /// `-s`
    pub(crate) server_url: Option<String>,
    /// `-u`
    pub(crate) username: Option<String>,
    /// `-p`
    pub(crate) password: Option<String>,
    /// `-r`
    pub(crate) history_file: Option<PathBuf>,
    /// The words after the options, joined: one command.
    pub(crate) command: Option<String>,
}

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// The usage.
    Help,
    /// To work.
    Run(Box<Options>),
}

/// What is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OptionError {
    /// No such option, or no value.
    #[error(transparent)]
    Syntax(#[from] getopt::Error),
    /// An option was given twice.
    #[error("conflicting command line option '{0}'")]
    Conflict(String),
    /// A value does not fit its option.
    #[error("invalid value for {option} {}: {problem}", python_repr(.value))]
    Value {
        /// The option as typed.
        option: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: config::Invalid,
    },
}

const SPEC: Spec<'static> = Spec {
    short: "c:h?is:u:p:r:",
    long: &[
        "configuration=",
        "help",
        "interactive",
        "serverurl=",
        "username=",
        "password=",
        "history_file=",
        "history-file=",
    ],
};

/// The text of `--help`.
pub(crate) fn usage(program: &str) -> String {
    format!(
        "\
supervisorctl -- control applications run by supervisord from the cmd line.

Usage: {program} [options] [action [arguments]]

Options:
-c/--configuration FILENAME -- the configuration file (by default the first that is found)
-h/--help -- print this text and exit
-i/--interactive -- start an interactive shell; with an action, ask before what cannot be undone
-s/--serverurl URL -- where supervisord listens
     (default \"http://localhost:9001\")
-u/--username USERNAME -- user name for the server
-p/--password PASSWORD -- password for the server
-r/--history-file FILENAME -- keep what is typed into the shell in this file

action [arguments] -- see below

An action is a command such as \"tail\" or \"stop\". Without one a shell starts, which
takes one action per line. The action \"help\" lists them all.

"
    )
}

/// Reads the command line, without the program's name.
///
/// # Errors
/// The first thing wrong with it, in Supervisor's words.
pub(crate) fn parse(args: &[String]) -> Result<Invocation, OptionError> {
    let parsed = getopt(args, SPEC)?;
    let mut options = Options::default();
    for (name, value) in parsed.options {
        let slot = match name.as_str() {
            "-h" | "-?" | "--help" => return Ok(Invocation::Help),
            "-i" | "--interactive" => {
                let repeated = std::mem::replace(&mut options.interactive, true);
                refuse_repetition(repeated, name)?;
                continue;
            }
            "-r" | "--history_file" | "--history-file" => {
                let repeated = options.history_file.replace(value.into()).is_some();
                refuse_repetition(repeated, name)?;
                continue;
            }
            "-s" | "--serverurl" => {
                if let Err(problem) = check_url(&value) {
                    return Err(OptionError::Value {
                        option: name,
                        value,
                        problem,
                    });
                }
                &mut options.server_url
            }
            "-u" | "--username" => &mut options.username,
            "-p" | "--password" => &mut options.password,
            _ => &mut options.config_file,
        };
        refuse_repetition(slot.replace(value).is_some(), name)?;
    }
    if !parsed.rest.is_empty() {
        options.command = Some(parsed.rest.join(" "));
    }
    Ok(Invocation::Run(Box::new(options)))
}

fn refuse_repetition(repeated: bool, name: String) -> Result<(), OptionError> {
    if repeated {
        return Err(OptionError::Conflict(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Invocation, String> {
        let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        parse(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_up_to_the_first_word() {
        let line = "-c f -i -s unix:///s --user=u -pw -r h tail -f x";
        let expected = Options {
            config_file: Some("f".into()),
            interactive: true,
            server_url: Some("unix:///s".into()),
            username: Some("u".into()),
            password: Some("w".into()),
            history_file: Some("h".into()),
            command: Some("tail -f x".into()),
        };
        assert_eq!(read(line), Ok(Invocation::Run(Box::new(expected))));
        assert_eq!(read(""), Ok(Invocation::Run(Box::default())));
        for line in ["-h", "-?", "--help", "-i -h -s foo"] {
            assert_eq!(read(line), Ok(Invocation::Help), "{line}");
        }
    }

    #[test]
    fn wrong_lines_are_explained() {
        let rows = [
            ("-z", "option -z not recognized"),
            ("-u", "option -u requires argument"),
            (
                "-s http://a -s http://b",
                "conflicting command line option '-s'",
            ),
            ("-i -i", "conflicting command line option '-i'"),
            (
                "-s foo",
                "invalid value for -s 'foo': value 'foo' is not a URL",
            ),
        ];
        for (line, message) in rows {
            assert_eq!(read(line), Err(message.to_owned()), "{line}");
        }
    }
}
