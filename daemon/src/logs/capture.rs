//! Finding what a program sends to listeners between `<!--XSUPERVISOR:BEGIN-->` and
//! `<!--XSUPERVISOR:END-->` in its output.
//!
//! ```text
//!             BEGIN                       END
//!   outside ---------> inside (buffered) -----> outside, one PROCESS_COMMUNICATION event
//! ```
//!
//! A token may be split between reads anywhere, so the end of a chunk that could be the start of
//! the awaited token is held back. Supervisor holds back and loses more than that.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::LazyLock;

use memchr::{memmem, memrchr};
use serde::{Deserialize, Serialize};

use super::ansi;
use crate::upgrade::Blob;

const BEGIN: &[u8] = b"<!--XSUPERVISOR:BEGIN-->";
const END: &[u8] = b"<!--XSUPERVISOR:END-->";

/// Shared by all channels: each searcher is larger than the rest of a channel's state.
static FIND_BEGIN: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(BEGIN));
static FIND_END: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(END));

/// A buffer that has grown beyond this is given back after use.
const KEPT_CAPACITY: usize = 64 * 1024;

/// A piece of a program's output, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Outside the tokens: for the log, for PROCESS_LOG events and the debug copy.
    Log(&'a [u8]),
    /// Between the tokens, as it comes: for PROCESS_LOG events and the debug copy, not for the log.
    Inside(&'a [u8]),
    /// All there was between the tokens, at the END token; may be empty. For a
    /// PROCESS_COMMUNICATION event.
    Captured(&'a [u8]),
}

/// What a scanner remembers between one chunk and the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannerState {
    strip_ansi: bool,
    inside: bool,
    buffer: Blob,
    held: Blob,
}

/// Splits the output of one channel of one run of a process.
#[derive(Debug)]
pub struct OutputScanner {
    strip_ansi: bool,
    /// `None`: capture mode is off and tokens are ordinary text.
    capture: Option<Capture>,
}

impl OutputScanner {
    /// A scanner that captures up to `capture_maxbytes` at once, nothing if that is 0 or less, and
    /// that removes ANSI sequences from every piece if it is to.
    pub fn new(capture_maxbytes: i64, strip_ansi: bool) -> Self {
        let limit = usize::try_from(capture_maxbytes).unwrap_or(0);
        Self {
            strip_ansi,
            capture: (limit > 0).then(|| Capture::new(limit)),
        }
    }

    /// Passes the pieces of the next chunk to `sink`. A piece of nothing but ANSI sequences is passed
    /// on empty, as Supervisor does: it is an event all the same.
    pub fn feed(&mut self, chunk: &[u8], mut sink: impl FnMut(Piece<'_>)) {
        let Some(capture) = &mut self.capture else {
            return emit(chunk, self.strip_ansi, |text| sink(Piece::Log(text)));
        };
        if capture.held.is_empty() {
            return capture.scan(chunk, self.strip_ansi, &mut sink);
        }
        let mut joined = std::mem::take(&mut capture.held);
        joined.extend_from_slice(chunk);
        capture.scan(&joined, self.strip_ansi, &mut sink);
    }

    /// What it remembers.
    pub fn state(&self) -> ScannerState {
        let capture = self.capture.as_ref();
        let kept = capture.map(|capture| capture.buffer.iter().copied().collect());
        ScannerState {
            strip_ansi: self.strip_ansi,
            inside: capture.is_some_and(|capture| capture.inside),
            buffer: Blob(kept.unwrap_or_default()),
            held: Blob(capture.map_or_else(Vec::new, |capture| capture.held.clone())),
        }
    }

    /// Goes on where another one has stopped.
    pub fn resume(&mut self, state: ScannerState) {
        self.strip_ansi = state.strip_ansi;
        if let Some(capture) = &mut self.capture {
            capture.inside = state.inside;
            capture.buffer = state.buffer.0.into();
            capture.held = state.held.0;
        }
    }

    /// At the end of the output: passes on what was held back. An open capture is discarded.
    pub fn finish(&mut self, mut sink: impl FnMut(Piece<'_>)) {
        if let Some(mut capture) = self.capture.take() {
            let held = std::mem::take(&mut capture.held);
            capture.text(&held, self.strip_ansi, &mut sink);
            self.capture = Some(Capture::new(capture.limit));
        }
    }
}

/// The tokens' side of it.
#[derive(Debug)]
struct Capture {
    /// Bytes that are kept between the tokens; of more than that, the newest.
    limit: usize,
    inside: bool,
    buffer: VecDeque<u8>,
    /// The end of the last chunk, if it may be the start of the awaited token.
    held: Vec<u8>,
}

impl Capture {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            inside: false,
            buffer: VecDeque::new(),
            held: Vec::new(),
        }
    }

    fn scan(&mut self, mut data: &[u8], strip_ansi: bool, sink: &mut impl FnMut(Piece<'_>)) {
        while let Some(position) = self.awaited().find(data) {
            let after = position + self.awaited().needle().len();
            self.text(&data[..position], strip_ansi, sink);
            self.toggle(sink);
            data = &data[after..];
        }
        let held = prefix_at_end(data, self.awaited().needle());
        let (text, held) = data.split_at(data.len() - held);
        self.text(text, strip_ansi, sink);
        self.held.extend_from_slice(held);
    }

    fn awaited(&self) -> &'static memmem::Finder<'static> {
        if self.inside { &FIND_END } else { &FIND_BEGIN }
    }

    fn text(&mut self, text: &[u8], strip_ansi: bool, sink: &mut impl FnMut(Piece<'_>)) {
        emit(text, strip_ansi, |text| {
            if self.inside {
                self.keep(text);
                sink(Piece::Inside(text));
            } else {
                sink(Piece::Log(text));
            }
        });
    }

    fn toggle(&mut self, sink: &mut impl FnMut(Piece<'_>)) {
        if self.inside {
            sink(Piece::Captured(self.buffer.make_contiguous()));
            self.buffer.clear();
            self.buffer.shrink_to(KEPT_CAPACITY);
        }
        self.inside = !self.inside;
    }

    /// Appends to the buffer, dropping the oldest bytes beyond the limit.
    fn keep(&mut self, text: &[u8]) {
        let text = &text[text.len().saturating_sub(self.limit)..];
        let excess = (self.buffer.len() + text.len()).saturating_sub(self.limit);
        self.buffer.drain(..excess);
        self.buffer.extend(text);
    }
}

fn emit(text: &[u8], strip_ansi: bool, sink: impl FnOnce(&[u8])) {
    if text.is_empty() {
        return;
    }
    let text = if strip_ansi {
        ansi::strip(text)
    } else {
        Cow::Borrowed(text)
    };
    sink(&text);
}

/// How many bytes at the end of `data` may be the start of `token`, which begins with the only `<`
/// it has.
fn prefix_at_end(data: &[u8], token: &[u8]) -> usize {
    let tail = &data[data.len().saturating_sub(token.len() - 1)..];
    match memrchr(token[0], tail) {
        Some(position) if token.starts_with(&tail[position..]) => tail.len() - position,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
