//! Payloads: how long they are, where they end, and the fields on their first line.

/// The length a header announces for `payload`: characters.
///
/// Supervisor 4.3.0 counts Unicode code points, though its documentation says bytes; listeners that read text rely on it.
pub fn payload_len(payload: &str) -> usize {
    payload.chars().count()
}

/// Finds the end of a payload of so many characters in a stream of UTF-8 cut anywhere.
///
/// A byte that belongs to no character counts as one, so that a broken payload cannot swallow what follows it.
#[derive(Debug, Clone)]
pub struct PayloadDecoder {
    /// Characters that have not begun.
    ahead: usize,
    /// Bytes the character that has begun still wants.
    wanted: u8,
}

impl PayloadDecoder {
    /// A decoder for a payload of `len` characters.
    pub const fn new(len: usize) -> Self {
        Self {
            ahead: len,
            wanted: 0,
        }
    }

    /// How many of the first of these bytes belong to the payload. Fewer than all of them only if it ends there.
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.is_complete() {
            let plain = if self.wanted == 0 {
                self.plain(&bytes[taken..])
            } else {
                0
            };
            if plain > 0 {
                self.ahead -= plain;
                taken += plain;
            } else if self.byte(bytes[taken]) {
                taken += 1;
            }
        }
        taken
    }

    /// Whether the whole payload was seen.
    pub const fn is_complete(&self) -> bool {
        self.ahead == 0 && self.wanted == 0
    }

    /// The number of one-byte characters the payload goes on with.
    fn plain(&self, bytes: &[u8]) -> usize {
        let bytes = &bytes[..bytes.len().min(self.ahead)];
        if bytes.is_ascii() {
            return bytes.len();
        }
        bytes.iter().take_while(|byte| byte.is_ascii()).count()
    }

    /// Whether the byte belongs to the payload. It does not when it cuts the last character short.
    const fn byte(&mut self, byte: u8) -> bool {
        if self.wanted > 0 {
            if is_continuation(byte) {
                self.wanted -= 1;
                return true;
            }
            self.wanted = 0;
            if self.ahead == 0 {
                return false;
            }
        }
        self.ahead -= 1;
        self.wanted = continuations(byte);
        true
    }
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// How many bytes the character that starts with this byte has after it.
const fn continuations(first: u8) -> u8 {
    match first {
        0xC2..=0xDF => 1,
        0xE0..=0xEF => 2,
        0xF0..=0xF4 => 3,
        _ => 0,
    }
}

/// The `key:value` tokens of a header or of the first line of a payload, in order.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    tokens: std::str::SplitWhitespace<'a>,
}

impl<'a> Fields<'a> {
    /// The fields of `line`: words parted by blanks, each split at its first colon. Words without one are passed over.
    pub fn new(line: &'a str) -> Self {
        Self {
            tokens: line.split_whitespace(),
        }
    }

    /// The value of `key`; of several, the last.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let matching = self.clone().filter(|(name, _)| *name == key);
        matching.last().map(|(_, value)| value)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.tokens.find_map(|token| token.split_once(':'))
    }
}

/// Splits a payload into the fields of its first line and the data after it.
pub fn split_payload(payload: &str) -> (Fields<'_>, &str) {
    let (line, data) = payload.split_once('\n').unwrap_or((payload, ""));
    (Fields::new(line), data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_in_characters() {
        for (payload, len) in [("", 0), ("when:5", 6), ("type:typ\ndéta", 13), ("€𝄞", 2)] {
            assert_eq!(payload_len(payload), len, "{payload}");
        }
    }

    #[test]
    fn broken_characters_do_not_swallow_the_next_header() {
        let rows: [(&[u8], usize, usize); 6] = [
            (b"\xffver", 1, 1),
            (b"\x80\x80ver", 2, 2),
            (b"a\xc3ver", 2, 2),
            (b"\xe2\x82ver", 1, 2),
            (b"\xc3a\xc3\xa9ver", 3, 4),
            (b"\xf8\xc0ver", 2, 2),
        ];
        for (bytes, len, taken) in rows {
            let mut payload = PayloadDecoder::new(len);
            assert_eq!(payload.feed(bytes), taken, "{bytes:?}");
            assert!(payload.is_complete());
        }
    }

    #[test]
    fn fields_are_split_at_the_first_colon() {
        let (fields, data) =
            split_payload("processname:a:b groupname:g lonely pid: expected:0 expected:1\nx:y\n");
        assert_eq!(fields.get("processname"), Some("a:b"));
        assert_eq!(fields.get("groupname"), Some("g"));
        assert_eq!(fields.get("pid"), Some(""));
        assert_eq!(fields.get("expected"), Some("1"));
        assert_eq!(fields.get("x"), None);
        assert_eq!(data, "x:y\n");
        assert_eq!(fields.count(), 5);
        assert_eq!(split_payload("").1, "");
    }

    proptest! {
        #[test]
        fn a_payload_ends_where_its_characters_do(
            payload in ".{0,20}",
            rest in prop::collection::vec(any::<u8>().prop_filter("starts a character", |b| !is_continuation(*b)), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let bytes = [payload.as_bytes(), &rest].concat();
            let cut = cut.index(bytes.len() + 1);
            let mut decoder = PayloadDecoder::new(payload_len(&payload));
            let mut taken = decoder.feed(&bytes[..cut]);
            if taken == cut {
                taken += decoder.feed(&bytes[cut..]);
            }
            prop_assert_eq!(taken, payload.len());
            prop_assert!(decoder.is_complete());
        }

        #[test]
        fn any_bytes_are_measured(bytes in prop::collection::vec(any::<u8>(), 0..32), len in 0usize..40) {
            let mut decoder = PayloadDecoder::new(len);
            let taken = decoder.feed(&bytes);
            prop_assert!(taken <= bytes.len());
            prop_assert!(taken == bytes.len() || decoder.is_complete());
        }
    }
}
