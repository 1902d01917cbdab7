//! Shell-like word splitting: Python's `shlex` in its POSIX mode, for commands and, with other
//! word characters, for `environment=`.

use thiserror::Error;

/// A text that ends too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ShlexError {
    /// Inside quotes.
    #[error("No closing quotation")]
    NoClosingQuotation,
    /// After a backslash.
    #[error("No escaped character")]
    NoEscapedCharacter,
}

/// Splits a command line into words. Quotes and backslashes work as in a POSIX shell; nothing
/// else is special, and there are no comments.
///
/// # Errors
/// A quotation or escape that does not end.
pub fn split(text: &str) -> Result<Vec<String>, ShlexError> {
    let mut lexer = Lexer::new(text, |_| true, None);
    let mut words = Vec::new();
    while let Some(token) = lexer.next_token()? {
        words.push(token.text);
    }
    Ok(words)
}

/// A word, or a character that is no part of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Without quotes and escapes.
    pub(crate) text: String,
    /// A comment began within or right after it.
    pub(crate) cut: bool,
}

/// Takes a text apart, token by token.
pub(crate) struct Lexer<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    is_word: fn(char) -> bool,
    comment: Option<char>,
}

impl<'a> Lexer<'a> {
    /// A lexer for `text`. Characters that are neither of a word nor special are tokens of their
    /// own; `comment` begins a comment anywhere outside quotes.
    pub(crate) fn new(text: &'a str, is_word: fn(char) -> bool, comment: Option<char>) -> Self {
        Self {
            chars: text.chars().peekable(),
            is_word,
            comment,
        }
    }

    /// The next token; `None` at the end.
    pub(crate) fn next_token(&mut self) -> Result<Option<Token>, ShlexError> {
        self.skip_blanks();
        let mut text = String::new();
        let mut started = false;
        let mut cut = false;
        while let Some(&c) = self.chars.peek() {
            if is_blank(c) {
                break;
            } else if self.comment == Some(c) {
                self.skip_line();
                cut = true;
                break;
            }
            match c {
                '\'' | '"' => {
                    self.chars.next();
                    self.quoted(c, &mut text)?;
                }
                '\\' => {
                    self.chars.next();
                    text.push(self.chars.next().ok_or(ShlexError::NoEscapedCharacter)?);
                }
                c if (self.is_word)(c) => {
                    self.chars.next();
                    text.push(c);
                }
                c if !started => {
                    self.chars.next();
                    text.push(c);
                    return Ok(Some(Token { text, cut }));
                }
                _ => break,
            }
            started = true;
        }
        Ok(started.then_some(Token { text, cut }))
    }

    /// Reads to the closing quote.
    fn quoted(&mut self, quote: char, text: &mut String) -> Result<(), ShlexError> {
        loop {
            match self.chars.next() {
                None => return Err(ShlexError::NoClosingQuotation),
                Some(c) if c == quote => return Ok(()),
                Some('\\') if quote == '"' => match self.chars.next() {
                    None => return Err(ShlexError::NoEscapedCharacter),
                    Some(c @ ('"' | '\\')) => text.push(c),
                    Some(c) => text.extend(['\\', c]),
                },
                Some(c) => text.push(c),
            }
        }
    }

    fn skip_blanks(&mut self) {
        while let Some(&c) = self.chars.peek() {
            if self.comment == Some(c) {
                self.skip_line();
            } else if is_blank(c) {
                self.chars.next();
            } else {
                break;
            }
        }
    }

    fn skip_line(&mut self) {
        while self.chars.next().is_some_and(|c| c != '\n') {}
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked against Python's `shlex.split`.
    #[test]
    fn commands() {
        let rows: [(&str, &[&str]); 12] = [
            ("", &[]),
            (" a\tb\r\nc ", &["a", "b", "c"]),
            ("a 'b c'd \"e\" ''", &["a", "b cd", "e", ""]),
            ("a\\ b c\\\nd", &["a b", "c\nd"]),
            (r#""a\"b\\c\d\$""#, &[r#"a"b\c\d\$"#]),
            (r"'a\b'", &[r"a\b"]),
            ("a#b # c", &["a#b", "#", "c"]),
            ("x;y|z>w", &["x;y|z>w"]),
            ("\"\"a", &["a"]),
            ("é\u{a0}日", &["é\u{a0}日"]),
            ("--x=\"a b\"", &["--x=a b"]),
            ("bash -c 'echo \"$X\"'", &["bash", "-c", "echo \"$X\""]),
        ];
        for (text, want) in rows {
            let want: Vec<_> = want.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(split(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn unfinished_commands() {
        let rows = [
            ("a 'b", ShlexError::NoClosingQuotation),
            ("\"a", ShlexError::NoClosingQuotation),
            ("a\\", ShlexError::NoEscapedCharacter),
            ("\"a\\", ShlexError::NoEscapedCharacter),
        ];
        for (text, want) in rows {
            assert_eq!(split(text), Err(want), "{text}");
        }
    }
}
