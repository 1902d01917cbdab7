//! Taking ANSI escape sequences out of child output, by Supervisor's rule.
//!
//! What goes is `ESC [` up to and including the next of `H f A B C D R s u J K h l p m`. Sequences
//! with another final letter swallow text up to such a letter; a sequence that the read has cut
//! swallows the rest of the chunk; other escapes stay.

use std::borrow::Cow;

use memchr::{memchr, memmem};

const ESCAPE: u8 = b'\x1b';
const BEGIN: &[u8] = b"\x1b[";

/// Which bytes end a sequence; a look-up, as most sequences are only a few bytes long.
const IS_FINAL: [bool; 256] = {
    let finals = b"HfABCDRsuJKhlpm";
    let mut table = [false; 256];
    let mut index = 0;
    while index < finals.len() {
        table[finals[index] as usize] = true;
        index += 1;
    }
    table
};

/// The chunk without escape sequences; borrowed if it has none.
pub fn strip(chunk: &[u8]) -> Cow<'_, [u8]> {
    // One byte is searched faster than two, and most output has no escape at all.
    let first = memchr(ESCAPE, chunk)
        .and_then(|escape| memmem::find(&chunk[escape..], BEGIN).map(|offset| escape + offset));
    match first {
        None => Cow::Borrowed(chunk),
        Some(first) => Cow::Owned(strip_from(chunk, first)),
    }
}

/// `chunk` with the first sequence at `begin`.
fn strip_from(chunk: &[u8], begin: usize) -> Vec<u8> {
    let mut kept = Vec::with_capacity(chunk.len());
    let (text, mut rest) = chunk.split_at(begin);
    kept.extend_from_slice(text);
    loop {
        if let Some(sequence) = rest.strip_prefix(BEGIN) {
            let Some(end) = sequence
                .iter()
                .position(|&byte| IS_FINAL[usize::from(byte)])
            else {
                return kept;
            };
            rest = &sequence[end + 1..];
        } else if let Some((escape, others)) = rest.split_first() {
            kept.push(*escape);
            rest = others;
        }
        let length = memchr(ESCAPE, rest).unwrap_or(rest.len());
        let (text, others) = rest.split_at(length);
        kept.extend_from_slice(text);
        if others.is_empty() {
            return kept;
        }
        rest = others;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sequences_go_and_the_rest_stays() {
        let rows: [(&str, &str); 10] = [
            ("plain", "plain"),
            ("", ""),
            ("\x1b[31mred\x1b[0m", "red"),
            ("a\x1b[2Jb\x1b[10;20Hc", "abc"),
            ("\x1b]0;title\x07x", "\x1b]0;title\x07x"),
            ("\x1b(Bx\x1b[mx", "\x1b(Bxx"),
            // G is not a known final: the text up to the next known letter goes with it.
            ("\x1b[5Gwide column", "umn"),
            ("cut \x1b[3", "cut "),
            ("cut \x1b", "cut \x1b"),
            ("\x1b\x1b[1mx\x1b[", "\x1bx"),
        ];
        for (input, output) in rows {
            assert_eq!(strip(input.as_bytes()), output.as_bytes(), "{input:?}");
        }
        assert!(matches!(strip(b"\x1bno sequence"), Cow::Borrowed(_)));
    }

    /// The rule, one byte after the other.
    fn by_the_book(chunk: &[u8]) -> Vec<u8> {
        let (mut kept, mut inside) = (Vec::new(), false);
        for (index, byte) in chunk.iter().enumerate() {
            if inside {
                inside = !IS_FINAL[usize::from(*byte)];
            } else if chunk[index..].starts_with(BEGIN) {
                inside = true;
            } else {
                kept.push(*byte);
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn every_chunk_follows_the_rule(chunk in "(\x1b|\\[|m|H|G|[0-9;]|text|é){0,40}") {
            prop_assert_eq!(strip(chunk.as_bytes()).into_owned(), by_the_book(chunk.as_bytes()));
        }
    }
}
