//! Where a request comes from, and what the servers are called by who sends it.

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN, REFERER};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether another web site makes a browser send this request. Browsers tell; requests that say nothing about it
/// come from scripts and are taken as wanted.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let source = headers.get(ORIGIN).or(headers.get(REFERER));
    source.is_some_and(|source| {
        let (source, host) = (source.to_str().ok().and_then(authority), host(headers));
        !matches!((source, host), (Some(source), Some(host)) if same_authority(source, host))
    })
}

/// The address a client uses for us, without a slash at the end: from its Host header, else our own address; `None`
/// if there is neither.
pub(super) fn server_url(headers: &HeaderMap, address: Option<&str>) -> Option<String> {
    let host = host(headers).or(address)?;
    Some(format!(
        "http://{}",
        host.strip_suffix(":80").unwrap_or(host)
    ))
}

/// The Host header, if it is one: a name or address and perhaps a port.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?.trim();
    is_authority(host).then_some(host)
}

/// The part of a URL between `//` and the path.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    is_authority(authority).then_some(authority)
}

fn same_authority(one: &str, other: &str) -> bool {
    let bare = |authority: &str| {
        authority
            .strip_suffix(":80")
            .unwrap_or(authority)
            .to_ascii_lowercase()
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
            assert_eq!(server_url(&headers, address).as_deref(), url, "{host:?}");
        }
    }

    #[test]
    fn requests_that_other_sites_cause_are_recognised() {
        let rows: [(&[(HeaderName, &str)], bool); 12] = [
            (&[], false),
            (&[(HOST, "a")], false),
            (&[(SEC_FETCH_SITE, "same-origin")], false),
            (&[(SEC_FETCH_SITE, "none")], false),
            (&[(SEC_FETCH_SITE, "same-site")], true),
            (&[(SEC_FETCH_SITE, "cross-site")], true),
            (&[(HOST, "a:1"), (ORIGIN, "http://A:1")], false),
            (&[(HOST, "a:1"), (ORIGIN, "http://a:2")], true),
            (&[(HOST, "a:1"), (ORIGIN, "null")], true),
            (
                &[(HOST, "a"), (REFERER, "http://a:80/index.html?x#y")],
                false,
            ),
            (&[(HOST, "a"), (REFERER, "http://b/a")], true),
            (&[(ORIGIN, "http://a")], true),
        ];
        for (rows, cross) in rows {
            assert_eq!(is_cross_site(&headers(rows)), cross, "{rows:?}");
        }
    }
}
