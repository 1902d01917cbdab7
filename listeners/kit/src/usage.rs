//! Exits before the first event.

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use client::blocking::SetupError;

/// The exit code for a command line that makes no sense.
const USAGE_ERROR: u8 = 255;

/// The words after the program's name. What is no UTF-8 in them is replaced.
pub fn arguments() -> Vec<String> {
    let words = env::args_os().skip(1);
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// Why a command line is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It asks how to use the program.
    Help,
    /// It does not fit; the usage text says enough.
    Usage,
    /// It does not fit, for this reason.
    Complaint(String),
}

impl Refusal {
    /// Prints the reason and the usage text on standard output, as Supervisor's listeners do. Returns the exit code: success
    /// if the text was asked for, otherwise 255.
    pub fn exit(&self, usage: &str) -> ExitCode {
        let mut stdout = io::stdout();
        // Nobody reads a usage text that cannot be written.
        let _ = match self {
            Self::Complaint(reason) => writeln!(stdout, "{reason}\n{usage}"),
            Self::Help | Self::Usage => writeln!(stdout, "{usage}"),
        };
        match self {
            Self::Help => ExitCode::SUCCESS,
            Self::Usage | Self::Complaint(_) => ExitCode::from(USAGE_ERROR),
        }
    }
}

impl From<getopt::Error> for Refusal {
    /// Supervisor's listeners show the usage text alone for options they do not know.
    fn from(_: getopt::Error) -> Self {
        Self::Usage
    }
}

/// Says on standard error why `tool` cannot reach a supervisord. Returns `alone` when none has started it.
pub fn misplaced(tool: &str, error: &SetupError, alone: ExitCode) -> ExitCode {
    let mut log = crate::log();
    // The exit code tells as much.
    let _ = match error {
        SetupError::NoServerUrl => {
            writeln!(log, "{tool} must be run as a supervisor event listener")
        }
        other => writeln!(log, "{tool}: {other}"),
    };
    match error {
        SetupError::NoServerUrl => alone,
        _ => ExitCode::FAILURE,
    }
}
