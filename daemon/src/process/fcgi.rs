//! Listening sockets of `[fcgi-program:x]`: one for all processes of a section, handed to each as
//! descriptor 0. It is opened for the first child and closed after the last: with several processes
//! the crash of one leaves it open, and clients wait instead of being refused.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::ToSocketAddrs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use config::model::{FcgiAddress, FcgiSocket};
use nix::libc::SOMAXCONN;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, bind, listen,
    setsockopt, socket, sockopt,
};
use nix::unistd::{Gid, Uid, chown};

use crate::logs::activity::ActivityLog;

/// The sockets that are open; clones share them.
#[derive(Clone, Default)]
pub struct FcgiSockets(Rc<RefCell<HashMap<*const FcgiSocket, Weak<Listening>>>>);

/// An open socket; closed with its last user.
pub struct Listening {
    fd: OwnedFd,
    url: String,
    log: ActivityLog,
}

impl FcgiSockets {
    /// The socket of a section, opened now if no process has it yet.
    ///
    /// # Errors
    /// Whatever keeps it from listening.
    pub fn open(&self, socket: &Arc<FcgiSocket>, log: &ActivityLog) -> io::Result<Rc<Listening>> {
        let key = Arc::as_ptr(socket);
        if let Some(open) = self.0.borrow().get(&key).and_then(Weak::upgrade) {
            return Ok(open);
        }
        let url = url(socket);
        log.info(format_args!("Creating socket {url}"));
        let listening = Rc::new(Listening {
            fd: create(socket)?,
            url,
            log: log.clone(),
        });
        let mut sockets = self.0.borrow_mut();
        sockets.retain(|_, socket| socket.strong_count() > 0);
        sockets.insert(key, Rc::downgrade(&listening));
        Ok(listening)
    }
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.log.info(format_args!("Closing socket {}", self.url));
    }
}

/// The socket as `socket=` spells it.
pub fn url(socket: &FcgiSocket) -> String {
    match &socket.address {
        FcgiAddress::Unix { path, .. } => format!("unix://{}", path.display()),
        FcgiAddress::Tcp { host, port } => format!("tcp://{}:{port}", host.to_lowercase()),
    }
}

fn create(config: &FcgiSocket) -> io::Result<OwnedFd> {
    let fd = match &config.address {
        FcgiAddress::Unix { path, owner, mode } => bind_unix(path, *owner, *mode)?,
        FcgiAddress::Tcp { host, port } => bind_tcp(host, *port)?,
    };
    let backlog = config.backlog.unwrap_or(SOMAXCONN).min(SOMAXCONN);
    listen(&fd, Backlog::new(backlog)?)?;
    Ok(fd)
}

/// A file of this name makes way, whatever it is, as in Supervisor.
fn bind_unix(
    path: &Path,
    owner: Option<(Uid, Option<Gid>)>,
    mode: Option<u32>,
) -> io::Result<OwnedFd> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    let fd = stream_socket(AddressFamily::Unix)?;
    bind(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    let adjusted = match owner {
        Some((uid, gid)) => chown(path, Some(uid), gid).map_err(io::Error::from),
        None => Ok(()),
    }
    .and_then(|()| match mode {
        Some(mode) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        None => Ok(()),
    });
    match adjusted {
        Ok(()) => Ok(fd),
        Err(error) => {
            // A socket that the wrong people can use is worse than none.
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}

fn bind_tcp(host: &str, port: u16) -> io::Result<OwnedFd> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        let family = match address.is_ipv4() {
            true => AddressFamily::Inet,
            false => AddressFamily::Inet6,
        };
        let fd = stream_socket(family)?;
        setsockopt(&fd, sockopt::ReuseAddr, &true)?;
        match bind(fd.as_raw_fd(), &SockaddrStorage::from(address)) {
            Ok(()) => return Ok(fd),
            Err(errno) => last = errno.into(),
        }
    }
    Err(last)
}

fn stream_socket(family: AddressFamily) -> nix::Result<OwnedFd> {
    socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_socket_is_shared_and_reopened_after_its_last_user() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.sock");
        fs::write(&path, "in the way").unwrap();
        let config = Arc::new(FcgiSocket {
            address: FcgiAddress::Unix {
                path: path.clone(),
                owner: None,
                mode: Some(0o710),
            },
            backlog: None,
        });
        let (sockets, log) = (FcgiSockets::default(), ActivityLog::holding());
        let first = sockets.open(&config, &log).unwrap();
        let second = sockets.open(&config, &log).unwrap();
        assert!(Rc::ptr_eq(&first, &second));
        let metadata = path.metadata().unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o710);
        UnixStream::connect(&path).unwrap();
        drop((first, second));
        assert!(UnixStream::connect(&path).is_err());
        let again = sockets.open(&config, &log).unwrap();
        UnixStream::connect(&path).unwrap();
        drop(again);
    }

    #[test]
    fn a_socket_that_cannot_be_is_an_error() {
        let config = Arc::new(FcgiSocket {
            address: FcgiAddress::Unix {
                path: "/nonexistent/f.sock".into(),
                owner: None,
                mode: None,
            },
            backlog: Some(5),
        });
        assert_eq!(url(&config), "unix:///nonexistent/f.sock");
        let opened = FcgiSockets::default().open(&config, &ActivityLog::holding());
        assert_eq!(opened.err().unwrap().kind(), io::ErrorKind::NotFound);
    }
}
