//! The syntax of a configuration file: that of Python's `RawConfigParser`, set up as Supervisor
//! does it (comments `#` and `;`, also after white space within a line; nothing is strict).
//!
//! Two differences. Of several inline comments in a line the leftmost counts, as in Python 3.13.
//! Python up to 3.12 overlooks it in rare cases. And reading never stops at an error: a whole file is
//! worth checking even if some of it is wrong.
//!
//! No library for `.ini` files stands behind this. The nearest, the crate `configparser`, agrees with
//! Python on little more than half of 542 tricky texts; made a mere store for what is read here, it
//! would want every value escaped and parsed a second time, and could not keep the file and line of a
//! value, which messages and `%(here)s` need. What is left of it is a map of maps.

use std::sync::Arc;

use thiserror::Error;

use crate::document::{Document, Place, SectionId, SourceFile, Value};
use crate::python::{is_space, python_repr, strip};

/// A file that is no configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SyntaxError {
    /// Bytes that are not UTF-8.
    #[error("'utf-8' codec can't decode {bytes}: {why} ({file})")]
    Encoding {
        /// The file, as it was named.
        file: String,
        /// Which bytes, and where.
        bytes: String,
        /// What is wrong with them.
        why: &'static str,
    },
    /// Something other than a comment before the first section.
    #[error(
        "File contains no section headers.\nfile: {}, line: {line}\n{}",
        python_repr(file),
        python_repr(text)
    )]
    NoSection {
        /// The file, as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What it says, line end included.
        text: String,
    },
    /// Lines that are neither headers nor options.
    #[error(
        "Source contains parsing errors: {}{}",
        python_repr(file),
        list_lines(lines)
    )]
    Lines {
        /// The file, as it was named.
        file: String,
        /// Their numbers and texts, line ends included.
        lines: Vec<(usize, String)>,
    },
}

fn list_lines(lines: &[(usize, String)]) -> String {
    let list = lines.iter();
    list.map(|(number, text)| format!("\n\t[line {number:2}]: {}", python_repr(text)))
        .collect()
}

/// Reads one file into `document`, over what is there already. Returns what is wrong with it, the
/// first being what Python would report; `document` then has the rest.
pub(crate) fn read(
    bytes: &[u8],
    file: &Arc<SourceFile>,
    document: &mut Document,
) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        errors.push(encoding_error(bytes, error, file));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = Reader {
        file,
        document,
        section: None,
        option: None,
        indent: 0,
        errors,
        bad_lines: Vec::new(),
    };
    for (at, line) in universal_lines(text).enumerate() {
        reader.line(at + 1, &line);
    }
    reader.finish()
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    document: &'a mut Document,
    section: Option<SectionId>,
    /// The option whose value may go on.
    option: Option<OpenOption>,
    /// Indentation of the last header or option, in characters.
    indent: usize,
    errors: Vec<SyntaxError>,
    bad_lines: Vec<(usize, String)>,
}

struct OpenOption {
    name: String,
    text: String,
    line: usize,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &Line<'_>) {
        let (content, had_comment) = without_comment(line.text);
        let content = strip(content);
        if content.is_empty() {
            if let Some(option) = self.option.as_mut().filter(|_| !had_comment) {
                option.text.push('\n');
            }
            return;
        }
        let indent = line.text.chars().take_while(|&c| is_space(c)).count();
        if let Some(option) = self.option.as_mut().filter(|_| indent > self.indent) {
            option.text.push('\n');
            option.text.push_str(content);
            return;
        }
        self.indent = indent;
        if let Some(name) = header(content) {
            self.close_option();
            let place = self.place(number);
            self.section = Some(self.document.enter(name, place));
        } else if self.section.is_some() {
            self.option_line(number, line, content);
        } else {
            self.homeless(number, line);
        }
    }

    /// Something before the first header: one error for all of it.
    fn homeless(&mut self, number: usize, line: &Line<'_>) {
        let is_known = |error: &SyntaxError| matches!(error, SyntaxError::NoSection { .. });
        if !self.errors.iter().any(is_known) {
            self.errors.push(SyntaxError::NoSection {
                file: self.file.spelled.clone(),
                line: number,
                text: line.for_message(),
            });
        }
    }

    fn option_line(&mut self, number: usize, line: &Line<'_>, content: &str) {
        let Some(at) = content.find(['=', ':']) else {
            self.bad_lines.push((number, line.for_message()));
            return;
        };
        self.close_option();
        let name = strip(&content[..at]).to_lowercase();
        if name.is_empty() {
            self.bad_lines.push((number, line.for_message()));
            return;
        }
        self.option = Some(OpenOption {
            name,
            text: strip(&content[at + 1..]).to_owned(),
            line: number,
        });
    }

    /// Puts the option read last into the document.
    fn close_option(&mut self) {
        let (Some(section), Some(mut option)) = (self.section, self.option.take()) else {
            return;
        };
        option
            .text
            .truncate(option.text.trim_end_matches(is_space).len());
        let value = Value {
            text: option.text,
            place: self.place(option.line),
        };
        self.document.set(section, option.name, value);
    }

    fn place(&self, line: usize) -> Place {
        Place {
            file: self.file.clone(),
            line,
        }
    }

    fn finish(mut self) -> Vec<SyntaxError> {
        self.close_option();
        if !self.bad_lines.is_empty() {
            self.errors.push(SyntaxError::Lines {
                file: self.file.spelled.clone(),
                lines: self.bad_lines,
            });
        }
        self.errors
    }
}

struct Line<'a> {
    /// Without its end.
    text: &'a str,
    /// Has an end: only the last line of a file may have none.
    ended: bool,
}

impl Line<'_> {
    /// The line as Python shows it: with its end, whatever that was, as `\n`.
    fn for_message(&self) -> String {
        format!("{}{}", self.text, if self.ended { "\n" } else { "" })
    }
}

/// Lines that end in `\n`, `\r\n` or `\r`.
fn universal_lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let bytes = rest.as_bytes();
        let end = bytes
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(bytes.len());
        let next = match &bytes[end..] {
            [b'\r', b'\n', ..] => end + 2,
            [] => end,
            _ => end + 1,
        };
        let line = Line {
            text: &rest[..end],
            ended: next > end,
        };
        rest = &rest[next..];
        Some(line)
    })
}

/// The part of a line before a comment, and whether there is one.
fn without_comment(line: &str) -> (&str, bool) {
    if line.trim_start_matches(is_space).starts_with(['#', ';']) {
        return ("", true);
    }
    for (at, _) in line.match_indices(['#', ';']) {
        if at == 0 || line[..at].ends_with(is_space) {
            return (&line[..at], true);
        }
    }
    (line, false)
}

/// The name in a section header: everything up to the last bracket, but something.
fn header(content: &str) -> Option<&str> {
    let inner = content.strip_prefix('[')?;
    let end = inner.rfind(']').filter(|&end| end > 0)?;
    Some(&inner[..end])
}

/// Python's words for bytes that are not UTF-8.
fn encoding_error(bytes: &[u8], error: std::str::Utf8Error, file: &SourceFile) -> SyntaxError {
    let start = error.valid_up_to();
    let rest = &bytes[start..];
    let (length, why) = match error.error_len() {
        None => (rest.len(), "unexpected end of data"),
        Some(length) if matches!(rest[0], 0xc2..=0xf4) => (length, "invalid continuation byte"),
        Some(length) => (length, "invalid start byte"),
    };
    let bytes = if length == 1 {
        format!("byte 0x{:02x} in position {start}", rest[0])
    } else {
        format!("bytes in position {start}-{}", start + length - 1)
    };
    SyntaxError::Encoding {
        file: file.spelled.clone(),
        bytes,
        why,
    }
}

#[cfg(test)]
mod tests;
