//! The server as commands see it.

use std::io::Write;
use std::time::Duration;

use client::{Credentials, ProcessInfo};
use protocol::xmlrpc::Value;

use crate::failure::Failure;
use crate::waiting::{Call, Observer};

/// Takes a piece of a log, with its number or the time that has passed.
pub(crate) type OnPiece<'a, Tag> = dyn FnMut(Tag, &[u8]) -> Result<(), Failure> + 'a;

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

    /// Every process, by group and name.
    fn processes(&mut self) -> Result<Vec<ProcessInfo>, Failure> {
        let infos = self.call("supervisor.getAllProcessInfo", &[])?;
        Ok(ProcessInfo::list_from_value(infos)?)
    }

    /// Makes calls that may take long at the same time. `observer` is told the answers in the order of the calls, each
    /// as soon as those before it are there.
    fn call_all(&mut self, calls: &[Call<'_>], observer: &mut dyn Observer) -> Result<(), Failure>;

    /// Copies a log stream to `out` until it ends.
    fn follow(&mut self, path: &str, out: &mut dyn Write) -> Result<(), Failure>;

    /// Reads several log streams until all have ended. `each` gets the pieces as they come, and the number of their log.
    fn follow_all(
        &mut self,
        paths: &[String],
        each: &mut OnPiece<'_, usize>,
    ) -> Result<(), Failure>;

    /// Stays with a server that shuts down until it has gone. `each` gets what the server logs meanwhile, or nothing
    /// after another second, and the time that has passed. Returns at once if there is no log.
    fn stay(&mut self, each: &mut OnPiece<'_, Duration>) -> Result<(), Failure>;

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
