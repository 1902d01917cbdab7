//! `supervisord`: arguments in, exit code out.

use std::io;
use std::process::ExitCode;

use config::cli::{self, Invocation};
use config::model::Environment;
use daemon::rpc::SUPERVISOR_VERSION;
use daemon::terminal::{complain, say};
use daemon::{check, startup};

/// Exit codes of `supervisord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    /// Help, version, a daemon that is up, a clean shutdown.
    Success = 0,
    /// Nobody can read the help.
    Unread = 1,
    /// Usage, configuration and start-up errors.
    Refused = 2,
}

fn main() -> ExitCode {
    ExitCode::from(run() as u8)
}

fn run() -> Exit {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let program = args
        .first()
        .map_or("supervisord", String::as_str)
        .to_owned();
    let result = startup::secure_process()
        .map_err(|error| error.to_string())
        .and_then(|()| cli::parse(&args).map_err(|error| error.to_string()))
        .and_then(obey);
    match result {
        Ok(exit) => exit,
        Err(message) => {
            complain(format_args!("Error: {message}\nFor help, use {program} -h"));
            Exit::Refused
        }
    }
}

fn obey(invocation: Invocation) -> Result<Exit, String> {
    match invocation {
        Invocation::Help(text) => return Ok(shown(say(text.trim_end_matches('\n')))),
        Invocation::Version => return Ok(shown(say(SUPERVISOR_VERSION))),
        Invocation::Run(command_line) => {
            startup::run(command_line, environment()).map_err(|error| error.to_string())?;
        }
        Invocation::Check { cmd, json } => {
            let usable =
                check::run(&cmd, &environment(), json).map_err(|error| error.to_string())?;
            return Ok(if usable { Exit::Success } else { Exit::Refused });
        }
    }
    Ok(Exit::Success)
}

/// Whether what was asked for could be printed.
fn shown(said: io::Result<()>) -> Exit {
    said.map_or(Exit::Unread, |()| Exit::Success)
}

/// The daemon's environment as far as it is text: only that can be expanded.
fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
