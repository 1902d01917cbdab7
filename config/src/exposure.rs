//! Servers that anybody could control the daemon by: `strict=true` refuses them.

use std::net::{IpAddr, ToSocketAddrs as _};

use crate::error::Reason;
use crate::model::{ServerAddress, ServerConfig};
use crate::remark::Remark;
use crate::source::{Source, View};
use crate::table::{CHMOD, PORT, USERNAME};

/// The permission of everybody else to write, which on a socket is the permission to connect.
const OTHERS_WRITE: u32 = 0o002;

/// Tells of every server that asks nobody who he is and can be reached by everybody, or remarks on it where `strict`
/// does not forbid it. To be called when there are no accounts.
pub(crate) fn examine(source: &Source<'_>, servers: &[ServerConfig], remarks: &mut Vec<Remark>) {
    for server in servers.iter().filter(|server| server.credentials.is_none()) {
        let Some(section) = source.document.section(&server.section) else {
            continue;
        };
        let (view, name) = (source.view(section), server.section.clone());
        let username = view.raw(USERNAME.about.key);
        // One that cannot be read has been told of, and is somebody.
        if username.is_some_and(|username| !username.text.trim().is_empty()) {
            continue;
        }
        match &server.address {
            ServerAddress::Inet { host, port } if !is_local(host, *port) => match source.strict {
                true => view.tell(&PORT, Reason::OpenPort(name)),
                false => remarks.push(warn(&view, PORT.about.key, "everybody who can reach it")),
            },
            ServerAddress::Unix { mode, .. } if mode & OTHERS_WRITE != 0 => match source.strict {
                true => view.tell(&CHMOD, Reason::OpenSocket(name)),
                false => remarks.push(warn(&view, CHMOD.about.key, "every user of this machine")),
            },
            ServerAddress::Inet { .. } | ServerAddress::Unix { .. } => {}
        }
    }
}

fn warn(view: &View<'_>, option: &str, whom: &str) -> Remark {
    let section = &view.section.name;
    let text = format!(
        "Server '{section}' lets {whom} control the daemon and run any program as its user, unasked: set username and \
         password or add [user:x] sections (strict=true would refuse this)"
    );
    Remark::critical(text).of_view(view, option).shown()
}

/// Whether a host means nothing but this machine. One without an address may get another than is thought.
fn is_local(host: &str, port: u16) -> bool {
    // Every interface.
    if host.is_empty() {
        return false;
    }
    let addresses = (host, port).to_socket_addrs();
    addresses.is_ok_and(|mut addresses| addresses.all(|address| is_loopback(address.ip())))
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine_are_local() {
        let rows = [
            ("", false),
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("localhost", true),
            ("0.0.0.0", false),
            ("::", false),
            ("10.0.0.1", false),
            ("host.invalid", false),
        ];
        for (host, local) in rows {
            assert_eq!(is_local(host, 9001), local, "{host:?}");
        }
    }
}
