//! Texts as Python shows them, where Supervisor's listeners print them so.

use std::fmt::Write as _;

/// A string as Python's `repr` shows it: `'it'`, or `"it's"`.
pub fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for char in text.chars() {
        push_char(char, quote, &mut out);
    }
    out.push(quote);
    out
}

/// A list of strings as Python's `repr` shows it: `['a', 'b']`.
pub fn repr_list<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(|item| repr(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

fn push_char(char: char, quote: char, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match char {
        '\\' => write!(out, "\\\\"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        char if char == quote => write!(out, "\\{char}"),
        ' ' => write!(out, " "),
        char if !char.is_control() && !char.is_whitespace() => write!(out, "{char}"),
        char => match char as u32 {
            code @ ..=0xff => write!(out, "\\x{code:02x}"),
            code => write!(out, "\\u{code:04x}"),
        },
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_shown_like_python() {
        let rows = [
            ("", "''"),
            ("foo", "'foo'"),
            ("it's", "\"it's\""),
            ("\"", "'\"'"),
            ("'\"", "'\\'\"'"),
            ("a\\b\n\r\t", "'a\\\\b\\n\\r\\t'"),
            ("\x00\x7f\u{a0}é", "'\\x00\\x7f\\xa0é'"),
            ("\u{2028}", "'\\u2028'"),
        ];
        for (text, want) in rows {
            assert_eq!(repr(text), want, "{text:?}");
        }
        assert_eq!(repr_list(&["a", "g:b"]), "['a', 'g:b']");
        assert_eq!(repr_list::<&str>(&[]), "[]");
    }
}
