//! The way back: what listeners ask of supervisord.

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

/// A client for the supervisord that started this process.
///
/// # Errors
/// When the environment names no server.
pub fn connect() -> Result<Client, SetupError> {
    Client::from_env()
}

impl Supervisor for Client {
    fn processes(&mut self) -> Result<Vec<ProcessInfo>, CallError> {
        ProcessInfo::list_from_value(self.call("supervisor.getAllProcessInfo", &[])?)
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
