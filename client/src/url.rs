//! Addresses of servers: `unix:///path`, `http://host[:port]` and `https://host[:port]`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerUrl {
    /// `unix://<path>`
    Unix(PathBuf),
    /// `http://<host>[:<port>]` or `https://<host>[:<port>]`
    Http {
        /// Host name or address, without brackets.
        host: String,
        /// Port; unless given 80, or 443 for https.
        port: u16,
        /// Host and port as written, for the `Host` header.
        authority: String,
        /// Whether it is https.
        tls: bool,
    },
}

/// Why a text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither `http://`, `https://` nor `unix://`.
    #[error("unknown protocol for server URL {0}")]
    Scheme(String),
    /// No host, or no path of a socket.
    #[error("server URL {0} names no host or socket")]
    Empty(String),
    /// The port is no number from 0 to 65535.
    #[error("bad port in server URL {0}")]
    Port(String),
}

impl ServerUrl {
    /// The path of the socket, for a Unix socket.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Http { .. } => None,
        }
    }
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    /// Reads an address. User information and path of an http URL are ignored, as Supervisor does.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        if let Some(path) = text.strip_prefix("unix://") {
            return match path {
                "" => Err(UrlError::Empty(text.to_owned())),
                path => Ok(Self::Unix(path.into())),
            };
        }
        let (tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(UrlError::Scheme(text.to_owned())),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = rest[..end].rsplit('@').next().unwrap_or_default();
        let (host, port) = split_authority(authority);
        if host.is_empty() {
            return Err(UrlError::Empty(text.to_owned()));
        }
        let port = match port {
            "" if tls => HTTPS_PORT,
            "" => HTTP_PORT,
            port => port.parse().map_err(|_| UrlError::Port(text.to_owned()))?,
        };
        Ok(Self::Http {
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            tls,
        })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Http { authority, tls, .. } => {
                let scheme = if *tls { "https" } else { "http" };
                write!(f, "{scheme}://{authority}")
            }
        }
    }
}

/// Host without brackets, and port, empty if there is none.
fn split_authority(authority: &str) -> (&str, &str) {
    if let Some((host, rest)) = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return (host, rest.strip_prefix(':').unwrap_or(rest));
    }
    authority.rsplit_once(':').unwrap_or((authority, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let rows = [
            ("http://localhost:9001", "localhost", 9001),
            ("http://localhost", "localhost", 80),
            ("http://localhost:", "localhost", 80),
            ("http://127.0.0.1:9001/RPC2?x", "127.0.0.1", 9001),
            ("http://user:secret@host:1", "host", 1),
            ("http://[::1]:9001/", "::1", 9001),
            ("http://[::1]", "::1", 80),
            ("https://a", "a", 443),
            ("https://a:9001/", "a", 9001),
        ];
        for (text, expected_host, expected_port) in rows {
            match text.parse() {
                Ok(ServerUrl::Http {
                    host, port, tls, ..
                }) => {
                    assert_eq!((host.as_str(), port), (expected_host, expected_port));
                    assert_eq!(tls, text.starts_with("https"));
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        let unix: ServerUrl = "unix:///run/s.sock".parse().unwrap();
        assert_eq!(unix.socket(), Some(Path::new("/run/s.sock")));
        assert_eq!(unix.to_string(), "unix:///run/s.sock");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let rows = ["", "foo", "ftp://x", "http://", "http://:80", "unix://"];
        let ports = ["http://x:y", "http://x:70000", "http://[::1]x"];
        for text in rows.into_iter().chain(ports) {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }
}
