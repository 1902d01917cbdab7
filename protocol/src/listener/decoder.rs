//! The daemon's end: what a listener's standard output means.

use std::fmt;

use super::{READY, RESULT};

/// A result line may be this long, in bytes. Sixteen would do; Supervisor 4.3.0 knows no bound and collects for ever.
const MAX_RESULT_LINE: usize = 4096;

/// A result body may be this long, in bytes. Listeners in the wild send two to four.
const MAX_RESULT: usize = 1024 * 1024;

/// The decoder gives its buffer back when it is empty and larger than this, in bytes.
const KEPT_CAPACITY: usize = 4096;

/// Where a listener process stands in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ListenerState {
    /// Just started, or done with an event; must say READY to get one.
    #[default]
    Acknowledged,
    /// Waiting for an event.
    Ready,
    /// Handling an event.
    Busy,
    /// Broke the protocol. Only a new process can get out of this state.
    Unknown,
}

impl ListenerState {
    /// The code Supervisor gives the state.
    pub const fn code(self) -> i32 {
        match self {
            Self::Ready => 10,
            Self::Busy => 20,
            Self::Acknowledged => 30,
            Self::Unknown => 40,
        }
    }

    /// The state with this code.
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            10 => Some(Self::Ready),
            20 => Some(Self::Busy),
            30 => Some(Self::Acknowledged),
            40 => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The name the log shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Busy => "BUSY",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for ListenerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing a listener said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerInput<'a> {
    /// It can take an event: ACKNOWLEDGED to READY.
    Ready,
    /// It is done with the event: BUSY to ACKNOWLEDGED. See [`super::accepts`].
    Result(&'a [u8]),
    /// A line, shown without its line feed, that gives no usable length: BUSY to UNKNOWN. The event counts as rejected.
    BadResultLine(&'a [u8]),
    /// Anything else: UNKNOWN. From BUSY, the event counts as rejected.
    Violation {
        /// The state it was in.
        from: ListenerState,
    },
}

impl ListenerInput<'_> {
    /// The states before and after this input.
    pub const fn transition(self) -> (ListenerState, ListenerState) {
        use ListenerState::{Acknowledged, Busy, Ready, Unknown};
        match self {
            Self::Ready => (Acknowledged, Ready),
            Self::Result(_) => (Busy, Acknowledged),
            Self::BadResultLine(_) => (Busy, Unknown),
            Self::Violation { from } => (from, Unknown),
        }
    }
}

/// Follows one listener process through the protocol.
///
/// ```
/// use protocol::listener::{ListenerDecoder, ListenerInput};
///
/// let mut listener = ListenerDecoder::default();
/// listener.feed(b"READY\n");
/// assert_eq!(listener.next_input(), Some(ListenerInput::Ready));
/// assert!(listener.dispatched());
/// listener.feed(b"RESULT 2\nOK");
/// assert_eq!(listener.next_input(), Some(ListenerInput::Result(b"OK")));
/// assert_eq!(listener.next_input(), None);
/// ```
#[derive(Debug, Default)]
pub struct ListenerDecoder {
    state: ListenerState,
    /// Output not understood yet starts at `read`.
    buffer: Vec<u8>,
    read: usize,
    /// The length a result line announced, while its body is not complete.
    result: Option<usize>,
}

impl ListenerDecoder {
    /// One that goes on where another has stopped: its state and what it had [`pending`](Self::pending).
    pub const fn resume(state: ListenerState, output: Vec<u8>, result: Option<usize>) -> Self {
        Self {
            state,
            buffer: output,
            read: 0,
            result,
        }
    }

    /// Output that is not understood yet, and the length of the result that it is a part of, if that is known.
    pub fn pending(&self) -> (&[u8], Option<usize>) {
        (&self.buffer[self.read..], self.result)
    }

    /// Where the listener stands.
    pub const fn state(&self) -> ListenerState {
        self.state
    }

    /// Notes that an event was sent. Returns whether the listener could take one; if not, nothing changes.
    ///
    /// To be called when [`next_input`](Self::next_input) has returned `None`: output that followed a READY is a
    /// violation, not an answer to an event the listener had not seen.
    pub fn dispatched(&mut self) -> bool {
        let ready = self.state == ListenerState::Ready;
        if ready {
            self.state = ListenerState::Busy;
        }
        ready
    }

    /// Notes that the event did not reach the listener after all: BUSY goes back to READY.
    pub fn withdrawn(&mut self) {
        if self.state == ListenerState::Busy {
            self.state = ListenerState::Ready;
        }
    }

    /// Takes output of the listener, in pieces of any size.
    pub fn feed(&mut self, output: &[u8]) {
        if self.state == ListenerState::Unknown {
            self.buffer = Vec::new();
            self.read = 0;
            return;
        }
        self.compact();
        self.buffer.extend_from_slice(output);
    }

    /// The next thing the output fed so far says; `None`: more is needed.
    pub fn next_input(&mut self) -> Option<ListenerInput<'_>> {
        match self.state {
            ListenerState::Acknowledged => self.expect_ready(),
            ListenerState::Ready => self.expect_silence(),
            ListenerState::Busy => self.expect_result(),
            ListenerState::Unknown => None,
        }
    }

    fn expect_ready(&mut self) -> Option<ListenerInput<'_>> {
        let token = self.buffer[self.read..].get(..READY.len())?;
        if token != READY {
            return Some(self.violation());
        }
        self.read += READY.len();
        self.state = ListenerState::Ready;
        Some(ListenerInput::Ready)
    }

    fn expect_silence(&mut self) -> Option<ListenerInput<'_>> {
        if self.read == self.buffer.len() {
            return None;
        }
        Some(self.violation())
    }

    fn expect_result(&mut self) -> Option<ListenerInput<'_>> {
        let length = match self.result {
            Some(length) => length,
            None => match self.take_line()? {
                Line::Length(length) => length,
                Line::Bad { start, end } => {
                    self.fail();
                    return Some(ListenerInput::BadResultLine(&self.buffer[start..end]));
                }
                Line::Endless => return Some(self.violation()),
            },
        };
        let end = self.read + length;
        if end > self.buffer.len() {
            self.result = Some(length);
            return None;
        }
        let start = std::mem::replace(&mut self.read, end);
        self.result = None;
        self.state = ListenerState::Acknowledged;
        Some(ListenerInput::Result(&self.buffer[start..end]))
    }

    fn take_line(&mut self) -> Option<Line> {
        let start = self.read;
        let rest = &self.buffer[start..];
        let window = &rest[..rest.len().min(MAX_RESULT_LINE + 1)];
        let Some(length) = window.iter().position(|byte| *byte == b'\n') else {
            return (rest.len() > MAX_RESULT_LINE).then_some(Line::Endless);
        };
        let end = start + length;
        self.read = end + 1;
        Some(match result_length(&rest[..length]) {
            Some(length) => Line::Length(length),
            None => Line::Bad { start, end },
        })
    }

    fn violation(&mut self) -> ListenerInput<'static> {
        let from = self.state;
        self.fail();
        ListenerInput::Violation { from }
    }

    /// Enters UNKNOWN. The buffer stays until more output comes: a bad line in it may be on loan.
    const fn fail(&mut self) {
        self.state = ListenerState::Unknown;
    }

    /// Drops what was understood.
    fn compact(&mut self) {
        if self.read < self.buffer.len() {
            self.buffer.drain(..self.read);
        } else if self.buffer.capacity() > KEPT_CAPACITY {
            self.buffer = Vec::new();
        } else {
            self.buffer.clear();
        }
        self.read = 0;
    }
}

/// A result line.
enum Line {
    /// It announces this many bytes.
    Length(usize),
    /// It announces nothing useful; where it is in the buffer.
    Bad { start: usize, end: usize },
    /// It does not end within [`MAX_RESULT_LINE`].
    Endless,
}

/// The length a result line announces. As in Supervisor 4.3.0 the first seven bytes may be anything, and the number is
/// whatever Python's `int` takes. Unlike there, a negative length or one over [`MAX_RESULT`] is none: the listener would
/// stay BUSY for ever.
fn result_length(line: &[u8]) -> Option<usize> {
    let number = line.get(RESULT.len()..)?;
    let number = std::str::from_utf8(number).ok()?;
    let number = number.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let digits = number.strip_prefix('+').unwrap_or(number);
    let mut length = 0usize;
    for group in digits.split('_') {
        if group.is_empty() {
            return None;
        }
        for digit in group.chars() {
            length = length * 10 + digit.to_digit(10)? as usize;
            if length > MAX_RESULT {
                return None;
            }
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests;
