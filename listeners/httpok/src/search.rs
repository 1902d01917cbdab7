//! A text in a body that comes in pieces.

use std::io::{self, ErrorKind, Read};

const PIECE: usize = 8 * 1024;

/// Reads to the end; returns whether `text` was in there. Of the body, one piece and a text's length are kept.
///
/// # Errors
/// As reading.
pub(crate) fn contains(body: &mut impl Read, text: &[u8]) -> io::Result<bool> {
    let mut window = Vec::with_capacity(PIECE + text.len());
    let mut piece = [0; PIECE];
    let mut found = text.is_empty();
    loop {
        let length = match body.read(&mut piece) {
            Ok(0) => return Ok(found),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if found {
            continue;
        }
        window.extend_from_slice(&piece[..length]);
        found = window
            .windows(text.len())
            .any(|candidate| candidate == text);
        let kept = window.len().min(text.len() - 1);
        window.drain(..window.len() - kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn a_text_is_found_across_pieces() {
        let rows: [(&str, &str, bool); 8] = [
            ("abcdef", "cde", true),
            ("abcdef", "abcdef", true),
            ("abcdef", "f", true),
            ("abcdef", "", true),
            ("", "", true),
            ("", "a", false),
            ("abcdef", "cdf", false),
            ("aaab", "aab", true),
        ];
        for (body, text, want) in rows {
            for piece in 1..=7 {
                let mut body = BufReader::with_capacity(piece, OneByOne(body.as_bytes(), piece));
                let found = contains(&mut body, text.as_bytes()).expect("it can be read");
                assert_eq!(found, want, "{text} in pieces of {piece}");
            }
        }
    }

    /// A reader that gives at most so many bytes at a time.
    struct OneByOne<'a>(&'a [u8], usize);

    impl Read for OneByOne<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len());
            self.0.read(&mut buffer[..length])
        }
    }
}
