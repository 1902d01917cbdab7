//! Where children find the daemon.

use config::model::{ServerAddress, ServerConfig};

/// The default `SUPERVISOR_SERVER_URL` of children: the first Unix server, else the last TCP one.
pub(super) fn server_url(servers: &[ServerConfig]) -> Option<String> {
    let unix = servers.iter().find_map(|server| match &server.address {
        ServerAddress::Unix { path, .. } => Some(format!("unix://{}", path.display())),
        ServerAddress::Inet { .. } => None,
    });
    let inet = servers
        .iter()
        .rev()
        .find_map(|server| match &server.address {
            ServerAddress::Inet { host, port } => {
                let scheme = if server.tls.is_some() {
                    "https"
                } else {
                    "http"
                };
                Some(format!("{scheme}://{}:{port}", url_host(host)))
            }
            ServerAddress::Unix { .. } => None,
        });
    unix.or(inet)
}

fn url_host(host: &str) -> String {
    match host {
        "" => "localhost".to_owned(),
        v6 if v6.contains(':') => format!("[{v6}]"),
        host => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn server(address: ServerAddress) -> ServerConfig {
        ServerConfig {
            section: String::new(),
            address,
            credentials: None,
            tls: None,
            server_names: Vec::new(),
        }
    }

    #[test]
    fn the_server_url_prefers_the_first_unix_socket_then_the_last_port() {
        let inet = |host: &str, port| {
            server(ServerAddress::Inet {
                host: host.to_owned(),
                port,
            })
        };
        let unix = |path: &str| {
            server(ServerAddress::Unix {
                path: PathBuf::from(path),
                mode: 0o700,
                owner: None,
            })
        };
        let url = |servers: &[ServerConfig]| server_url(servers);
        assert_eq!(url(&[]), None);
        let both = [inet("", 1), unix("/a"), unix("/b")];
        assert_eq!(url(&both).as_deref(), Some("unix:///a"));
        let ports = [inet("a", 1), inet("", 2)];
        assert_eq!(url(&ports).as_deref(), Some("http://localhost:2"));
        assert_eq!(url(&[inet("::1", 2)]).as_deref(), Some("http://[::1]:2"));
    }
}
