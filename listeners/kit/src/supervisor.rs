//! The way back: what listeners ask of supervisord.

use std::env;
use std::io::Write as _;
use std::process::ExitCode;

use client::blocking::{Client, SetupError};
use client::{CallError, ProcessInfo};

/// The calls listeners make. A trait, so that what they decide can be tested without a server.
pub trait Supervisor {
    /// All processes, in the server's order.
    ///
    /// # Errors
    /// When the call fails.
    fn processes(&mut self) -> Result<Vec<ProcessInfo>, CallError>;

    /// Stops a process and waits until it has stopped.
    ///
    /// # Errors
    /// When the call fails or the server refuses.
    fn stop(&mut self, name: &str) -> Result<(), CallError>;

    /// Starts a process and waits until it runs.
    ///
    /// # Errors
    /// When the call fails or the server refuses.
    fn start(&mut self, name: &str) -> Result<(), CallError>;
}

/// Whether a supervisord with a server for calls has started this process.
pub fn is_supervised() -> bool {
    env::var_os("SUPERVISOR_SERVER_URL").is_some()
}

/// Says on standard error that `tool` must be started by a supervisord.
pub fn complain_unsupervised(tool: &str) {
    // The exit code that follows tells as much.
    let _ = writeln!(
        crate::log(),
        "{tool} must be run as a supervisor event listener"
    );
}

/// A client for the supervisord that started `tool`.
///
/// # Errors
/// The exit code to end with, after a complaint on standard error: `alone` when no supervisord started it, a failure when its
/// address is wrong.
pub fn connect(tool: &str, alone: ExitCode) -> Result<Client, ExitCode> {
    Client::from_env().map_err(|error| match error {
        SetupError::NoServerUrl => {
            complain_unsupervised(tool);
            alone
        }
        other => {
            // As above.
            let _ = writeln!(crate::log(), "{tool}: {other}");
            ExitCode::FAILURE
        }
    })
}

impl Supervisor for Client {
    fn processes(&mut self) -> Result<Vec<ProcessInfo>, CallError> {
        Client::processes(self)
    }

    fn stop(&mut self, name: &str) -> Result<(), CallError> {
        self.call("supervisor.stopProcess", &[name.into()])?;
        Ok(())
    }

    fn start(&mut self, name: &str) -> Result<(), CallError> {
        self.call("supervisor.startProcess", &[name.into()])?;
        Ok(())
    }
}
