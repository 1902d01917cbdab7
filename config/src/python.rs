//! The little of Python that shows through in a configuration: how a value is quoted in a
//! message, and what counts as white space and as an integer.

/// Quotes a text the way Python's `repr` does: `'x'`, or `"it's"`.
pub fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => push_escaped(&mut out, c),
        }
    }
    out.push(quote);
    out
}

/// A list of texts the way Python prints it: `['a', 'b']`.
pub(crate) fn python_list(texts: &[String]) -> String {
    let items: Vec<_> = texts.iter().map(|text| python_repr(text)).collect();
    format!("[{}]", items.join(", "))
}

/// [`python_repr`] with everything outside ASCII escaped (`%a`).
pub(crate) fn python_ascii(text: &str) -> String {
    let mut out = String::new();
    for c in python_repr(text).chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            push_escaped(&mut out, c);
        }
    }
    out
}

fn push_escaped(out: &mut String, c: char) {
    let code = u32::from(c);
    out.push_str(&match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    });
}

/// Whether Python would print `c` as it is. The standard library's tables follow the same Unicode
/// categories; they are asked about `c` in second place, where a combining mark is printable too.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let pair: String = ['a', c].iter().collect();
    pair.escape_debug().nth(1) == Some(c)
}

/// `str.isspace`: Unicode white space and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// `str.strip`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `int(text, radix)`, for radix 8 and 10: surrounding white space, a sign, `_` between digits
/// and, in octal, a prefix `0o`. A number too large is the nearest there is.
pub(crate) fn int(text: &str, radix: u32) -> Option<i64> {
    let text = strip(text);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = match digits.get(..2) {
        Some("0o" | "0O") if radix == 8 => digits[2..].strip_prefix('_').unwrap_or(&digits[2..]),
        _ => digits,
    };
    let mut value: i64 = 0;
    for group in digits.split('_') {
        if group.is_empty() {
            return None;
        }
        for c in group.chars() {
            let digit = i64::from(c.to_digit(radix)?);
            value = value.saturating_mul(i64::from(radix));
            value = if negative {
                value.saturating_sub(digit)
            } else {
                value.saturating_add(digit)
            };
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_python_does() {
        let rows = [
            ("x", "'x'"),
            ("", "''"),
            ("it's", "\"it's\""),
            ("\"it's\"", "'\"it\\'s\"'"),
            ("a\tb\n\\\x00\x7f", "'a\\tb\\n\\\\\\x00\\x7f'"),
            ("é日e\u{301}", "'é日e\u{301}'"),
            ("\u{a0}\u{ad}\u{2028}\u{e000}", "'\\xa0\\xad\\u2028\\ue000'"),
            ("\u{10ffff}", "'\\U0010ffff'"),
        ];
        for (text, want) in rows {
            assert_eq!(python_repr(text), want);
        }
        assert_eq!(python_ascii("é日😀"), "'\\xe9\\u65e5\\U0001f600'");
        assert_eq!(
            python_list(&["a".to_owned(), "b'".to_owned()]),
            "['a', \"b'\"]"
        );
    }

    #[test]
    fn integers_are_read_as_python_does() {
        let rows = [
            ("12", 10, Some(12)),
            (" -1_000\n", 10, Some(-1000)),
            ("+7", 10, Some(7)),
            ("1.5", 10, None),
            ("", 10, None),
            ("_1", 10, None),
            ("1__0", 10, None),
            ("1_", 10, None),
            ("--1", 10, None),
            ("- 1", 10, None),
            ("0x10", 10, None),
            ("99999999999999999999", 10, Some(i64::MAX)),
            ("-99999999999999999999", 10, Some(i64::MIN)),
            ("022", 8, Some(18)),
            ("0o22", 8, Some(18)),
            ("0O_22", 8, Some(18)),
            ("-7", 8, Some(-7)),
            ("8", 8, None),
            ("0o", 8, None),
            ("0o22", 10, None),
        ];
        for (text, radix, want) in rows {
            assert_eq!(int(text, radix), want, "{text}");
        }
    }
}
