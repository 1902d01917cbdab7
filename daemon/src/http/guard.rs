//! Requests that a browser sends without its user's wish.
//!
//! Two ways lead there. A page of another web site may link or post to us; browsers tell where such a request comes
//! from ([`is_cross_site`]). Or the other site gives its own name our address (DNS rebinding): then the browser takes us
//! for that site, and only the name by which it calls us is strange. A password stops that, as the browser has none for
//! the strange name, so names are checked only where nobody is asked for one.

use std::fs;
use std::net::IpAddr;

use config::model::{ServerAddress, ServerConfig};
use hyper::header::{HeaderMap, ORIGIN, REFERER, USER_AGENT};
use nix::unistd::gethostname;

use super::origin::{SEC_FETCH_SITE, host, is_cross_site, name};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forgery {
    /// Another web site has made the browser send it.
    #[error("another web site has made the browser send this request")]
    CrossSite,
    /// The browser calls us by a strange name.
    #[error("this server is not known as {0}; if it should be, add that to server_names")]
    StrangeName(String),
}

/// What one server believes of browsers.
#[derive(Debug)]
pub(super) struct Guard {
    /// The names to be called by; `None`: any.
    names: Option<Vec<String>>,
}

impl Guard {
    /// The guard of a server that `is_open` to everybody, or not. Who reaches a Unix socket from a browser comes through
    /// a proxy, and names are the proxy's business.
    pub(super) fn new(server: &ServerConfig, is_open: bool) -> Self {
        let names = match &server.address {
            ServerAddress::Inet { host, .. } if is_open => {
                let names = server.server_names.iter().chain([host]);
                let names = names.filter(|name| !name.is_empty());
                Some(names.map(|name| normal(name)).collect())
            }
            ServerAddress::Inet { .. } | ServerAddress::Unix { .. } => None,
        };
        Self { names }
    }

    /// Looks at a request that changes something. Those of scripts pass: they say nothing of what browsers say.
    ///
    /// # Errors
    /// When the user of a browser may know nothing about it.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Forgery> {
        if is_cross_site(headers) {
            return Err(Forgery::CrossSite);
        }
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
            called => Err(Forgery::StrangeName(called.unwrap_or_default())),
        }
    }
}

/// Whether a request looks like a browser's. Over plain HTTP, and for links, many tell nothing but what they are.
fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
        || [ORIGIN, REFERER, SEC_FETCH_SITE]
            .iter()
            .any(|name| headers.contains_key(name))
}

/// Whether nobody can give the name another address: it is one, or never asked of a name server.
fn is_safe(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether it is a name of this machine: the one it has, and those that `/etc/hosts` has beside it.
fn is_own(name: &str) -> bool {
    let Ok(own) = gethostname() else {
        return false;
    };
    let own = normal(&own.to_string_lossy());
    // Read each time, as the system does: it is rarely asked for, and may change.
    name == own
        || fs::read_to_string("/etc/hosts").is_ok_and(|hosts| are_beside(&hosts, name, &own))
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
            server_names: vec!["Sup.example".to_owned()],
        };
        Guard::new(&server, is_open)
    }

    fn check(guard: &Guard, host: &str, further: &[(HeaderName, &str)]) -> Result<(), Forgery> {
        let rows = [(HOST, host)].into_iter().chain(further.iter().cloned());
        let rows = rows.map(|(name, value)| (name, value.parse().unwrap()));
        guard.check(&rows.collect())
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
            "BOUND.example",
            &own,
        ];
        for host in good {
            assert_eq!(check(&guard(true), host, &[FIREFOX]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "notlocalhost",
            "localhost.evil.example",
            "a b",
        ] {
            let outcome = check(&guard(true), host, &[FIREFOX]);
            assert!(matches!(outcome, Err(Forgery::StrangeName(_))), "{host}");
            assert_eq!(check(&guard(true), host, &[]), Ok(()), "scripts pass");
            assert_eq!(
                check(&guard(false), host, &[FIREFOX]),
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
            FIREFOX,
        ];
        for row in rows {
            let strange = Err(Forgery::StrangeName(evil.to_owned()));
            assert_eq!(check(&guard(true), evil, &[row]), strange);
        }
        assert_eq!(
            check(&guard(true), evil, &[(USER_AGENT, "curl/8.0")]),
            Ok(())
        );
    }

    #[test]
    fn other_sites_are_refused_wherever_they_send_to() {
        for is_open in [true, false] {
            let row = (ORIGIN, "http://evil.example");
            let outcome = check(&guard(is_open), "localhost", &[row]);
            assert_eq!(outcome, Err(Forgery::CrossSite));
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
