//! Words for the terminal of who started us, before there is a log.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Prints a line on standard output.
///
/// # Errors
/// Nobody can read it: the disk is full, or the reader has gone.
pub fn say(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a line on standard error. Who does not want to read it learns from the exit code.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
