//! Turning chunks of child output into text, for events and the debug copy in the activity log.

use std::borrow::Cow;
use std::str;

/// The longest beginning of a character that can be incomplete.
const LONGEST_INCOMPLETE: usize = 3;

/// Decodes a stream of UTF-8 that has been read in arbitrary chunks.
///
/// A character cut by the end of a chunk waits for the next one. A chunk that is not UTF-8 becomes
/// `Undecodable: b'...'` as a whole, as Supervisor has it (which does so for cut characters, too).
#[derive(Debug, Clone, Default)]
pub struct TextDecoder {
    incomplete: [u8; LONGEST_INCOMPLETE],
    held: usize,
}

impl TextDecoder {
    /// The text of the next chunk. Empty if all there is of it is the start of a character.
    pub fn decode<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, str> {
        if self.held == 0 {
            return match self.split(chunk) {
                Some(text) => Cow::Borrowed(text),
                None => Cow::Owned(undecodable(chunk)),
            };
        }
        let joined = [&self.incomplete[..self.held], chunk].concat();
        self.held = 0;
        Cow::Owned(match self.split(&joined) {
            Some(text) => text.to_owned(),
            None => undecodable(&joined),
        })
    }

    /// The beginning of a character that is not complete yet.
    pub fn held(&self) -> &[u8] {
        &self.incomplete[..self.held]
    }

    /// One that goes on after the beginning of a character.
    pub fn after(held: &[u8]) -> Self {
        let mut decoder = Self::default();
        // What is no such beginning has been dealt with.
        let _ = decoder.decode(held);
        decoder
    }

    /// At the end of the stream: what became of a character that never got complete.
    pub fn finish(&mut self) -> Option<String> {
        let held = std::mem::take(&mut self.held);
        (held > 0).then(|| undecodable(&self.incomplete[..held]))
    }

    /// The valid text up to an incomplete character, which is kept. `None`: not UTF-8.
    fn split<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a str> {
        let error = match str::from_utf8(bytes) {
            Ok(text) => return Some(text),
            Err(error) => error,
        };
        if error.error_len().is_some() {
            return None;
        }
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        self.incomplete.get_mut(..rest.len())?.copy_from_slice(rest);
        self.held = rest.len();
        str::from_utf8(valid).ok()
    }
}

/// A piece of data on its own as text: nothing is kept for the next one.
pub fn decode_whole(data: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(data) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(undecodable(data)),
    }
}

fn undecodable(data: &[u8]) -> String {
    format!("Undecodable: {}", bytes_repr(data))
}

/// Bytes the way Python prints them: `b'x\xff\n'`.
pub fn bytes_repr(data: &[u8]) -> String {
    let quote = if data.contains(&b'\'') && !data.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut text = String::with_capacity(data.len() + 3);
    text.push('b');
    text.push(quote.into());
    for &byte in data {
        match byte {
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\\' => text.push_str("\\\\"),
            _ if byte == quote => text.extend(['\\', quote.into()]),
            b' '..=b'~' => text.push(byte.into()),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
                text.extend(['\\', 'x', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    text.push(quote.into());
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Chunks, their texts, what is left at the end.
    type Row = (
        &'static [&'static [u8]],
        &'static [&'static str],
        Option<&'static str>,
    );

    #[test]
    fn chunks_become_text() {
        let rows: [Row; 7] = [
            (&[b"plain", b"text"], &["plain", "text"], None),
            (&[b"x\xff\xfe"], &[r"Undecodable: b'x\xff\xfe'"], None),
            (&[b"d\xc3", b"\xa9t\xc3", b"\xa9"], &["d", "ét", "é"], None),
            (&[b"\xf0", b"\x9f\x98", b"\x80!"], &["", "", "😀!"], None),
            (&[b"a\xc3", b"b"], &["a", r"Undecodable: b'\xc3b'"], None),
            (
                &[b"\xffa\xc3", b"b"],
                &[r"Undecodable: b'\xffa\xc3'", "b"],
                None,
            ),
            (
                &[b"end\xe2\x82"],
                &["end"],
                Some(r"Undecodable: b'\xe2\x82'"),
            ),
        ];
        for (chunks, texts, rest) in rows {
            let mut decoder = TextDecoder::default();
            let decoded: Vec<_> = chunks.iter().map(|chunk| decoder.decode(chunk)).collect();
            assert_eq!(decoded, texts);
            assert_eq!(decoder.finish().as_deref(), rest);
            assert_eq!(decoder.finish(), None);
        }
    }

    #[test]
    fn bytes_are_quoted_like_pythons() {
        let rows: [(&[u8], &str); 5] = [
            (b"READY\n", r"b'READY\n'"),
            (b"\x00\t\r\x7f\x80\\", r"b'\x00\t\r\x7f\x80\\'"),
            (b"it's", r#"b"it's""#),
            (b"it's \"", r#"b'it\'s "'"#),
            (b"", "b''"),
        ];
        for (data, text) in rows {
            assert_eq!(bytes_repr(data), text);
        }
        assert_eq!(decode_whole("é".as_bytes()), "é");
        assert_eq!(decode_whole(b"\xc3"), r"Undecodable: b'\xc3'");
    }

    proptest! {
        #[test]
        fn valid_text_survives_any_split(text in "\\PC{0,60}", size in 1_usize..8) {
            let mut decoder = TextDecoder::default();
            let decoded: String =
                text.as_bytes().chunks(size).map(|chunk| decoder.decode(chunk).into_owned()).collect();
            prop_assert_eq!(decoded, text);
            prop_assert_eq!(decoder.finish(), None);
        }
    }
}
