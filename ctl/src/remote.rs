//! The server over the wire.

use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use client::{CallError, Client, Credentials, ProcessInfo, UrlError};
use protocol::faults::FaultCode;
use protocol::states::ProcessState;
use protocol::xmlrpc::Value;

use crate::failure::Failure;
use crate::reactor::Reactor;
use crate::server::{Ending, OnPiece, Server};
use crate::stdin::LineReader;
use crate::waiting::{Call, Observer};

mod calls;
mod logs;

use logs::{next, next_piece, open_log, write};

/// A server reached through a [`Client`].
pub(crate) struct Remote {
    reactor: Rc<Reactor>,
    input: Rc<RefCell<LineReader>>,
    url: String,
    credentials: Option<Credentials>,
    /// Whose word on certificates to take.
    ca_file: Option<PathBuf>,
    client: Result<Client, UrlError>,
}

impl Remote {
    /// The server at `url`, which is looked at when there is something to ask.
    pub(crate) fn new(
        reactor: Rc<Reactor>,
        input: Rc<RefCell<LineReader>>,
        url: String,
        credentials: Option<Credentials>,
        ca_file: Option<PathBuf>,
    ) -> Self {
        let client = connect(&url, credentials.as_ref(), ca_file.as_ref());
        Self {
            reactor,
            input,
            url,
            credentials,
            ca_file,
            client,
        }
    }
}

impl Server for Remote {
    fn url(&self) -> &str {
        &self.url
    }

    fn open(&mut self, url: &str) {
        self.client = connect(url, self.credentials.as_ref(), self.ca_file.as_ref());
        url.clone_into(&mut self.url);
    }

    fn log_in(&mut self, credentials: Credentials) {
        self.client = connect(&self.url, Some(&credentials), self.ca_file.as_ref());
        self.credentials = Some(credentials);
    }

    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Failure> {
        let client = usable(&mut self.client)?;
        self.reactor
            .run(async { Ok(client.call(method, params).await?) })
    }

    fn processes(&mut self) -> Result<Vec<ProcessInfo>, Failure> {
        let client = usable(&mut self.client)?;
        self.reactor.run(async { Ok(client.processes().await?) })
    }

    fn call_all(&mut self, calls: &[Call<'_>], observer: &mut dyn Observer) -> Result<(), Failure> {
        let client = usable(&mut self.client)?;
        self.reactor.run(calls::make(client, calls, observer))
    }

    fn follow(&mut self, path: &str, out: &mut dyn Write) -> Result<(), Failure> {
        self.reactor.watch_interrupts()?;
        let client = usable(&mut self.client)?;
        self.reactor.run(async {
            let Some(mut log) = open_log(client, &self.url, path).await? else {
                return Ok(());
            };
            while let Some(piece) = next_piece(&mut log).await {
                write(out, &piece)?;
            }
            Ok(())
        })
    }

    fn follow_all(
        &mut self,
        paths: &[String],
        each: &mut OnPiece<'_, usize>,
    ) -> Result<(), Failure> {
        self.reactor.watch_interrupts()?;
        let client = usable(&mut self.client)?;
        self.reactor
            .run(logs::follow_all(client, &self.url, paths, each))
    }

    fn stay(&mut self, each: &mut OnPiece<'_, Duration>) -> Result<(), Failure> {
        let client = usable(&mut self.client)?;
        self.reactor.run(logs::stay(client, each))
    }

    fn foreground(&mut self, name: &str, out: &mut dyn Write) -> Result<Ending, Failure> {
        self.reactor.watch_interrupts()?;
        let client = usable(&mut self.client)?;
        let mut input = self.input.borrow_mut();
        let input = &mut *input;
        self.reactor.run(async {
            let stdout = format!("/logtail/{name}/stdout");
            let stderr = format!("/logtail/{name}/stderr");
            let mut stdout = open_log(client, &self.url, &stdout).await?;
            let mut stderr = open_log(client, &self.url, &stderr).await?;
            loop {
                let line = tokio::select! {
                    chunk = next(&mut stdout) => { write(out, &chunk)?; continue; }
                    chunk = next(&mut stderr) => { write(out, &chunk)?; continue; }
                    line = input.next_line() => line.map_err(Failure::Input)?,
                };
                let Some(mut line) = line else {
                    return Ok(Ending::Left);
                };
                line.push('\n');
                if let Some(ending) = send(client, name, line).await? {
                    return Ok(ending);
                }
            }
        })
    }
}

fn connect(
    url: &str,
    credentials: Option<&Credentials>,
    ca_file: Option<&PathBuf>,
) -> Result<Client, UrlError> {
    Ok(Client::new(url.parse()?, credentials).trusting(ca_file.cloned()))
}

fn usable(client: &mut Result<Client, UrlError>) -> Result<&mut Client, Failure> {
    client.as_mut().map_err(|error| error.clone().into())
}

/// Sends a line to a process and looks how it is. `None`: it still runs.
async fn send(client: &mut Client, name: &str, line: String) -> Result<Option<Ending>, Failure> {
    let params = [Value::from(name), line.into()];
    match client.call("supervisor.sendProcessStdin", &params).await {
        Err(error) if error.fault() == Some(FaultCode::NotRunning) => {
            return Ok(Some(Ending::ProcessGone));
        }
        Err(CallError::Fault(fault)) => return Ok(Some(Ending::Refused(fault.text))),
        answer => answer?,
    };
    let info = client
        .call("supervisor.getProcessInfo", &params[..1])
        .await?;
    let info = ProcessInfo::from_value(info)?;
    let runs = info.process_state() == Some(ProcessState::Running);
    Ok((!runs).then_some(Ending::ProcessGone))
}
