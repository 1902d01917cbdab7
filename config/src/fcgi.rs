//! The socket of an `[fcgi-program:x]`.

use std::collections::HashMap;
use std::sync::Arc;

use nix::unistd::Uid;

use crate::convert::{Owner, SocketTarget, gid_of, name};
use crate::error::{ConfigError, Reason};
use crate::model::{FcgiAddress, FcgiSocket};
use crate::source::View;
use crate::table::*;

/// Sockets of sections that are members of groups: a section in two groups has one socket.
#[derive(Debug, Default)]
pub(crate) struct SocketCache(HashMap<String, Option<Arc<FcgiSocket>>>);

impl SocketCache {
    /// The section's socket. Supervisor runs members of a `[group:x]` without their sockets, so
    /// there a section need not name one.
    pub(crate) fn optional(
        &mut self,
        view: &View<'_>,
    ) -> Result<Option<Arc<FcgiSocket>>, ConfigError> {
        if let Some(known) = self.0.get(&*view.section.name) {
            return Ok(known.clone());
        }
        let socket = match view.raw(SOCKET.about.key) {
            Some(_) => Some(Arc::new(socket(view)?)),
            None => None,
        };
        self.0.insert(view.section.name.to_string(), socket.clone());
        Ok(socket)
    }
}

/// Reads `socket` and what goes with it.
pub(crate) fn socket(view: &View<'_>) -> Result<FcgiSocket, ConfigError> {
    let section = || view.section.name.to_string();
    let program = view
        .section
        .name
        .split_once(':')
        .map_or("", |(_, name)| name);
    let program = name(program).map_err(|invalid| view.section_error(invalid.into()))?;
    let view = &View { program, ..*view };

    let user = view.get_in(&PROCESS_USER, Scope::Here)?;
    let backlog = view.get(&SOCKET_BACKLOG)?;
    if let Some(backlog) = backlog.filter(|&backlog| !SOCKET_BACKLOG.about.admits(backlog)) {
        return Err(view.option_error(&SOCKET_BACKLOG, Reason::SocketBacklog(backlog)));
    }
    let owner = view.get_or(&SOCKET_OWNER, |text, _| Reason::SocketOwner(text))?;
    let mode = view.get_or(&SOCKET_MODE, |text, _| Reason::SocketMode(text))?;
    if view
        .raw(SOCKET.about.key)
        .is_some_and(|value| value.text.is_empty())
    {
        return Err(view.missing(&SOCKET));
    }
    let for_unix_only = owner.is_some() || mode.is_some();
    let target = view.get_or(&SOCKET, |text, reason| match text.starts_with("unix://") {
        false if for_unix_only => Reason::NotUnixSocket(section()),
        _ => Reason::Socket {
            reason,
            section: section(),
        },
    })?;
    let address = match target.ok_or_else(|| view.missing(&SOCKET))? {
        SocketTarget::Unix(path) => FcgiAddress::Unix {
            path,
            owner: owner.or_else(|| owner_of(user?.uid)),
            mode: Some(mode.unwrap_or(0o700)),
        },
        SocketTarget::Tcp(..) if for_unix_only => {
            return Err(view.option_error(&SOCKET, Reason::NotUnixSocket(section())));
        }
        SocketTarget::Tcp(host, port) => FcgiAddress::Tcp { host, port },
    };
    Ok(FcgiSocket {
        address,
        backlog: backlog.and_then(|backlog| i32::try_from(backlog).ok()),
    })
}

/// The socket belongs to the user of the program, unless that is the daemon itself.
fn owner_of(user: Uid) -> Option<Owner> {
    (user != Uid::current()).then(|| (user, gid_of(user)))
}
