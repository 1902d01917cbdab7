//! `supervisord --check`: prints what is wrong with a configuration.

use std::io::{self, Write};

use config::cli::CommandLine;
use config::model::Environment;

use crate::http::Judge;

/// Checks the configuration that a start with `cmd` would use and prints the report on standard
/// output, as JSON if so asked. Returns whether the configuration can be used.
///
/// # Errors
/// The report cannot be written.
pub fn run(cmd: &CommandLine, environment: &Environment, json: bool) -> io::Result<bool> {
    let report = config::check_to_serve(cmd, environment, &Judge::Examiner);
    let text = match json {
        true => report.to_json()? + "\n",
        false => report.to_string(),
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(report.is_usable())
}
