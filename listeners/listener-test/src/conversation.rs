//! The daemon's part of the protocol, and what the listener makes of its own.

use std::time::{Duration, Instant};

use protocol::listener::{EventHeader, ListenerDecoder, ListenerInput, ListenerState, OK, READY};

use crate::diagnosis;
use crate::fault::{Fault, Kind};
use crate::process::{Output, Process};
use crate::rig::Count;
use crate::samples::Sample;

/// How long to collect more of an output that is wrong already.
const MORE: Duration = Duration::from_millis(50);

/// How long a listener has for an answer that only waited for a nudge, or for its end after it closed its output.
const NUDGE: Duration = Duration::from_secs(1);

/// How much of a wrong output is kept, in bytes.
const KEPT_OUTPUT: usize = 64 * 1024;

/// What a listener says to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// OK.
    Done,
    /// FAIL.
    Again,
}

/// A listener that is spoken to.
#[derive(Debug)]
pub(crate) struct Conversation {
    process: Process,
    timeout: Duration,
    count: Count,
    decoder: ListenerDecoder,
    /// Output that is not understood yet.
    said: Vec<u8>,
    /// Body of the last result.
    result: Option<Vec<u8>>,
    /// Type of the last event.
    event: Option<&'static str>,
    serial: u64,
    /// The identifier in headers.
    pub(crate) server: &'static str,
}

/// What happened next.
enum Step {
    Ready,
    Result(Vec<u8>),
    Silence,
}

impl Conversation {
    /// A conversation with a listener just started.
    pub(crate) fn new(process: Process, timeout: Duration, count: Count) -> Self {
        Self {
            process,
            timeout,
            count,
            decoder: ListenerDecoder::default(),
            said: Vec::new(),
            result: None,
            event: None,
            serial: 0,
            server: "supervisor",
        }
    }

    /// Waits until the listener is READY.
    ///
    /// # Errors
    /// When it does not become so.
    pub(crate) fn ready(&mut self) -> Result<(), Fault> {
        let deadline = Instant::now() + self.timeout;
        while self.decoder.state() != ListenerState::Ready {
            if let Step::Silence = self.step(deadline)? {
                return Err(self.silence());
            }
        }
        Ok(())
    }

    /// Sends an event as soon as the listener is READY, and waits for the answer.
    ///
    /// # Errors
    /// When there is none, or a wrong one.
    pub(crate) fn send(&mut self, sample: &Sample) -> Result<Answer, Fault> {
        let event = self.compose(sample);
        self.ready()?;
        self.begin(sample)?;
        self.process.write(&event);
        self.answer()
    }

    /// Sends an event in pieces, the listener being watched for a moment after each: it must not answer before the last.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the answer comes early.
    pub(crate) fn send_in_pieces(
        &mut self,
        sample: &Sample,
        cuts: &[usize],
        pause: Duration,
    ) -> Result<Answer, Fault> {
        let event = self.compose(sample);
        self.ready()?;
        self.begin(sample)?;
        let mut start = 0;
        for cut in cuts.iter().filter(|cut| **cut < event.len()) {
            self.process.write(&event[start..*cut]);
            self.silent(pause)?;
            start = *cut;
        }
        self.process.write(&event[start..]);
        self.answer()
    }

    /// The bytes of an event. The serial does not change until [`acknowledge`](Self::acknowledge).
    pub(crate) fn compose(&self, sample: &Sample) -> Vec<u8> {
        let header = EventHeader {
            server: self.server,
            serial: self.serial,
            pool: "listener",
            poolserial: self.serial,
            eventname: sample.name,
            len: self.count.of(&sample.payload),
        };
        format!("{header}\n{}", sample.payload).into_bytes()
    }

    /// Goes on to the next serial.
    pub(crate) const fn acknowledge(&mut self) {
        self.serial += 1;
    }

    /// Watches a listener that must not say anything.
    ///
    /// # Errors
    /// When it does.
    pub(crate) fn silent(&mut self, time: Duration) -> Result<(), Fault> {
        match self.step(Instant::now() + time)? {
            Step::Silence if self.said.is_empty() => Ok(()),
            _ => Err(self.fault(Kind::EarlyAnswer)),
        }
    }

    /// Sends the first part of an event and closes the input; the listener must end without an answer.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn cut_short(&mut self, sample: &Sample, end: usize) -> Result<(), Fault> {
        let event = self.compose(sample);
        self.ready()?;
        self.begin(sample)?;
        self.process.write(&event[..end.min(event.len())]);
        self.expect_end(Kind::AnswersHalf)
    }

    /// Closes the input; the listener must end without a word, or else that is of kind `talk`.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn expect_end(&mut self, talk: Kind) -> Result<(), Fault> {
        self.process.close();
        let deadline = Instant::now() + self.timeout;
        if !self.collect(deadline) {
            let kind = if self.said.is_empty() {
                Kind::StaysAfterEof
            } else {
                talk
            };
            return Err(self.fault(kind));
        }
        let status = self.process.wait(deadline);
        if !self.said.is_empty() {
            return Err(self.fault(talk).ended(status));
        }
        match status {
            None => Err(self.fault(Kind::StaysAfterEof)),
            Some(status) if !status.success() => {
                Err(self.fault(Kind::EndsBadly).ended(Some(status)))
            }
            Some(_) => Ok(()),
        }
    }

    /// Sends SIGTERM; the listener must end.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn stop(&mut self) -> Result<(), Fault> {
        self.process.terminate();
        match self.process.wait(Instant::now() + self.timeout) {
            Some(_) => Ok(()),
            None => Err(self.fault(Kind::IgnoresSigterm)),
        }
    }

    /// Notes that an event is on its way. Output that followed READY in the meantime is a fault.
    fn begin(&mut self, sample: &Sample) -> Result<(), Fault> {
        if let Some(ListenerInput::Violation { from }) = self.decoder.next_input() {
            return Err(self.violation(from));
        }
        self.event = Some(sample.name);
        self.decoder.dispatched();
        Ok(())
    }

    fn answer(&mut self) -> Result<Answer, Fault> {
        let deadline = Instant::now() + self.timeout;
        let Step::Result(body) = self.step(deadline)? else {
            return Err(self.silence());
        };
        let answer = match diagnosis::of_body(&body) {
            None if body == OK => Answer::Done,
            None => Answer::Again,
            Some(kind) => {
                self.collect(Instant::now() + MORE);
                let output = [&body, self.said.as_slice()].concat();
                return Err(self.fault(kind).wrote(&output));
            }
        };
        self.result = Some(body);
        Ok(answer)
    }

    /// Reads until the listener changes its state, or the time is over.
    fn step(&mut self, deadline: Instant) -> Result<Step, Fault> {
        loop {
            let state = self.decoder.state();
            match self.decoder.next_input() {
                Some(ListenerInput::Ready) => {
                    self.said.drain(..READY.len().min(self.said.len()));
                    return Ok(Step::Ready);
                }
                Some(ListenerInput::Result(body)) => {
                    let body = body.to_vec();
                    return self.take_result(&body).map(|()| Step::Result(body));
                }
                Some(_) => return Err(self.violation(state)),
                None => {}
            }
            match self.process.read(deadline) {
                Output::Bytes(bytes) => {
                    self.decoder.feed(&bytes);
                    self.said.extend_from_slice(&bytes);
                }
                Output::Silence => return Ok(Step::Silence),
                Output::End => return Err(self.died()),
            }
        }
    }

    /// Removes a result from what was said. The daemon is lenient about the word before the length; this is not.
    fn take_result(&mut self, body: &[u8]) -> Result<(), Fault> {
        if !self.said.starts_with(b"RESULT ") {
            return Err(self.fault(Kind::SloppyResultLine));
        }
        let line = self.said.iter().position(|byte| *byte == b'\n');
        let end = line.map_or(0, |line| line + 1) + body.len();
        self.said.drain(..end.min(self.said.len()));
        Ok(())
    }

    /// Collects output until it ends, which is true, or the time is over.
    fn collect(&mut self, deadline: Instant) -> bool {
        while self.said.len() < KEPT_OUTPUT {
            match self.process.read(deadline) {
                Output::Bytes(bytes) => self.said.extend_from_slice(&bytes),
                Output::Silence => return false,
                Output::End => return true,
            }
        }
        false
    }

    /// Output that does not fit `state`.
    fn violation(&mut self, state: ListenerState) -> Fault {
        self.collect(Instant::now() + MORE);
        let kind = match state {
            ListenerState::Ready => diagnosis::after_ready(&self.said),
            ListenerState::Busy => diagnosis::instead_of_result(&self.said),
            _ => diagnosis::instead_of_ready(&self.said, self.result.as_deref()),
        };
        self.fault(kind)
    }

    /// An answer that does not come.
    fn silence(&mut self) -> Fault {
        if self.decoder.state() == ListenerState::Busy {
            return self.silence_while_busy();
        }
        let kind = if !self.said.is_empty() {
            diagnosis::instead_of_ready(&self.said, self.result.as_deref())
        } else if self.comes_at_eof() {
            Kind::NotFlushed
        } else if self.result.is_some() {
            Kind::NotReadyAgain
        } else {
            Kind::NotReady
        };
        self.fault(kind)
    }

    fn silence_while_busy(&mut self) -> Fault {
        if self.said.is_empty() {
            self.process.write(b"\n");
            self.collect(Instant::now() + NUDGE);
            let kind = match self.said.is_empty() {
                false => Kind::ReadsLines,
                true if self.comes_at_eof() => Kind::WaitsForEof,
                true => Kind::NoResult,
            };
            return self.fault(kind);
        }
        let kind = match self.said.contains(&b'\n') {
            // The length is good, the body is not complete.
            true => Kind::WrongLength,
            false => diagnosis::instead_of_result(&self.said),
        };
        self.fault(kind)
    }

    /// Whether the answer waited for the end of input.
    fn comes_at_eof(&mut self) -> bool {
        self.process.close();
        self.collect(Instant::now() + NUDGE);
        self.said.starts_with(b"READY") || self.said.starts_with(b"RESULT")
    }

    fn died(&mut self) -> Fault {
        let status = self.process.wait(Instant::now() + NUDGE);
        self.fault(Kind::Died).ended(status)
    }

    /// A fault of this kind under the present circumstances.
    fn fault(&self, kind: Kind) -> Fault {
        let mut fault = Fault::new(kind).wrote(&self.said);
        fault.event = self.event;
        fault.errors = self.process.errors();
        fault
    }
}
