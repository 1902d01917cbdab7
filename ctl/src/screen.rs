//! Standard output: a terminal may show progress and colours, anything else gets plain lines.

use std::borrow::Cow;
use std::env;
use std::io::{self, IsTerminal as _, Write};

use protocol::states::ProcessState;

/// What the output can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Lines for programs to read, the original's to the byte.
    Plain,
    /// A terminal with somebody in front of it.
    Terminal {
        /// Whether colours are welcome.
        colour: bool,
    },
}

impl Look {
    /// What standard output can do. `NO_COLOR` with any content turns colours off, `TERM=dumb` everything.
    pub(crate) fn detect() -> Self {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        if is_dumb || !io::stdout().is_terminal() {
            return Self::Plain;
        }
        Self::Terminal {
            colour: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// Standard output. Writing to it erases the progress line first.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    look: Look,
    shows_progress: bool,
}

impl Screen {
    /// An output that can do what `look` says.
    pub(crate) const fn new(out: Box<dyn Write>, look: Look) -> Self {
        Self {
            out,
            look,
            shows_progress: false,
        }
    }

    /// Whether somebody is watching.
    pub(crate) const fn is_terminal(&self) -> bool {
        matches!(self.look, Look::Terminal { .. })
    }

    /// Shows a line until something else is written. The terminal cuts what is too long for it.
    pub(crate) fn show_progress(&mut self, text: &str) -> io::Result<()> {
        // Without automatic margins a long line stays one line, which can be erased.
        write!(self.out, "\r\x1b[?7l{text}\x1b[K\x1b[?7h")?;
        self.shows_progress = true;
        self.out.flush()
    }

    /// Takes the progress line away.
    pub(crate) fn erase_progress(&mut self) -> io::Result<()> {
        if !self.shows_progress {
            return Ok(());
        }
        self.shows_progress = false;
        self.out.write_all(b"\r\x1b[K")
    }

    /// The escape sequence that begins the colour of a state; empty without colours or for a state of no concern.
    pub(crate) const fn colour(&self, state: Option<ProcessState>) -> &'static str {
        let Look::Terminal { colour: true } = self.look else {
            return "";
        };
        match state {
            Some(ProcessState::Running) => "\x1b[32m",
            Some(ProcessState::Starting | ProcessState::Stopping | ProcessState::Backoff) => {
                "\x1b[33m"
            }
            Some(ProcessState::Fatal | ProcessState::Unknown) => "\x1b[31m",
            Some(ProcessState::Stopped | ProcessState::Exited) | None => "",
        }
    }
}

/// The text, with control characters other than those that lay lines out escaped: they might move the cursor, or talk to
/// the terminal.
pub(crate) fn legible(text: &str) -> Cow<'_, str> {
    let is_raw = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_raw) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_raw(character) {
            true => escaped.extend(character.escape_default()),
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.erase_progress()?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let rows = [
            ("web: started", "web: started"),
            ("one\n\ttwo ü", "one\n\ttwo ü"),
            ("\x1b[2Jgone\r\u{9b}1m", "\\u{1b}[2Jgone\\r\\u{9b}1m"),
        ];
        for (text, expected) in rows {
            assert_eq!(legible(text), expected);
        }
    }
}
