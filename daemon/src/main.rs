//! `supervisord`: arguments in, exit code out.

use std::io;
use std::process::ExitCode;

use config::cli::{self, Invocation};
use config::model::Environment;
use daemon::rpc::SUPERVISOR_VERSION;
use daemon::terminal::{complain, say};
use daemon::upgrade::{Past, RESUME_CHECK};
use daemon::{check, startup, upgrade};

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
    if args.get(1).is_some_and(|word| word == RESUME_CHECK) {
        let kept: Vec<_> = [program.clone()]
            .into_iter()
            .chain(args.into_iter().skip(2))
            .collect();
        return report(&program, upgrade::examine(&kept).map(|()| Exit::Success));
    }
    // What comes with it is inherited, so this is the first thing to look at.
    let past = Past::find();
    let goes_on = past.as_ref().is_ok_and(Past::goes_on);
    let secured = startup::secure_process(goes_on).map_err(|error| error.to_string());
    let start_dir = past.as_ref().ok().and_then(Past::start_dir);
    let parse = || match start_dir {
        Some(start_dir) => cli::parse_at(&args, start_dir),
        None => cli::parse(&args),
    };
    let invocation = secured.and_then(|()| parse().map_err(|error| error.to_string()));
    let result = match (invocation, past) {
        (_, Err(reason)) => Err(reason),
        (invocation, Ok(past)) => go(invocation, past),
    };
    report(&program, result)
}

/// Does what is asked for, going on with what was before.
fn go(invocation: Result<Invocation, String>, past: Past) -> Result<Exit, String> {
    let ended = match (invocation, past) {
        (Ok(Invocation::Run(command_line)), Past::Life(past)) => {
            startup::resume(command_line, environment(), *past)
        }
        (Ok(Invocation::Run(command_line)), Past::Anew(anew)) => {
            startup::begin_anew(command_line, environment(), anew)
        }
        (Err(reason), Past::Life(past)) => return Err(past.fall_back(reason)),
        (invocation, _) => return invocation.and_then(obey),
    };
    ended
        .map(|()| Exit::Success)
        .map_err(|error| error.to_string())
}

/// Tells what kept the program from its work.
fn report(program: &str, result: Result<Exit, String>) -> Exit {
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
