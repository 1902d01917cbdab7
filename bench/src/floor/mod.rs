//! What the machine allows: tiny programs that do a supervisor's work without being one.
//!
//! Each runs as a process of its own and prints its figures on one line.

mod copy;
mod echo;
mod events;
mod spawn;

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{About, Error};
use crate::workload::number;

/// Runs the floor that the arguments name.
pub(crate) fn run(arguments: &[String]) -> Result<(), Error> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["spawn", count] => spawn::spawn(number(count)?, None),
        ["spawn", count, logs] => spawn::spawn(number(count)?, Some(Path::new(logs))),
        ["respawn", record, seconds] => spawn::respawn(Path::new(record), number(seconds)?),
        ["copy", dir, writers, total, ref workload @ ..] => {
            copy::volume(Path::new(dir), number(writers)?, number(total)?, workload)
        }
        ["ticks", dir, writers, seconds] => {
            copy::ticks(Path::new(dir), number(writers)?, number(seconds)?)
        }
        ["events", dir, listeners, count] => {
            events::ping_pong(Path::new(dir), number(listeners)?, number(count)?)
        }
        ["relay", dir, rate, count] => events::relay(Path::new(dir), number(rate)?, number(count)?),
        ["echo", socket, bytes] => echo::serve(Path::new(socket), number(bytes)?),
        _ => Err(Error::Usage(format!("no such floor: {words:?}"))),
    }
}

/// Runs a floor as a process of its own and answers its figures.
pub(crate) fn measure(arguments: &[&str]) -> Result<Vec<f64>, Error> {
    let mut command = own("floor", arguments)?;
    figures(command.stderr(Stdio::inherit()))
}

/// Runs a command that prints numbers on one line.
pub(crate) fn figures(command: &mut Command) -> Result<Vec<f64>, Error> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .about("run ourselves")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    match figures {
        Ok(figures) if output.status.success() => Ok(figures),
        _ => Err(Error::Answer(format!(
            "{command:?}: {} {text:?}",
            output.status
        ))),
    }
}

/// This executable with a subcommand.
pub(crate) fn own(subcommand: &str, arguments: &[&str]) -> Result<Command, Error> {
    let mut command = Command::new(std::env::current_exe().about("find ourselves")?);
    command.arg(subcommand).args(arguments);
    Ok(command)
}
