//! Lines of several logs, each with the name of its log in front.

use std::io::{self, Write};

/// A line longer than this, in bytes, is shown in pieces.
const MAX_LINE: usize = 64 * 1024;

/// Puts pieces of logs together to lines, so that lines of different logs never mix.
pub(crate) struct Labels {
    logs: Vec<Log>,
}

struct Log {
    label: String,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
}

impl Labels {
    /// Logs of these names, which are padded to one width.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let width = names.clone().map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0);
        let log = |name| Log {
            label: format!("{name:width$} | "),
            begun: Vec::new(),
        };
        Self {
            logs: names.map(log).collect(),
        }
    }

    /// Writes the lines that a piece of a log completes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(
        &mut self,
        log: usize,
        piece: &[u8],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Some(log) = self.logs.get_mut(log) else {
            return Ok(());
        };
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            log.line(&rest[..end], out)?;
            rest = &rest[end + 1..];
        }
        log.begun.extend_from_slice(rest);
        if log.begun.len() > MAX_LINE {
            log.line(&[], out)?;
        }
        out.flush()
    }

    /// Writes lines that have begun and will not end any more.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut begun = self.logs.iter_mut().filter(|log| !log.begun.is_empty());
        begun.try_for_each(|log| log.line(&[], out))?;
        out.flush()
    }
}

impl Log {
    fn line(&mut self, end: &[u8], out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.label.as_bytes())?;
        out.write_all(&self.begun)?;
        out.write_all(end)?;
        self.begun.clear();
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(names: &[&str], pieces: &[(usize, &[u8])]) -> String {
        let mut labels = Labels::new(names.iter().copied());
        let mut out = Vec::new();
        for (log, piece) in pieces {
            labels.write(*log, piece, &mut out).unwrap();
        }
        labels.finish(&mut out).unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn lines_stay_whole() {
        let pieces: [(usize, &[u8]); 6] = [
            (0, b"one\ntw"),
            (1, b"other\n"),
            (0, b"o\n\n"),
            (1, b"\xff"),
            (0, b"end"),
            (7, b"nobody's"),
        ];
        let expected = "a   | one\nb:x | other\na   | two\na   | \na   | end\nb:x | \u{fffd}\n";
        assert_eq!(shown(&["a", "b:x"], &pieces), expected);
    }

    #[test]
    fn endless_lines_are_cut() {
        let piece = vec![b'x'; MAX_LINE];
        let lines = shown(&["a"], &[(0, &piece), (0, &piece), (0, b"y\n")]);
        assert_eq!(lines.lines().count(), 2);
        assert_eq!(lines.matches('x').count(), 2 * MAX_LINE);
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(text in "[ab\n]{0,20}", cut in 0_usize..20) {
            let cut = cut.min(text.len());
            let whole = shown(&["l"], &[(0, text.as_bytes())]);
            let (before, after) = text.as_bytes().split_at(cut);
            prop_assert_eq!(shown(&["l"], &[(0, before), (0, after)]), whole);
        }
    }
}
