//! Exits before the first event.

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

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

/// The value of an option, unless it is empty, which means the same as leaving the option out.
pub fn given(value: String) -> Option<String> {
    Some(value).filter(|value| !value.is_empty())
}
