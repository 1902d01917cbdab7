//! The client for programs without a runtime of their own.

use std::env;
use std::io;

use protocol::xmlrpc::Value;
use tokio::runtime::{Builder, Runtime};

use crate::{CallError, Credentials, ProcessInfo, ServerUrl, UrlError};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The environment lacks `SUPERVISOR_SERVER_URL`.
    #[error("SUPERVISOR_SERVER_URL is not set")]
    NoServerUrl,
    /// The address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The runtime cannot be set up.
    #[error("no event loop: {0}")]
    Runtime(#[from] io::Error),
}

/// A client whose calls block the thread.
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    client: crate::Client,
}

impl Client {
    /// A client for the server at `url`. It connects at the first call.
    ///
    /// # Errors
    /// When `url` is no address of a server.
    pub fn new(url: &str, credentials: Option<Credentials>) -> Result<Self, SetupError> {
        let url: ServerUrl = url.parse()?;
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            client: crate::Client::new(url, credentials.as_ref()),
        })
    }

    /// A client for the server that started this process: supervisord tells its children its address and credentials.
    ///
    /// # Errors
    /// When `SUPERVISOR_SERVER_URL` is not set or no address.
    pub fn from_env() -> Result<Self, SetupError> {
        let url = env::var("SUPERVISOR_SERVER_URL").map_err(|_| SetupError::NoServerUrl)?;
        let username = env::var("SUPERVISOR_USERNAME");
        let password = env::var("SUPERVISOR_PASSWORD");
        let credentials = match (username, password) {
            (Ok(username), Ok(password)) => Some(Credentials { username, password }),
            _ => None,
        };
        Self::new(&url, credentials)
    }

    /// Calls `method` and waits for its answer; see [`crate::Client::call`].
    ///
    /// # Errors
    /// As [`crate::Client::call`].
    pub fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, CallError> {
        self.runtime.block_on(self.client.call(method, params))
    }

    /// Every process; see [`crate::Client::processes`].
    ///
    /// # Errors
    /// As [`crate::Client::processes`].
    pub fn processes(&mut self) -> Result<Vec<ProcessInfo>, CallError> {
        self.runtime.block_on(self.client.processes())
    }
}
