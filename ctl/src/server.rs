//! The server as commands see it.

use std::io::Write;

use client::Credentials;
use protocol::xmlrpc::Value;

use crate::failure::Failure;

/// The supervisord that is being controlled.
pub(crate) trait Server {
    /// Its address, as the user wrote it.
    fn url(&self) -> &str;

    /// Turns to the server at another address.
    fn open(&mut self, url: &str);

    /// Uses these credentials from now on.
    fn log_in(&mut self, credentials: Credentials);

    /// Calls a method.
    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Failure>;

    /// Copies a log stream to `out` until it ends.
    fn follow(&mut self, path: &str, out: &mut dyn Write) -> Result<(), Failure>;

    /// Connects the terminal to a process: both its streams to `out`, lines typed to its standard input.
    fn foreground(&mut self, name: &str, out: &mut dyn Write) -> Result<Ending, Failure>;
}

/// How a foreground session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The user left.
    Left,
    /// The process does not run any more.
    ProcessGone,
    /// The server refused the input.
    Refused(String),
}
