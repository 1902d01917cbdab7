//! `pidproxy`: runs a command and passes signals on to the process whose id is in a pidfile.
//!
//! For programs that put themselves into the background: their starter stays, in the form of
//! `pidproxy`, and signals still reach the right process.
//!
//! Supervisor's looks every five seconds whether the command has ended, and exits with 0 then. This
//! one notices at once and exits as the command did.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};

use daemon::terminal::{complain, say};
use futures_util::stream::{self, Stream, StreamExt};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

/// The command could not be started: what a shell exits with.
const NOT_STARTED: u8 = 127;

/// Signals that are passed on.
const FORWARDED: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGQUIT,
];

/// A signal that did not get through.
#[derive(Debug, Error)]
enum ForwardError {
    #[error("Can't read child pidfile {}!", .0.display())]
    Pidfile(PathBuf),
    #[error("Can't send {signal} to process {pid}: {}", errno.desc())]
    Kill {
        signal: Signal,
        pid: Pid,
        errno: Errno,
    },
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let [_, pidfile, command, arguments @ ..] = args.as_slice() else {
        usage(args.first());
        return ExitCode::FAILURE;
    };
    match run(Path::new(pidfile), command, arguments) {
        Ok(code) => code,
        Err(error) => {
            complain(format_args!("pidproxy: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn usage(program: Option<&OsString>) {
    let program = program.map_or("pidproxy".into(), |program| program.to_string_lossy());
    // The exit code is the same whether it can be read or not.
    let _ = say(format_args!(
        "pidproxy -- pass signals on to the process in a pidfile.\n\n\
         Runs a command until it ends. Signals that arrive meanwhile are sent to the process whose id\n\
         is then in the pidfile.\n\n\
         Usage: {program} <pidfile name> <command> [<cmdarg1> ...]"
    ));
}

/// Waits for signals from before the command starts, so that none is lost.
fn run(pidfile: &Path, command: &OsString, arguments: &[OsString]) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let arrivals = arrivals()?;
        match start(command, arguments) {
            Ok(child) => attend(child, pidfile, arrivals).await,
            Err(error) => {
                let command = command.display();
                complain(format_args!("pidproxy: {command}: {error}"));
                Ok(ExitCode::from(NOT_STARTED))
            }
        }
    })
}

/// Every signal of interest, as it arrives.
fn arrivals() -> io::Result<impl Stream<Item = Signal> + Unpin> {
    let mut streams = Vec::with_capacity(FORWARDED.len() + 1);
    for kind in FORWARDED.into_iter().chain([Signal::SIGCHLD]) {
        let mut signals = signal(SignalKind::from_raw(kind as i32))?;
        streams.push(stream::poll_fn(move |context| {
            let arrival = signals.poll_recv(context);
            arrival.map(|arrived| arrived.map(|()| kind))
        }));
    }
    Ok(stream::select_all(streams))
}

/// Starts the command; it is a path, seen from the working directory, and not looked up in `PATH`.
fn start(command: &OsString, arguments: &[OsString]) -> io::Result<Child> {
    Command::new(std::path::absolute(command)?)
        .arg0(command)
        .args(arguments)
        .spawn()
}

/// Passes signals on until the command has ended or the process has been told to end.
async fn attend(
    mut child: Child,
    pidfile: &Path,
    mut arrivals: impl Stream<Item = Signal> + Unpin,
) -> io::Result<ExitCode> {
    while let Some(signal) = arrivals.next().await {
        if signal == Signal::SIGCHLD {
            if let Some(status) = child.try_wait()? {
                return Ok(exit_code(status));
            }
            continue;
        }
        match pass_on(signal, pidfile) {
            Ok(()) if ends(signal) => return Ok(ExitCode::SUCCESS),
            Ok(()) => {}
            // Standard output is where pidproxy complains; that nobody listens is no reason to end.
            Err(error) => drop(say(error)),
        }
    }
    Ok(exit_code(child.wait()?))
}

/// A signal after which nobody expects the process, or pidproxy, to go on.
fn ends(signal: Signal) -> bool {
    matches!(signal, Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT)
}

fn pass_on(signal: Signal, pidfile: &Path) -> Result<(), ForwardError> {
    let pid = read_pid(pidfile).ok_or_else(|| ForwardError::Pidfile(pidfile.to_owned()))?;
    kill(pid, signal).map_err(|errno| ForwardError::Kill { signal, pid, errno })
}

/// The process in the pidfile as it is now. What would mean a whole group of processes, perhaps our
/// own, is no process id.
fn read_pid(pidfile: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(pidfile).ok()?;
    let pid = text.trim().parse().ok().filter(|&pid| pid > 0)?;
    Some(Pid::from_raw(pid))
}

/// The command's own exit code, or 128 and the number of the signal that killed it, as in a shell.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    match code.and_then(|code| u8::try_from(code).ok()) {
        Some(code) => ExitCode::from(code),
        None => ExitCode::FAILURE,
    }
}
