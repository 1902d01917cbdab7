//! The server over the wire.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use bytes::Bytes;
use client::{ByteStream, CallError, Client, Credentials, ProcessInfo, UrlError};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use protocol::faults::FaultCode;
use protocol::states::ProcessState;
use protocol::xmlrpc::Value;

use crate::failure::Failure;
use crate::reactor::Reactor;
use crate::server::{Ending, Server};
use crate::stdin::LineReader;

/// What a path must not hold as it is. Names may hold anything but white space.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A server reached through a [`Client`].
pub(crate) struct Remote {
    reactor: Rc<Reactor>,
    input: Rc<RefCell<LineReader>>,
    url: String,
    credentials: Option<Credentials>,
    client: Result<Client, UrlError>,
}

impl Remote {
    /// The server at `url`, which is looked at when there is something to ask.
    pub(crate) fn new(
        reactor: Rc<Reactor>,
        input: Rc<RefCell<LineReader>>,
        url: String,
        credentials: Option<Credentials>,
    ) -> Self {
        let client = connect(&url, credentials.as_ref());
        Self {
            reactor,
            input,
            url,
            credentials,
            client,
        }
    }
}

impl Server for Remote {
    fn url(&self) -> &str {
        &self.url
    }

    fn open(&mut self, url: &str) {
        self.client = connect(url, self.credentials.as_ref());
        url.clone_into(&mut self.url);
    }

    fn log_in(&mut self, credentials: Credentials) {
        self.client = connect(&self.url, Some(&credentials));
        self.credentials = Some(credentials);
    }

    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Failure> {
        let client = usable(&mut self.client)?;
        self.reactor
            .run(async { Ok(client.call(method, params).await?) })
    }

    fn follow(&mut self, path: &str, out: &mut dyn Write) -> Result<(), Failure> {
        self.reactor.watch_interrupts()?;
        let client = usable(&mut self.client)?;
        self.reactor.run(async {
            let Some(mut log) = open_log(client, &self.url, path).await? else {
                return Ok(());
            };
            while let Some(chunk) = log.next().await {
                write(out, &chunk?)?;
            }
            Ok(())
        })
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
                    chunk = next(&mut stdout) => { write(out, &chunk?)?; continue; }
                    chunk = next(&mut stderr) => { write(out, &chunk?)?; continue; }
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

fn connect(url: &str, credentials: Option<&Credentials>) -> Result<Client, UrlError> {
    Ok(Client::new(url.parse()?, credentials))
}

fn usable(client: &mut Result<Client, UrlError>) -> Result<&mut Client, Failure> {
    client.as_mut().map_err(|error| error.clone().into())
}

/// Opens a log stream. That there is none is told on stderr, and no failure.
async fn open_log(client: &Client, url: &str, path: &str) -> Result<Option<ByteStream>, Failure> {
    let encoded = utf8_percent_encode(path, PATH).to_string();
    let status = match client.stream(&encoded).await {
        Ok(stream) => return Ok(Some(stream)),
        Err(CallError::Http(status)) => status,
        Err(CallError::Unauthorized) => 401,
        Err(error) => return Err(error.into()),
    };
    // There is nowhere to complain if stderr is gone.
    let _ = writeln!(
        io::stderr(),
        "{url}{path} Cannot read, status code {status}"
    );
    Ok(None)
}

/// The next piece of a log; waits for ever when it has ended, so that another can go on.
async fn next(log: &mut Option<ByteStream>) -> Result<Bytes, Failure> {
    if let Some(stream) = log {
        if let Some(chunk) = stream.next().await {
            return Ok(chunk?);
        }
        *log = None;
    }
    std::future::pending().await
}

fn write(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Failure> {
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
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
