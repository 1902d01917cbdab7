//! A daemon within a test.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use protocol::listener::{
    EventHeader, FAIL, ListenerDecoder, ListenerInput, ListenerState, OK, payload_len,
};

use crate::{Event, Listener, Outcome};

/// How long a listener may take for an answer before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays supervisord for a listener in a thread of the same process.
///
/// ```
/// use listener_kit::Outcome;
/// use listener_kit::testing::{Daemon, DaemonError};
///
/// let mut daemon = Daemon::driving(|event| match event.fields().get("processname") {
///     Some("web") => Outcome::Done,
///     _ => Outcome::Again,
/// })?;
/// let payload = "processname:web groupname:web from_state:BACKOFF";
/// assert_eq!(daemon.send("PROCESS_STATE_FATAL", payload)?, Outcome::Done);
/// assert_eq!(daemon.send("TICK_5", "when:5")?, Outcome::Again);
/// daemon.finish()?;
/// # Ok::<(), DaemonError>(())
/// ```
#[derive(Debug)]
pub struct Daemon {
    stream: UnixStream,
    decoder: ListenerDecoder,
    serial: u64,
    listener: JoinHandle<()>,
}

/// What a listener did wrong.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Nothing came for so long that it will never come.
    #[error("the listener is {0} and says nothing")]
    Silent(ListenerState),
    /// It closed its end.
    #[error("the listener ended while it was {0}")]
    Ended(ListenerState),
    /// Its handler panicked.
    #[error("the listener panicked")]
    Panicked,
    /// It wrote what it must not.
    #[error("the listener was {state} and broke the protocol with {output:?}")]
    Violation {
        /// Where it stood.
        state: ListenerState,
        /// Its last output.
        output: String,
    },
    /// A result that is neither `OK` nor `FAIL`.
    #[error("the listener answered {0:?}")]
    Result(String),
    /// Talking to it failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Daemon {
    /// Drives a [`Listener`] with this handler.
    ///
    /// # Errors
    /// When no thread or socket can be had.
    pub fn driving(
        handle: impl FnMut(&Event<'_>) -> Outcome + Send + 'static,
    ) -> Result<Self, DaemonError> {
        Self::start(move |stream| {
            let listener = Listener::new(BufReader::new(&stream), &stream);
            // A broken stream shows at the other end.
            let _ = listener.run(handle);
        })
    }

    /// Drives whatever talks the protocol over the socket it is given, in both directions; an `AsyncListener` for instance.
    ///
    /// # Errors
    /// When no thread or socket can be had.
    pub fn start(listener: impl FnOnce(UnixStream) + Send + 'static) -> Result<Self, DaemonError> {
        let (stream, theirs) = UnixStream::pair()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let listener = thread::Builder::new().spawn(move || listener(theirs))?;
        Ok(Self {
            stream,
            decoder: ListenerDecoder::default(),
            serial: 0,
            listener,
        })
    }

    /// Waits until the listener is READY, sends an event, and returns what the listener says to it.
    ///
    /// # Errors
    /// When the listener breaks the protocol, ends or stays silent.
    pub fn send(&mut self, eventname: &str, payload: &str) -> Result<Outcome, DaemonError> {
        while !self.decoder.dispatched() {
            self.listen()?;
        }
        let header = EventHeader {
            server: "supervisor",
            serial: self.serial,
            pool: "listener",
            poolserial: self.serial,
            eventname,
            len: payload_len(payload),
        };
        self.serial += 1;
        self.stream
            .write_all(format!("{header}\n{payload}").as_bytes())?;
        loop {
            if let Some(outcome) = self.listen()? {
                return Ok(outcome);
            }
        }
    }

    /// Closes the listener's input and waits for its end.
    ///
    /// # Errors
    /// When it writes anything but a last READY, or panics.
    pub fn finish(mut self) -> Result<(), DaemonError> {
        // A listener that is gone already has closed it.
        let _ = self.stream.shutdown(Shutdown::Write);
        loop {
            match self.listen() {
                Ok(_) => {}
                Err(DaemonError::Ended(_)) => break,
                Err(error) => return Err(error),
            }
        }
        self.listener.join().map_err(|_| DaemonError::Panicked)
    }

    /// Reads until the listener's state changes; returns the result if that is what it said.
    fn listen(&mut self) -> Result<Option<Outcome>, DaemonError> {
        let mut output = [0; 4096];
        let mut last = 0;
        loop {
            let state = self.decoder.state();
            match self.decoder.next_input() {
                Some(ListenerInput::Ready) => return Ok(None),
                Some(ListenerInput::Result(OK)) => return Ok(Some(Outcome::Done)),
                Some(ListenerInput::Result(FAIL)) => return Ok(Some(Outcome::Again)),
                Some(ListenerInput::Result(body)) => return Err(DaemonError::Result(text(body))),
                Some(_) => {
                    let output = text(&output[..last]);
                    return Err(DaemonError::Violation { state, output });
                }
                None => {}
            }
            last = match self.stream.read(&mut output) {
                Ok(0) => return Err(DaemonError::Ended(state)),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(DaemonError::Silent(state));
                }
                Err(error) => return Err(error.into()),
            };
            self.decoder.feed(&output[..last]);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listener that writes `output` whatever it is told, once it was told something.
    fn saying(output: &'static str) -> Result<Daemon, DaemonError> {
        Daemon::start(move |mut stream| {
            stream.write_all(b"READY\n").expect("a reader");
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(output.as_bytes()).expect("a reader");
        })
    }

    #[test]
    fn payloads_of_all_kinds_arrive() -> Result<(), DaemonError> {
        let big = "é".repeat(500_000);
        let expected = big.clone();
        let mut seen = 0;
        let mut daemon = Daemon::driving(move |event| {
            let want = ["", "type:typ\ndéta", &expected][seen % 3];
            seen += 1;
            match event.payload == want {
                true => Outcome::Done,
                false => Outcome::Again,
            }
        })?;
        for payload in ["", "type:typ\ndéta", &big] {
            assert_eq!(daemon.send("REMOTE_COMMUNICATION", payload)?, Outcome::Done);
        }
        daemon.finish()
    }

    #[test]
    fn what_breaks_the_protocol_is_told() -> Result<(), DaemonError> {
        let rows = [
            ("RESULT 2\nno", "the listener answered \"no\""),
            (
                "done\n",
                "the listener was BUSY and broke the protocol with \"done\\n\"",
            ),
            ("RESULT 2\nO", "the listener ended while it was BUSY"),
        ];
        for (output, want) in rows {
            let error = saying(output)?.send("TICK_5", "when:5").expect_err(output);
            assert_eq!(error.to_string(), want);
        }
        let mut chatty = saying("RESULT 2\nOKREADY\nmore")?;
        assert_eq!(chatty.send("TICK_5", "when:5")?, Outcome::Done);
        let error = chatty.finish().expect_err("it chats");
        assert_eq!(
            error.to_string().split(" and ").next(),
            Some("the listener was READY")
        );
        Ok(())
    }

    #[test]
    fn a_panic_is_no_quiet_end() -> Result<(), DaemonError> {
        let mut daemon = Daemon::driving(|_| panic!("as planned"))?;
        assert!(matches!(
            daemon.send("TICK_5", "when:5"),
            Err(DaemonError::Ended(_))
        ));
        assert!(matches!(daemon.finish(), Err(DaemonError::Panicked)));
        Ok(())
    }
}
