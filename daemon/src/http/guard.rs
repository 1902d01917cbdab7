//! Requests that a browser sends without its user's wish.
//!
//! Two ways lead there. A page of another web site may link or post to us; browsers tell where such a request comes
//! from, if not always ([`Source`]). Or the other site gives its own name our address (DNS rebinding): then the browser
//! takes us for that site, and only the name by which it calls us is strange. A password stops that, as the browser has
//! none for the strange name, so names are checked only where nobody is asked for one.

use std::fs;
use std::net::IpAddr;

use config::model::{ServerAddress, ServerConfig};
use hyper::header::{ACCEPT_LANGUAGE, HeaderMap, ORIGIN, REFERER, USER_AGENT};
use nix::unistd::gethostname;

use super::origin::{SEC_FETCH_SITE, Source, host, name};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forgery {
    /// A page of another web site has made the browser send it; the site, if it is told.
    #[error("another web site has made the browser send this request{}", remedy(.0.as_deref()))]
    CrossSite(Option<String>),
    /// The browser calls us by a strange name.
    #[error("this server is not known as {0}; if it should be, add that to server_names")]
    StrangeName(String),
    /// A link to something that changes things, and no telling where it was.
    #[error("the browser does not say which page this link is on, so its user is asked")]
    Unvouched,
}

fn remedy(site: Option<&str>) -> String {
    let remedy =
        |site| format!(" from {site}; if that is this server, add {site} to its server_names");
    site.map(remedy).unwrap_or_default()
}

/// What one server believes of browsers.
#[derive(Debug)]
pub(super) struct Guard {
    /// The names to be called by; `None`: any.
    names: Option<Vec<String>>,
    /// Where pages of ours may be besides where the Host header says.
    pages: Vec<String>,
}

impl Guard {
    /// The guard of a server that `is_open` to everybody, or not. Who reaches a Unix socket from a browser comes through
    /// a proxy, and names are the proxy's business.
    pub(super) fn new(server: &ServerConfig, is_open: bool) -> Self {
        let pages: Vec<_> = server.server_names.iter().map(|it| normal(it)).collect();
        let names = match &server.address {
            ServerAddress::Inet { host, .. } if is_open => {
                let names = pages.iter().map(|page| name(page)).chain([host.as_str()]);
                let names = names.filter(|name| !name.is_empty());
                Some(names.map(normal).collect())
            }
            ServerAddress::Inet { .. } | ServerAddress::Unix { .. } => None,
        };
        Self { names, pages }
    }

    /// Looks at the name by which we are called, for any request: what can be read is worth stealing. Scripts call us
    /// as they like.
    ///
    /// # Errors
    /// When the page that asks may be that of another web site, which has given its name our address.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Forgery> {
        let Some(names) = &self.names else {
            return Ok(());
        };
        if !is_browser(headers) {
            return Ok(());
        }
        let called = host(headers).map(|host| normal(name(host)));
        match called {
            Some(called) if is_safe(&called) || names.contains(&called) || is_own(&called) => {
                Ok(())
            }
            called => {
                let called = called.unwrap_or_else(|| "that (its Host header is none)".to_owned());
                Err(Forgery::StrangeName(called))
            }
        }
    }

    /// Looks at a request that changes something. Those of scripts pass: they say nothing of what browsers say.
    ///
    /// # Errors
    /// When the user of a browser may know nothing about it.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Forgery> {
        match Source::of(headers, &self.pages) {
            Source::Elsewhere(site) => Err(Forgery::CrossSite(site)),
            Source::Ours | Source::Untold => Ok(()),
        }
    }

    /// The same for a link. Of links, unlike of forms and scripts, any page can make a browser conceal where they were;
    /// ours do not.
    ///
    /// # Errors
    /// When the user of a browser may know nothing about it.
    pub(super) fn check_link(&self, headers: &HeaderMap) -> Result<(), Forgery> {
        match Source::of(headers, &self.pages) {
            Source::Untold if is_browser(headers) => Err(Forgery::Unvouched),
            _ => self.check(headers),
        }
    }
}

/// Whether a request looks like a browser's. Over plain HTTP, and for links, many tell nothing but what they are; and
/// the script of a page can change what they are called, but not take the languages away.
fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
        || [ORIGIN, REFERER, SEC_FETCH_SITE, ACCEPT_LANGUAGE]
            .iter()
            .any(|name| headers.contains_key(name))
}

/// Whether nobody can give the name another address: it is one, or never asked of a name server.
fn is_safe(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether it is a name of this machine: the one it has, the same in the domains that this machine searches, and those
/// that `/etc/hosts` has beside it.
fn is_own(name: &str) -> bool {
    let Ok(own) = gethostname() else {
        return false;
    };
    let own = normal(&own.to_string_lossy());
    // Read each time, as the system does: it is rarely asked for, and may change.
    let says = |file, test: fn(&str, &str, &str) -> bool| {
        fs::read_to_string(file).is_ok_and(|text| test(&text, name, &own))
    };
    name == own || says("/etc/hosts", are_beside) || says("/etc/resolv.conf", is_searched)
}

fn is_searched(resolver: &str, name: &str, own: &str) -> bool {
    let domain = name.strip_prefix(own).and_then(|it| it.strip_prefix('.'));
    let Some(domain) = domain else {
        return false;
    };
    resolver.lines().any(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("search" | "domain"))
            && words.any(|searched| normal(searched) == domain)
    })
}

fn are_beside(hosts: &str, name: &str, own: &str) -> bool {
    hosts.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let names: Vec<_> = line.split_whitespace().skip(1).map(normal).collect();
        names.iter().any(|known| known == own) && names.iter().any(|known| known == name)
    })
}

fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HOST, HeaderName};

    use super::*;

    fn guard(is_open: bool) -> Guard {
        let server = ServerConfig {
            section: "s".to_owned(),
            address: ServerAddress::Inet {
                host: "bound.example".to_owned(),
                port: 1,
            },
            credentials: None,
            tls: None,
            server_names: vec!["Sup.example".to_owned(), "other.example:8080".to_owned()],
        };
        Guard::new(&server, is_open)
    }

    fn request(host: &str, further: &[(HeaderName, &str)]) -> HeaderMap {
        let rows = [(HOST, host)].into_iter().chain(further.iter().cloned());
        let rows = rows.map(|(name, value)| (name, value.parse().unwrap()));
        rows.collect()
    }

    fn admit(guard: &Guard, host: &str, further: &[(HeaderName, &str)]) -> Result<(), Forgery> {
        guard.admit(&request(host, further))
    }

    const FIREFOX: (HeaderName, &str) = (USER_AGENT, "Mozilla/5.0 (X11)");

    #[test]
    fn browsers_must_know_our_name() {
        let own = normal(&gethostname().unwrap().to_string_lossy());
        let good = [
            "localhost",
            "LOCALHOST.:9001",
            "a.localhost:9001",
            "127.0.0.1:9001",
            "[::1]:9001",
            "192.0.2.7",
            "sup.example:80",
            "other.example",
            "BOUND.example",
            &own,
        ];
        for host in good {
            assert_eq!(admit(&guard(true), host, &[FIREFOX]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "notlocalhost",
            "localhost.evil.example",
            "a b",
        ] {
            let outcome = admit(&guard(true), host, &[FIREFOX]);
            assert!(matches!(outcome, Err(Forgery::StrangeName(_))), "{host}");
            assert_eq!(admit(&guard(true), host, &[]), Ok(()), "scripts pass");
            assert_eq!(
                admit(&guard(false), host, &[FIREFOX]),
                Ok(()),
                "as do passwords"
            );
        }
    }

    #[test]
    fn any_sign_of_a_browser_counts() {
        let evil = "evil.example";
        let rows = [
            (ORIGIN, "http://evil.example"),
            (REFERER, "http://evil.example/x"),
            (SEC_FETCH_SITE, "same-origin"),
            (ACCEPT_LANGUAGE, ""),
            FIREFOX,
        ];
        for row in rows {
            let strange = Err(Forgery::StrangeName(evil.to_owned()));
            assert_eq!(admit(&guard(true), evil, &[row]), strange);
        }
        assert_eq!(
            admit(&guard(true), evil, &[(USER_AGENT, "curl/8.0")]),
            Ok(())
        );
    }

    #[test]
    fn other_sites_are_refused_wherever_they_send_to() {
        for is_open in [true, false] {
            let headers = request("localhost", &[(ORIGIN, "http://evil.example")]);
            let refused = Forgery::CrossSite(Some("evil.example".to_owned()));
            assert_eq!(guard(is_open).check(&headers), Err(refused.clone()));
            assert_eq!(guard(is_open).check_link(&headers), Err(refused.clone()));
            let text = refused.to_string();
            assert!(
                text.contains("add evil.example to its server_names"),
                "{text}"
            );
        }
    }

    #[test]
    fn links_must_be_on_a_page_of_ours_or_of_no_browser() {
        let rows: [(&[(HeaderName, &str)], bool); 9] = [
            (&[], true),
            (&[(USER_AGENT, "curl/8.0")], true),
            (&[FIREFOX], false),
            (&[(USER_AGENT, "Lynx/2.9"), (ACCEPT_LANGUAGE, "en")], false),
            (&[FIREFOX, (SEC_FETCH_SITE, "none")], true),
            (&[FIREFOX, (SEC_FETCH_SITE, "same-origin")], true),
            (&[FIREFOX, (REFERER, "http://localhost:9001/")], true),
            (&[FIREFOX, (REFERER, "https://sup.example/x")], true),
            (&[FIREFOX, (ORIGIN, "http://other.example:8080")], true),
        ];
        for is_open in [true, false] {
            for (further, passes) in rows {
                let headers = request("localhost:9001", further);
                let expected = if passes {
                    Ok(())
                } else {
                    Err(Forgery::Unvouched)
                };
                assert_eq!(guard(is_open).check_link(&headers), expected, "{further:?}");
                assert_eq!(guard(is_open).check(&headers), Ok(()), "{further:?}");
            }
        }
    }

    #[test]
    fn names_in_searched_domains_are_ours() {
        let resolver = "# search no.example\nnameserver 10.0.0.1\nsearch a.example Corp.example.\n";
        let rows = [
            ("web1.corp.example", true),
            ("web1.a.example", true),
            ("web1.no.example", false),
            ("web1", false),
            ("web2.corp.example", false),
            ("web1corp.example", false),
        ];
        for (name, expected) in rows {
            assert_eq!(is_searched(resolver, name, "web1"), expected, "{name}");
        }
    }

    #[test]
    fn names_beside_our_own_are_ours() {
        let hosts = "127.0.0.1 localhost\n10.0.0.1\tWeb1.example.com web1 # web2\n10.0.0.2 other\n";
        let rows = [
            ("web1.example.com", true),
            ("web2", false),
            ("other", false),
            ("10.0.0.1", false),
        ];
        for (name, expected) in rows {
            assert_eq!(are_beside(hosts, name, "web1"), expected, "{name}");
        }
    }
}
