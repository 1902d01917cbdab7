//! The loop: READY, header, payload, RESULT, over again.

use std::io::{self, BufRead, StdinLock, StdoutLock, Write};
use std::process::ExitCode;

use protocol::listener::{
    self, EventHeader, Fields, HeaderError, PayloadDecoder, split_payload, write_result,
};

use crate::ticks::{StaleTicks, unix_now};

/// An event, as supervisord sent it.
///
/// ```
/// use listener_kit::Event;
///
/// let line = "ver:3.0 server:supervisor serial:7 pool:mine poolserial:2 eventname:PROCESS_LOG_STDOUT len:53";
/// let event = Event {
///     header: listener_kit::EventHeader::parse(line).expect("a header"),
///     payload: "processname:web groupname:web pid:12 channel:stdout\nhi",
/// };
/// assert_eq!(event.header.eventname, "PROCESS_LOG_STDOUT");
/// assert_eq!(event.fields().get("processname"), Some("web"));
/// assert_eq!(event.data(), "hi");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// What it is and who sent it.
    pub header: EventHeader<'a>,
    /// Everything after the header.
    pub payload: &'a str,
}

impl<'a> Event<'a> {
    /// The `key:value` fields of the payload's first line.
    pub fn fields(&self) -> Fields<'a> {
        split_payload(self.payload).0
    }

    /// The payload after its first line.
    pub fn data(&self) -> &'a str {
        split_payload(self.payload).1
    }

    /// Whether this is one of the clock's events.
    pub fn is_tick(&self) -> bool {
        self.header.eventname.starts_with("TICK")
    }
}

/// What to tell supervisord about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is dealt with.
    Done,
    /// It is to be sent again, to this or another process of the pool.
    Again,
}

impl Outcome {
    const fn body(self) -> &'static [u8] {
        match self {
            Self::Done => listener::OK,
            Self::Again => listener::FAIL,
        }
    }

    /// Makes `answer` this result, and the READY for the next event after it: one write, one wake-up of the daemon.
    pub(crate) fn write_answer(self, answer: &mut Vec<u8>) {
        answer.clear();
        write_result(self.body(), answer);
        answer.extend_from_slice(listener::READY);
    }
}

/// Why the loop ended before its input did.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Reading or writing failed.
    #[error("cannot talk to supervisord: {0}")]
    Io(#[from] io::Error),
    /// What came was no event.
    #[error("not an event: {0}")]
    Header(#[from] HeaderError),
}

/// A listener on any pair of streams. Those of a real one are [standard input and output](Self::stdio).
///
/// ```
/// use listener_kit::{Listener, Outcome};
///
/// let event = b"ver:3.0 server:supervisor serial:1 pool:mine poolserial:1 eventname:TICK_5 len:6\nwhen:5";
/// let mut output = Vec::new();
/// Listener::new(&event[..], &mut output).run(|event| {
///     assert!(event.is_tick());
///     Outcome::Done
/// })?;
/// assert_eq!(output, b"READY\nRESULT 2\nOKREADY\n");
/// # Ok::<(), listener_kit::ListenError>(())
/// ```
#[derive(Debug)]
pub struct Listener<R, W> {
    input: R,
    output: W,
    ticks: Option<StaleTicks>,
    /// The next event is likely to take a while.
    may_wait: bool,
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl Listener<StdinLock<'static>, StdoutLock<'static>> {
    /// The listener supervisord started: standard input and output.
    pub fn stdio() -> Self {
        Self::new(io::stdin().lock(), io::stdout().lock())
    }
}

impl<R: BufRead, W: Write> Listener<R, W> {
    /// A listener that reads events from `input` and answers on `output`.
    pub const fn new(input: R, output: W) -> Self {
        Self {
            input,
            output,
            ticks: None,
            may_wait: true,
            header: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// Acknowledges ticks that piled up while an earlier one was handled without showing them; see [`StaleTicks`].
    pub fn skip_stale_ticks(mut self) -> Self {
        self.ticks = Some(StaleTicks::default());
        self
    }

    /// [Runs](Self::run), and says what went wrong on standard error. Returns what `main` should.
    pub fn serve(self, handle: impl FnMut(&Event<'_>) -> Outcome) -> ExitCode {
        match self.run(handle) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // There is nobody left to tell if this fails.
                let _ = writeln!(crate::log(), "{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Handles events until the input ends or nobody reads the output any more.
    ///
    /// # Errors
    /// When a stream fails or the input is no sequence of events.
    pub fn run(mut self, mut handle: impl FnMut(&Event<'_>) -> Outcome) -> Result<(), ListenError> {
        let mut answer = listener::READY.to_vec();
        loop {
            match self.exchange(&answer, &mut handle) {
                Ok(Some(outcome)) => outcome.write_answer(&mut answer),
                Ok(None) => return Ok(()),
                Err(ListenError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends `answer`, READY at its end, and handles the event that follows; `None`: the input has ended.
    fn exchange(
        &mut self,
        answer: &[u8],
        handle: &mut impl FnMut(&Event<'_>) -> Outcome,
    ) -> Result<Option<Outcome>, ListenError> {
        self.output.write_all(answer)?;
        self.output.flush()?;
        if self.may_wait {
            // Without procfs the listener is a little larger.
            let _ = residence::give_back();
        }
        self.header.clear();
        self.input.read_until(b'\n', &mut self.header)?;
        if self.header.last() != Some(&b'\n') {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&self.header);
        let header = EventHeader::parse(&line)?;
        self.payload.clear();
        if !read_payload(&mut self.input, header.len, &mut self.payload)? {
            return Ok(None);
        }
        let payload = String::from_utf8_lossy(&self.payload);
        let event = Event {
            header,
            payload: &payload,
        };
        self.may_wait = event.is_tick();
        Ok(Some(match &mut self.ticks {
            Some(ticks) if event.is_tick() => {
                if ticks.is_stale(&event) {
                    return Ok(Some(Outcome::Done));
                }
                let outcome = handle(&event);
                ticks.handled(unix_now());
                outcome
            }
            _ => handle(&event),
        }))
    }
}

/// Reads `len` characters; `false`: the input ended first.
fn read_payload(input: &mut impl BufRead, len: usize, payload: &mut Vec<u8>) -> io::Result<bool> {
    let mut decoder = PayloadDecoder::new(len);
    while !decoder.is_complete() {
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            return Ok(false);
        }
        let taken = decoder.feed(bytes);
        payload.extend_from_slice(&bytes[..taken]);
        input.consume(taken);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::envelope;
    use proptest::prelude::*;
    use std::io::BufReader;

    /// Runs a listener over `input`, read in pieces of `piece` bytes; returns what it saw and wrote.
    fn play(input: &[u8], piece: usize, outcome: Outcome) -> (Vec<String>, String, bool) {
        let mut seen = Vec::new();
        let mut output = Vec::new();
        let result =
            Listener::new(BufReader::with_capacity(piece, input), &mut output).run(|event| {
                seen.push(format!("{} {}", event.header.eventname, event.payload));
                outcome
            });
        let output = String::from_utf8(output).expect("text");
        (seen, output, result.is_ok())
    }

    #[test]
    fn events_are_handled_one_after_the_other() {
        let input = envelope("TICK_5", "when:5") + &envelope("REMOTE_COMMUNICATION", "type:é\n€");
        for piece in 1..20 {
            let (seen, output, ended) = play(input.as_bytes(), piece, Outcome::Done);
            assert_eq!(seen, ["TICK_5 when:5", "REMOTE_COMMUNICATION type:é\n€"]);
            assert_eq!(output, "READY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\n");
            assert!(ended);
        }
    }

    #[test]
    fn an_event_can_be_refused() {
        let input = envelope("TICK_5", "when:5");
        let (_, output, _) = play(input.as_bytes(), 64, Outcome::Again);
        assert_eq!(output, "READY\nRESULT 4\nFAILREADY\n");
    }

    #[test]
    fn an_end_of_input_is_a_quiet_end() {
        let whole = envelope("TICK_5", "when:5");
        let header = whole.find('\n').expect("a header line") + 1;
        for end in [0, 3, header - 1, header, header + 3] {
            let (seen, output, ended) = play(&whole.as_bytes()[..end], 64, Outcome::Done);
            assert_eq!(
                (seen.len(), output.as_str(), ended),
                (0, "READY\n", true),
                "{end}"
            );
        }
    }

    #[test]
    fn what_is_no_event_ends_the_loop() {
        let (seen, _, ended) = play(b"GET / HTTP/1.0\n", 64, Outcome::Done);
        assert_eq!((seen.len(), ended), (0, false));
    }

    #[test]
    fn stale_ticks_are_acknowledged_unseen() {
        let old = format!("when:{}", unix_now() - 10);
        let exited = envelope("PROCESS_STATE_EXITED", "processname:p");
        let input = envelope("TICK_5", &old) + &envelope("TICK_5", &old) + &exited;
        let mut seen = Vec::new();
        let mut output = Vec::new();
        let listener = Listener::new(input.as_bytes(), &mut output).skip_stale_ticks();
        let result = listener.run(|event| {
            seen.push(event.header.eventname.to_owned());
            Outcome::Done
        });
        assert!(result.is_ok());
        assert_eq!(seen, ["TICK_5", "PROCESS_STATE_EXITED"]);
        assert_eq!(
            output,
            b"READY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\n"
        );
    }

    #[test]
    fn fields_and_data_are_at_hand() {
        let payload = "processname:p groupname:g pid:4\nline\nline\n";
        let event = Event {
            header: EventHeader::parse("eventname:PROCESS_COMMUNICATION_STDOUT len:42")
                .expect("a header"),
            payload,
        };
        assert_eq!(event.fields().get("pid"), Some("4"));
        assert_eq!(event.data(), "line\nline\n");
        assert!(!event.is_tick());
    }

    proptest! {
        #[test]
        fn no_input_panics(input in prop::collection::vec(any::<u8>(), 0..80), piece in 1usize..9) {
            let _ = play(&input, piece, Outcome::Done);
        }
    }
}
