//! supervisorctl: commands from the command line or a shell, carried out by a supervisord.

mod commands;
mod complete;
mod console;
mod controller;
mod exit_status;
mod explain;
mod failure;
mod labels;
mod options;
mod password_hash;
mod reactor;
mod remote;
mod results;
mod screen;
mod selection;
mod server;
mod settings;
mod shell;
mod stdin;
mod waiting;

use std::cell::RefCell;
use std::env;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::rc::Rc;

use console::{Console, Editor, Plain};
use controller::{Controller, SharedServer};
use exit_status::ExitStatus;
use failure::Failure;
use nix::sys::signal::{Signal, raise};
use options::Invocation;
use password_hash::HashError;
use reactor::Reactor;
use remote::Remote;
use screen::{Look, Screen};
use settings::Settings;
use stdin::LineReader;

fn main() -> ExitCode {
    let mut args = env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let program = args.next().unwrap_or_else(|| "supervisorctl".to_owned());
    let args: Vec<_> = args.collect();
    let settings = match options::parse(&args) {
        Ok(Invocation::Help) => {
            // There is nowhere to complain if this fails.
            let _ = io::stdout().write_all(options::usage(&program).as_bytes());
            return ExitCode::SUCCESS;
        }
        Ok(Invocation::Run(options)) if options.command.as_deref() == Some(password_hash::VERB) => {
            return hash_password().into();
        }
        Ok(Invocation::Run(options)) => {
            Settings::load(*options, &program).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match settings {
        Ok(settings) => run(settings).into(),
        Err(error) => {
            let stderr = &mut io::stderr();
            let _ = writeln!(stderr, "Error: {error}\nFor help, use {program} -h");
            ExitStatus::BadArguments.into()
        }
    }
}

fn hash_password() -> ExitStatus {
    match password_hash::run() {
        Ok(()) => ExitStatus::Success,
        Err(HashError::Input(Failure::Interrupted)) => interrupted(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitStatus::Failed
        }
    }
}

fn run(settings: Settings) -> ExitStatus {
    for warning in &settings.warnings {
        let _ = writeln!(io::stderr(), "Warning: {warning}");
    }
    match control(settings) {
        Ok(status) => status,
        // Whoever was reading has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitStatus::Failed
        }
        Err(Failure::Interrupted) => interrupted(),
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitStatus::Failed
        }
    }
}

/// Ends as Ctrl-C ends a program, on a new line: the shell is to know.
fn interrupted() -> ExitStatus {
    let _ = writeln!(io::stderr());
    // Comes back if the signal is being watched.
    let _ = raise(Signal::SIGINT);
    ExitStatus::Failed
}

/// Runs the command, or the shell, whose exit status is always that of success.
fn control(settings: Settings) -> Result<ExitStatus, Failure> {
    let reactor = Rc::new(Reactor::new().map_err(Failure::Input)?);
    let input = Rc::new(RefCell::new(LineReader::new()));
    let server: SharedServer = Rc::new(RefCell::new(Remote::new(
        Rc::clone(&reactor),
        Rc::clone(&input),
        settings.server_url,
        settings.credentials,
        settings.ca_file,
    )));
    let out = Box::new(BufWriter::new(io::stdout()));
    let screen = Screen::new(out, Look::detect());
    let plain = || Box::new(Plain::new(Rc::clone(&reactor), Rc::clone(&input)));

    if let Some(command) = settings.command {
        let interactive = settings.interactive;
        let mut controller = Controller::new(server, plain(), screen, interactive);
        controller.execute(&command)?;
        return Ok(controller.status());
    }
    reactor.watch_interrupts()?;
    let console: Box<dyn Console> = if io::stdin().is_terminal() && io::stdout().is_terminal() {
        let server = Rc::clone(&server);
        Box::new(Editor::new(server, settings.history_file)?)
    } else {
        plain()
    };
    let mut controller = Controller::new(server, console, screen, true);
    shell::run(&mut controller, &settings.prompt)?;
    Ok(ExitStatus::Success)
}
