//! Asking the URL.

use std::io::{self, ErrorKind};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use listener_kit::{RootsError, roots};
use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;

use crate::options::Options;
use crate::reason::{Reason, ReasonConnector};
use crate::search::contains;
use crate::target::Target;

/// How long to wait before a server that refused is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The whole answer may take so many times the time for one step. Superlance has no such bound: a server that drips keeps
/// it waiting for ever.
const PATIENCE: u32 = 6;

/// What Python says of a host that has no address.
const UNKNOWN_HOST: &str = "[Errno -2] Name or service not known";

/// What the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// The server's words for it.
    pub(crate) reason: String,
    /// Whether the text looked for, if any, is in the body.
    pub(crate) has_text: bool,
}

/// Something that asks a URL.
pub(crate) trait Probe {
    /// Asks once.
    ///
    /// # Errors
    /// What went wrong, in words for the mail.
    fn ask(&mut self) -> Result<Answer, String>;
}

/// Asks all at the same time, and returns the answers in their order.
pub(crate) fn ask_all<P: Probe + Send>(probes: &mut [P]) -> Vec<Result<Answer, String>> {
    if let [probe] = probes {
        return vec![probe.ask()];
    }
    thread::scope(|scope| {
        let ask = |probe| thread::Builder::new().spawn_scoped(scope, || P::ask(probe));
        let asking: Vec<_> = probes.iter_mut().map(ask).collect();
        let answer = |thread: io::Result<ScopedJoinHandle<'_, _>>| match thread {
            Ok(thread) => thread
                .join()
                .unwrap_or_else(|_| Err("the check broke off".to_owned())),
            Err(error) => Err(io_text(&error)),
        };
        asking.into_iter().map(answer).collect()
    })
}

/// Asks by HTTP or HTTPS, each time on a new connection.
#[derive(Debug)]
pub(crate) struct HttpProbe {
    agent: Agent,
    reason: Reason,
    target: Target,
    text: String,
    attempts: u64,
    pause: fn(Duration),
}

impl HttpProbe {
    /// A probe of `target` under the rules of `options`.
    ///
    /// # Errors
    /// When certificates are to be verified with a file that cannot be read.
    pub(crate) fn new(target: Target, options: &Options) -> Result<Self, RootsError> {
        let tls = TlsConfig::builder().disable_verification(!options.verify);
        let tls = if options.verify {
            tls.root_certs(roots()?)
        } else {
            tls
        };
        let config = Agent::config_builder()
            .user_agent("httpok")
            .accept(AutoHeaderValue::None)
            .accept_encoding("identity")
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(None)
            .tls_config(tls.build())
            .timeout_connect(Some(options.timeout))
            .timeout_per_read(Some(options.timeout))
            .timeout_per_write(Some(options.timeout))
            .timeout_global(Some(options.timeout * PATIENCE));
        let connector = ReasonConnector::default();
        Ok(Self {
            reason: connector.reason(),
            agent: Agent::with_parts(config.build(), connector, DefaultResolver::default()),
            target,
            text: options.body.clone().unwrap_or_default(),
            attempts: attempts(options.timeout),
            pause: thread::sleep,
        })
    }

    fn ask_once(&self) -> Result<Answer, ureq::Error> {
        let response = self.agent.get(self.target.uri()).call()?;
        let status = response.status().as_u16();
        let mut body = response.into_body().into_reader();
        let has_text = contains(&mut body, self.text.as_bytes()).map_err(in_the_middle)?;
        Ok(Answer {
            status,
            reason: self.reason.take(),
            has_text,
        })
    }
}

impl Probe for HttpProbe {
    fn ask(&mut self) -> Result<Answer, String> {
        let mut attempt = 1;
        loop {
            match self.ask_once() {
                Err(ureq::Error::Io(error))
                    if error.kind() == ErrorKind::ConnectionRefused && attempt < self.attempts =>
                {
                    attempt += 1;
                    (self.pause)(RETRY);
                }
                Err(error) => return Err(text(&error)),
                Ok(answer) => return Ok(answer),
            }
        }
    }
}

/// How often a server that refuses is tried: at least once, and as often as pauses fit into the time.
const fn attempts(timeout: Duration) -> u64 {
    timeout.as_secs().saturating_sub(1) / RETRY.as_secs() + 1
}

/// Tells an answer that breaks off from one that never came.
fn in_the_middle(error: io::Error) -> ureq::Error {
    match ureq::Error::from(error) {
        ureq::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            io::Error::other("the answer breaks off").into()
        }
        other => other,
    }
}

/// An error in the words Python has for it, where it has some.
fn text(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "timed out".to_owned(),
        ureq::Error::HostNotFound => UNKNOWN_HOST.to_owned(),
        ureq::Error::Io(error) => io_text(error),
        other => other.to_string(),
    }
}

fn io_text(error: &io::Error) -> String {
    let text = error.to_string();
    if let Some(number) = error.raw_os_error() {
        let text = text.split(" (os error").next().unwrap_or_default();
        return format!("[Errno {number}] {text}");
    }
    match text.strip_prefix("failed to lookup address information: ") {
        Some("Name or service not known") => UNKNOWN_HOST.to_owned(),
        Some(reason) => reason.to_owned(),
        None if error.kind() == ErrorKind::UnexpectedEof => {
            "Remote end closed connection without response".to_owned()
        }
        None => text,
    }
}

#[cfg(test)]
mod tests;
