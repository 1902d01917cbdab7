//! Reading the URL.

use ureq::http::Uri;

/// Bytes that a URL may not contain as they are, though people write them.
const UNSAFE: &[u8] = b"<>`^\\ ";

/// A URL that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(Uri);

/// Why a text is no such URL.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// The scheme, in small letters, is neither http nor https.
    #[error("Bad scheme {0}")]
    Scheme(String),
    /// The rest makes no sense.
    #[error("Bad URL {0}")]
    Url(String),
}

impl Target {
    /// Reads a URL. A fragment is dropped; what must not be in a URL is escaped.
    ///
    /// # Errors
    /// When the scheme is neither http nor https, or there is no host.
    pub(crate) fn parse(url: &str) -> Result<Self, TargetError> {
        let text = url.trim_start_matches(|char: char| char <= ' ');
        let scheme = scheme(text).to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(TargetError::Scheme(scheme));
        }
        let rest = &text[scheme.len()..];
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let uri = escape(&format!("{scheme}{rest}")).parse::<Uri>().ok();
        let uri = uri.filter(|uri| uri.host().is_some_and(|host| !host.is_empty()));
        // The parser accepts any text as a port; it is no number then.
        let uri = uri.filter(|uri| match uri.authority() {
            Some(authority) => !has_port(authority.as_str()) || uri.port_u16().is_some(),
            None => false,
        });
        uri.map(Self)
            .ok_or_else(|| TargetError::Url(url.to_owned()))
    }

    /// The URL to ask for.
    pub(crate) const fn uri(&self) -> &Uri {
        &self.0
    }
}

/// What stands before the first colon, if it can be a scheme; otherwise nothing.
fn scheme(url: &str) -> &str {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let possible = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    if scheme.starts_with(|char: char| char.is_ascii_alphabetic()) && scheme.chars().all(possible) {
        scheme
    } else {
        ""
    }
}

fn has_port(authority: &str) -> bool {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let after_brackets = host.rsplit(']').next().unwrap_or_default();
    after_brackets.contains(':') && !after_brackets.ends_with(':')
}

fn escape(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for char in url.chars() {
        match u8::try_from(char) {
            Ok(byte) if byte.is_ascii() && !byte.is_ascii_control() && !UNSAFE.contains(&byte) => {
                out.push(char)
            }
            _ => {
                for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                    out.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let rows = [
            (
                "http://localhost:8080/tasty?a=b",
                "http://localhost:8080/tasty?a=b",
            ),
            ("HTTPS://localhost", "https://localhost/"),
            ("  http://h/", "http://h/"),
            ("http://h?x=1", "http://h/?x=1"),
            ("http://h/a#b", "http://h/a"),
            ("http://h#b", "http://h/"),
            ("http://h:/a", "http://h:/a"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("http://h/a b/<é>", "http://h/a%20b/%3C%C3%A9%3E"),
            ("http://h/?q={a|b}", "http://h/?q={a|b}"),
        ];
        for (url, want) in rows {
            let target = Target::parse(url).map(|target| target.uri().to_string());
            assert_eq!(target.as_deref(), Ok(want), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        let rows = [
            ("ftp://h/", "Bad scheme ftp"),
            ("FTP://h/", "Bad scheme ftp"),
            ("localhost:80/", "Bad scheme localhost"),
            ("//h/", "Bad scheme "),
            ("1x://h/", "Bad scheme "),
            ("", "Bad scheme "),
            ("http://", "Bad URL http://"),
            ("http:///x", "Bad URL http:///x"),
            ("http:/x", "Bad URL http:/x"),
            ("http://h:port/", "Bad URL http://h:port/"),
            ("http://h:70000/", "Bad URL http://h:70000/"),
        ];
        for (url, want) in rows {
            let error = Target::parse(url).expect_err(url);
            assert_eq!(error.to_string(), want);
        }
    }
}
