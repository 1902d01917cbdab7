//! The socket of an `[fcgi-program:x]`.

use std::collections::HashMap;
use std::sync::Arc;

use nix::unistd::Uid;

use crate::convert::{Owner, SocketTarget, gid_of};
use crate::error::Reason;
use crate::model::{FcgiAddress, FcgiSocket};
use crate::source::View;
use crate::table::*;

/// Sockets of sections that are members of groups: a section in two groups has one socket.
#[derive(Debug, Default)]
pub(crate) struct SocketCache(HashMap<String, Option<Arc<FcgiSocket>>>);

impl SocketCache {
    /// The section's socket. Supervisor runs members of a `[group:x]` without their sockets, so
    /// there a section need not name one.
    pub(crate) fn optional(&mut self, view: &View<'_>) -> Option<Arc<FcgiSocket>> {
        if let Some(known) = self.0.get(&*view.section.name) {
            return known.clone();
        }
        let socket = match view.raw(SOCKET.about.key) {
            Some(_) => socket(view).map(Arc::new),
            None => None,
        };
        self.0.insert(view.section.name.to_string(), socket.clone());
        socket
    }
}

/// Reads `socket` and what goes with it. The section's name has been checked.
pub(crate) fn socket(view: &View<'_>) -> Option<FcgiSocket> {
    let program = view.written_name().trim();
    let view = &View { program, ..*view };
    let user = view.get_in(&PROCESS_USER, Scope::Here);
    let backlog = backlog(view);
    let owner = view.get_or(&SOCKET_OWNER, |text, _| Reason::SocketOwner(text));
    let mode = view.get_or(&SOCKET_MODE, |text, _| Reason::SocketMode(text));
    let address = match target(view)? {
        SocketTarget::Unix(path) => FcgiAddress::Unix {
            path,
            owner: owner.or_else(|| owner_of(user?.uid)),
            mode: Some(mode.unwrap_or(0o700)),
        },
        SocketTarget::Tcp(host, port) => FcgiAddress::Tcp { host, port },
    };
    Some(FcgiSocket { address, backlog })
}

fn backlog(view: &View<'_>) -> Option<i32> {
    let backlog = view.get(&SOCKET_BACKLOG)?;
    if !SOCKET_BACKLOG.about.admits(backlog) {
        view.tell(&SOCKET_BACKLOG, Reason::SocketBacklog(backlog));
    }
    i32::try_from(backlog).ok()
}

/// What the socket is. Owner and mode go with Unix sockets only; Supervisor says that before it
/// complains of anything but a bad Unix path.
fn target(view: &View<'_>) -> Option<SocketTarget> {
    let section = || view.section.name.to_string();
    let raw = view.raw(SOCKET.about.key);
    if raw.is_some_and(|value| value.text.is_empty()) {
        view.tell_missing(&SOCKET);
        return None;
    }
    let for_unix_only = [SOCKET_OWNER.about.key, SOCKET_MODE.about.key]
        .iter()
        .any(|key| view.raw(key).is_some());
    let target = view.value_or(&SOCKET, |text, reason| match text.starts_with("unix://") {
        false if for_unix_only => Reason::NotUnixSocket(section()),
        _ => Reason::Socket {
            reason,
            section: section(),
        },
    })?;
    if for_unix_only && matches!(target, SocketTarget::Tcp(..)) {
        view.tell(&SOCKET, Reason::NotUnixSocket(section()));
    }
    Some(target)
}

/// The socket belongs to the user of the program, unless that is the daemon itself.
fn owner_of(user: Uid) -> Option<Owner> {
    (user != Uid::current()).then(|| (user, gid_of(user)))
}
