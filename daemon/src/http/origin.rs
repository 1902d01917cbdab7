//! Where a request comes from, and what the servers are called by who sends it.

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN, REFERER};

/// What a browser says about the page that a request comes from.
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where the page is that makes a browser send a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// It is one of ours, or there is none: the user has typed the address or kept it as a bookmark.
    Ours,
    /// On another web site: its name and port, if they are told.
    Elsewhere(Option<String>),
    /// Nobody says: it comes from a script, or a page that conceals itself.
    Untold,
}

impl Source {
    /// What the headers tell. Browsers tell most to servers with TLS and on this machine; others get to know the page
    /// of a POST, and that of a link unless that page or its use of TLS forbids it. `names` are further names of ours,
    /// with their ports where they are not the usual ones: behind a proxy the Host header may have another.
    pub(super) fn of(headers: &HeaderMap, names: &[String]) -> Self {
        let source = headers.get(ORIGIN).or(headers.get(REFERER));
        let source = source.map(|source| source.to_str().ok().and_then(authority));
        if let Some(site) = headers.get(SEC_FETCH_SITE) {
            return match site.as_bytes() {
                b"same-origin" | b"none" => Self::Ours,
                _ => Self::Elsewhere(source.flatten().map(str::to_owned)),
            };
        }
        match source {
            None => Self::Untold,
            Some(Some(source)) if is_ours(source, headers, names) => Self::Ours,
            Some(source) => Self::Elsewhere(source.map(str::to_owned)),
        }
    }
}

fn is_ours(source: &str, headers: &HeaderMap, names: &[String]) -> bool {
    let named = names.iter().map(String::as_str);
    host(headers)
        .into_iter()
        .chain(named)
        .any(|ours| same_authority(source, ours))
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
        }
    }

    /// What need not be said of a port.
    const fn default_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }
}

/// The address a client uses for us, without a slash at the end: from its Host header, else our own address; `None`
/// if there is neither.
pub(super) fn server_url(
    scheme: Scheme,
    headers: &HeaderMap,
    address: Option<&str>,
) -> Option<String> {
    let host = host(headers).or(address)?;
    let host = host.strip_suffix(scheme.default_port()).unwrap_or(host);
    Some(format!("{}{host}", scheme.prefix()))
}

/// The Host header, if it is one: a name or address and perhaps a port.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?.trim();
    is_authority(host).then_some(host)
}

/// The name or address in an authority, without port and brackets.
pub(super) fn name(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// The part of a URL between `//` and the path.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    is_authority(authority).then_some(authority)
}

/// Whether two authorities are the same but for ports that need not be said. Which scheme the client used is not known
/// behind a proxy that does the encrypting.
fn same_authority(one: &str, other: &str) -> bool {
    let bare = |authority: &str| {
        let port = [Scheme::Http, Scheme::Https].map(Scheme::default_port);
        let bare = port.iter().find_map(|port| authority.strip_suffix(port));
        bare.unwrap_or(authority).to_ascii_lowercase()
    };
    bare(one) == bare(other)
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => return is_ipv6(address),
            Some((address, port)) if is_ipv6(address) => match port.strip_prefix(':') {
                Some(port) => return is_port(port),
                None => return false,
            },
            _ => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(plain) && port.is_none_or(is_port)
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(HeaderName, &str)]) -> HeaderMap {
        rows.iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn hosts_are_checked_by_syntax() {
        let good = [
            "a",
            "localhost:9001",
            "10.0.0.1",
            "a-b.example_.com:80",
            "[::1]",
            "[fe80::1]:9001",
        ];
        let bad = [
            "", ":80", "a:", "a:b", "a:99999", "a:+1", "a b", "a/b", "a@b", "[::1", "[::1]x",
            "[x]", "a\"b",
        ];
        good.iter()
            .for_each(|host| assert!(is_authority(host), "{host}"));
        bad.iter()
            .for_each(|host| assert!(!is_authority(host), "{host}"));
    }

    #[test]
    fn the_url_is_what_the_client_calls_us() {
        let rows = [
            (
                Some("example:9001"),
                Some("1.2.3.4:5"),
                Some("http://example:9001"),
            ),
            (Some("example:80"), None, Some("http://example")),
            (Some("a b"), Some("1.2.3.4:5"), Some("http://1.2.3.4:5")),
            (None, Some("1.2.3.4:5"), Some("http://1.2.3.4:5")),
            (None, None, None),
        ];
        for (host, address, url) in rows {
            let headers = host
                .map(|host| (HOST, host.parse().unwrap()))
                .into_iter()
                .collect();
            let known = server_url(Scheme::Http, &headers, address);
            assert_eq!(known.as_deref(), url, "{host:?}");
        }
        let headers = [(HOST, "a:443".parse().unwrap())].into_iter().collect();
        let known = server_url(Scheme::Https, &headers, None);
        assert_eq!(known.as_deref(), Some("https://a"));
    }

    #[test]
    fn names_are_without_port_and_brackets() {
        let rows = [
            ("a:1", "a"),
            ("a", "a"),
            ("[::1]:80", "::1"),
            ("[::1]", "::1"),
        ];
        for (authority, expected) in rows {
            assert_eq!(name(authority), expected);
        }
    }

    #[test]
    fn where_a_request_comes_from_is_told_by_browsers() {
        use Source::{Ours, Untold};
        let elsewhere = |source: &str| Source::Elsewhere(Some(source.to_owned()));
        let hidden = || Source::Elsewhere(None);
        let rows: [(&[(HeaderName, &str)], Source); 19] = [
            (&[], Untold),
            (&[(HOST, "a")], Untold),
            (&[(SEC_FETCH_SITE, "same-origin")], Ours),
            (&[(SEC_FETCH_SITE, "none")], Ours),
            (&[(SEC_FETCH_SITE, "same-site")], hidden()),
            (&[(SEC_FETCH_SITE, "cross-site")], hidden()),
            (
                &[(SEC_FETCH_SITE, "cross-site"), (ORIGIN, "http://proxy")],
                elsewhere("proxy"),
            ),
            (&[(HOST, "a:1"), (ORIGIN, "http://A:1")], Ours),
            (&[(HOST, "a:1"), (ORIGIN, "http://a:2")], elsewhere("a:2")),
            (&[(HOST, "a:1"), (ORIGIN, "null")], hidden()),
            (&[(HOST, "a"), (ORIGIN, "https://a:443")], Ours),
            (
                &[(HOST, "a"), (REFERER, "http://a:80/index.html?x#y")],
                Ours,
            ),
            (&[(HOST, "a"), (REFERER, "http://b/a")], elsewhere("b")),
            (&[(ORIGIN, "http://a")], elsewhere("a")),
            (&[(HOST, "a:1"), (ORIGIN, "http://Proxy")], Ours),
            (&[(HOST, "a:1"), (ORIGIN, "https://proxy:443")], Ours),
            (
                &[(HOST, "a:1"), (ORIGIN, "http://proxy:8")],
                elsewhere("proxy:8"),
            ),
            (&[(HOST, "a:1"), (REFERER, "http://other:8/")], Ours),
            (
                &[(HOST, "a:1"), (REFERER, "http://other/")],
                elsewhere("other"),
            ),
        ];
        let names = ["proxy".to_owned(), "other:8".to_owned()];
        for (rows, source) in rows {
            assert_eq!(Source::of(&headers(rows), &names), source, "{rows:?}");
        }
    }
}
