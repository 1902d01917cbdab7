//! The server's own words after the status.
//!
//! They belong into the mail, but ureq drops them: this transport reads along.

use std::sync::{Arc, Mutex, PoisonError};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

/// The reason of the last status line read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reason(Arc<Mutex<String>>);

impl Reason {
    /// Takes the reason, leaving none.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, reason: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

/// Makes ureq's usual connections, and keeps the reasons they carry.
#[derive(Debug, Default)]
pub(crate) struct ReasonConnector {
    inner: DefaultConnector,
    reason: Reason,
}

impl ReasonConnector {
    /// Where the reasons of these connections go.
    pub(crate) fn reason(&self) -> Reason {
        self.reason.clone()
    }
}

impl Connector for ReasonConnector {
    type Out = ReasonTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<ReasonTransport>, Error> {
        let inner = self.inner.connect(details, chained)?;
        Ok(inner.map(|inner| ReasonTransport {
            inner,
            reason: Some(self.reason.clone()),
        }))
    }
}

/// A connection that looks for a final status line in what it receives first.
#[derive(Debug)]
pub(crate) struct ReasonTransport {
    inner: Box<dyn Transport>,
    /// Where to put it; `None`: found.
    reason: Option<Reason>,
}

impl Transport for ReasonTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let more = self.inner.await_input(timeout)?;
        if let Some(found) = self
            .reason
            .as_ref()
            .and_then(|_| final_reason(self.inner.buffers().input()))
            && let Some(reason) = self.reason.take()
        {
            reason.set(found);
        }
        Ok(more)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// The reason of the first status line that is no interim one (1xx), if it is there as a whole.
fn final_reason(input: &[u8]) -> Option<String> {
    let end = input.iter().rposition(|byte| *byte == b'\n')?;
    input[..end]
        .split(|byte| *byte == b'\n')
        .find_map(status_reason)
}

/// HTTP says its words in Latin-1, whose bytes are the first characters of Unicode.
fn status_reason(line: &[u8]) -> Option<String> {
    let line = line.strip_prefix(b"HTTP/1.")?;
    let line: String = line.iter().copied().map(char::from).collect();
    let (_, status) = line.split_once(' ')?;
    let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
    (!code.starts_with('1')).then(|| reason.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_rest_of_the_status_line() {
        let rows: [(&[u8], Option<&str>); 10] = [
            (
                b"HTTP/1.1 503 Gone fishing\r\nA: b\r\n",
                Some("Gone fishing"),
            ),
            (b"HTTP/1.0 200 OK\n", Some("OK")),
            (b"HTTP/1.1 503 Ferm\xe9\r\n", Some("Fermé")),
            (b"HTTP/1.1 200\r\n", Some("")),
            (b"HTTP/1.1 200 \r\n", Some("")),
            (b"HTTP/1.1 200 O", None),
            (b"HTTP/1.1 100 Continue\r\n\r\n", None),
            (
                b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 404 Not here\r\n",
                Some("Not here"),
            ),
            (b"", None),
            (b"garbage\n", None),
        ];
        for (input, want) in rows {
            assert_eq!(
                final_reason(input).as_deref(),
                want,
                "{}",
                input.escape_ascii()
            );
        }
    }
}
