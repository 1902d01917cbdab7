//! The parameters of a page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// What the pages understand; an empty value counts as absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) processname: Option<String>,
    pub(super) action: Option<String>,
    pub(super) message: Option<String>,
    pub(super) limit: Option<String>,
}

impl Form {
    /// Reads a query string and an urlencoded body. The body wins, and of several values the first.
    pub(super) fn parse(query: &str, body: &[u8]) -> Self {
        let mut form = Self::default();
        form.take(body);
        form.take(query.as_bytes());
        form
    }

    fn take(&mut self, encoded: &[u8]) {
        for pair in encoded.split(|byte| *byte == b'&') {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
                continue;
            };
            let field = match decode(name).as_str() {
                "processname" => &mut self.processname,
                "action" => &mut self.action,
                "message" => &mut self.message,
                "limit" => &mut self.limit,
                _ => continue,
            };
            if field.is_none() && !value.is_empty() {
                *field = Some(decode(value));
            }
        }
    }
}

fn decode(text: &[u8]) -> String {
    let spaced: Vec<_> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// What stays as it is in a quoted value.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~');

/// Percent-encodes everything but letters, digits and `/_.-~`.
pub(super) fn quote(text: &str) -> String {
    utf8_percent_encode(text, QUOTED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str, body: &str) -> [Option<String>; 4] {
        let Form {
            processname,
            action,
            message,
            limit,
        } = Form::parse(query, body.as_bytes());
        [processname, action, message, limit]
    }

    #[test]
    fn parameters_come_from_query_and_body() {
        let some = |text: &str| Some(text.to_owned());
        let rows = [
            (
                ("processname=g%3Aa&action=stop", ""),
                [some("g:a"), some("stop"), None, None],
            ),
            (
                ("action=stop", "action=start"),
                [None, some("start"), None, None],
            ),
            (
                ("action=stop&action=start", ""),
                [None, some("stop"), None, None],
            ),
            (
                ("action=&action=start&x=y&&z", ""),
                [None, some("start"), None, None],
            ),
            (
                ("message=a+b%2B%26%zz&limit=10", ""),
                [None, None, some("a b+&%zz"), some("10")],
            ),
            (("message=%ff", ""), [None, None, some("\u{fffd}"), None]),
            (("", ""), [None, None, None, None]),
        ];
        for ((query, body), expected) in rows {
            assert_eq!(parse(query, body), expected, "{query} {body}");
        }
    }

    #[test]
    fn values_are_quoted_as_pythons_urllib_does() {
        assert_eq!(quote("g:a/b c_.-~"), "g%3Aa/b%20c_.-~");
        assert_eq!(quote("\r\n\u{e9}\"<>&'"), "%0D%0A%C3%A9%22%3C%3E%26%27");
    }
}
