//! Asking a program whether it could go on with a state, without becoming it.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use actix::{Actor, ActorContext as _, Context, Handler};
use nix::sys::signal::Signal;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::program::environment;
use super::state::State;
use super::{Program, UpgradeError, VERSION};
use crate::process::children::Children;
use crate::process::messages::Ended;
use crate::sys::fds;
use crate::sys::handover::memory_file;
use crate::sys::signal::kill;
use crate::sys::spawn::{LaunchPlan, spawn};
use crate::sys::wait::{ExitStatus, Reaped};
use crate::terminal::say;

/// The argument that asks for it; the state is the standard input.
pub const RESUME_CHECK: &str = "--resume-check";

/// What a program says that can go on.
const READY: &str = "ready to go on as version ";

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of an answer is of interest, in bytes.
const LONGEST: u64 = 4096;

/// Reads a state from the standard input and says whether this program can go on with it, called with
/// these arguments.
///
/// # Errors
/// Why it cannot.
pub fn examine(args: &[String]) -> Result<(), String> {
    let mut document = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut document);
    read.map_err(|error| format!("the state cannot be read: {error}"))?;
    let (state, _) = State::read(&document).map_err(|error| error.to_string())?;
    config::cli::parse_at(args, state.start_dir).map_err(|error| error.to_string())?;
    let config = &state.supervisor.config;
    crate::http::could_serve(config).map_err(|error| error.to_string())?;
    say(format_args!("{READY}{VERSION}")).map_err(|error| error.to_string())
}

/// Has the program examine a state; its version.
pub(super) async fn ask(
    program: &Program,
    document: &[u8],
    children: &Children,
) -> Result<String, UpgradeError> {
    let state = memory_file(document).map_err(UpgradeError::Resources)?;
    let answer = fds::output_pipe().map_err(|errno| UpgradeError::Resources(errno.into()))?;
    let path = CString::new(program.path.as_os_str().as_bytes()).unwrap_or_default();
    let mut argv = program.argv.clone();
    argv.insert(
        argv.len().min(1),
        CString::new(RESUME_CHECK).unwrap_or_default(),
    );
    let plan = LaunchPlan {
        executable: &path,
        argv: &argv,
        envp: &environment(&[]),
        stdin: state.as_fd(),
        stdout: answer.theirs.as_fd(),
        stderr: answer.theirs.as_fd(),
        identity: None,
        directory: None,
        umask: None,
    };
    let pid = spawn(&plan).map_err(|error| UpgradeError::Resources(error.0.into()))?;
    drop(answer.theirs);
    let (sender, ended) = oneshot::channel();
    let watch = Watch(Some(sender)).start();
    children.adopt(pid, watch.recipient());
    let Ok(Ok(Reaped { status, .. })) = timeout(PATIENCE, ended).await else {
        // It has not been reaped, so the pid is still its own.
        let _ = kill(pid, Signal::SIGKILL as i32);
        return Err(UpgradeError::refused(program, "it does not answer"));
    };
    judge(program, status, &heard(answer.ours.into()))
}

/// What it has said so far.
fn heard(pipe: File) -> String {
    let mut said = Vec::new();
    // A pipe that somebody keeps open refuses to tell of its end, and that is all the same.
    let _ = pipe.take(LONGEST).read_to_end(&mut said);
    String::from_utf8_lossy(&said).trim().to_owned()
}

fn judge(program: &Program, status: ExitStatus, said: &str) -> Result<String, UpgradeError> {
    let version = said.strip_prefix(READY);
    match (status.code(), version) {
        (Some(0), Some(version)) => Ok(version.to_owned()),
        (Some(0), None) => Err(UpgradeError::refused(program, "it is something else")),
        (_, _) if said.is_empty() => Err(UpgradeError::refused(program, &status.to_string())),
        (_, _) => Err(UpgradeError::refused(
            program,
            &format!("{said} ({status})"),
        )),
    }
}

/// Waits for the end of the examination.
struct Watch(Option<oneshot::Sender<Reaped>>);

impl Actor for Watch {
    type Context = Context<Self>;
}

impl Handler<Ended> for Watch {
    type Result = ();

    fn handle(&mut self, Ended(child): Ended, ctx: &mut Context<Self>) {
        if let Some(sender) = self.0.take() {
            // It may have taken too long.
            let _ = sender.send(child);
        }
        ctx.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_is_taken() {
        let program = Program::at("/x".into());
        let judge =
            |status, said: &str| judge(&program, status, said).map_err(|error| error.to_string());
        let ready = format!("{READY}9.1");
        assert_eq!(judge(ExitStatus::exited(0), &ready), Ok("9.1".to_owned()));
        let rows = [
            (
                ExitStatus::exited(0),
                "",
                "/x refuses: it is something else",
            ),
            (
                ExitStatus::exited(2),
                &*ready,
                "/x refuses: ready to go on as version 9.1 (exit status 2)",
            ),
            (
                ExitStatus::killed(Signal::SIGSEGV),
                "",
                "/x refuses: terminated by SIGSEGV",
            ),
            (
                ExitStatus::exited(2),
                "Error: no",
                "/x refuses: Error: no (exit status 2)",
            ),
        ];
        for (status, said, reason) in rows {
            assert_eq!(judge(status, said), Err(reason.to_owned()));
        }
    }
}
