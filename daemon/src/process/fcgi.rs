//! Listening sockets of `[fcgi-program:x]`: one for all processes of a section, handed to each as
//! descriptor 0. It is opened for the first child and closed after the last: with several processes
//! the crash of one leaves it open, and clients wait instead of being refused.
//!
//! Names of hosts are looked up before the daemon serves anybody, or by a thread: the name service
//! may take its time.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::thread;

use config::model::{FcgiAddress, FcgiSocket, GroupConfig};
use nix::libc::SOMAXCONN;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, bind, listen,
    setsockopt, socket, sockopt,
};
use nix::unistd::{Gid, Uid, chown};
use tokio::sync::oneshot;

use crate::logs::activity::ActivityLog;
use crate::sys::handover::Inherited;

/// The sockets that are open, and what is known of their hosts; clones share them.
#[derive(Clone, Default)]
pub struct FcgiSockets(Rc<Inner>);

#[derive(Default)]
struct Inner {
    open: RefCell<HashMap<*const FcgiSocket, Weak<Listening>>>,
    hosts: RefCell<HashMap<String, Found>>,
    /// Hosts that are being looked up again: one thread for each is enough.
    asked: RefCell<HashSet<String>>,
}

/// The addresses of a host, or why there are none.
pub type Found = Result<Vec<IpAddr>, String>;

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
        if let Some(open) = self.0.open.borrow().get(&key).and_then(Weak::upgrade) {
            return Ok(open);
        }
        let url = url(socket);
        log.info(format_args!("Creating socket {url}"));
        let listening = Rc::new(Listening {
            fd: self.create(socket)?,
            url,
            log: log.clone(),
        });
        let mut sockets = self.0.open.borrow_mut();
        sockets.retain(|_, socket| socket.strong_count() > 0);
        sockets.insert(key, Rc::downgrade(&listening));
        Ok(listening)
    }

    /// A socket that another daemon has opened.
    pub(super) fn resume(
        &self,
        socket: &Arc<FcgiSocket>,
        fd: RawFd,
        inherited: &mut Inherited,
        log: &ActivityLog,
    ) -> Option<Rc<Listening>> {
        let key = Arc::as_ptr(socket);
        let mut sockets = self.0.open.borrow_mut();
        if let Some(open) = sockets.get(&key).and_then(Weak::upgrade) {
            return Some(open);
        }
        let listening = Rc::new(Listening {
            fd: inherited.claim(fd)?,
            url: url(socket),
            log: log.clone(),
        });
        sockets.insert(key, Rc::downgrade(&listening));
        Some(listening)
    }

    /// What is known of hosts.
    pub fn hosts(&self) -> HashMap<String, Found> {
        self.0.hosts.borrow().clone()
    }

    /// Knows what another daemon knew of hosts.
    pub fn know(&self, hosts: HashMap<String, Found>) {
        *self.0.hosts.borrow_mut() = hosts;
    }

    /// Looks up the hosts of a group's sockets that are not known yet, without keeping anybody
    /// waiting but the caller.
    pub async fn look_up(&self, group: &GroupConfig) {
        let sockets = group.processes.iter().filter_map(|it| it.fcgi.as_ref());
        for host in sockets.filter_map(|socket| named_host(socket)) {
            if !self.0.hosts.borrow().contains_key(host) {
                self.ask(host.to_owned()).await;
            }
        }
    }

    async fn ask(&self, host: String) {
        let (sender, receiver) = oneshot::channel();
        let name = host.clone();
        let started = thread::Builder::new()
            .name("look-up".into())
            .spawn(move || sender.send(addresses_of(&name)));
        let found = match (started, receiver.await) {
            (Ok(_), Ok(found)) => found,
            (Err(error), _) => Err(error.to_string()),
            (Ok(_), Err(_)) => Err("the look-up has failed".to_owned()),
        };
        self.remember(&host, found);
    }

    fn remember(&self, host: &str, found: Found) {
        let mut hosts = self.0.hosts.borrow_mut();
        hosts.insert(host.to_owned(), found);
    }

    /// The addresses of a host. Those of one that nobody has asked for yet, at start, are waited
    /// for; one that was not found is asked for again in the background, for the next attempt.
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let known = self.0.hosts.borrow().get(host).cloned();
        let found = match known {
            Some(Err(reason)) => {
                self.ask_again(host);
                Err(reason)
            }
            Some(found) => found,
            None => {
                let found = addresses_of(host);
                self.remember(host, found.clone());
                found
            }
        };
        found.map_err(io::Error::other)
    }

    fn ask_again(&self, host: &str) {
        if !self.0.asked.borrow_mut().insert(host.to_owned()) {
            return;
        }
        let (sockets, host) = (self.clone(), host.to_owned());
        actix::spawn(async move {
            sockets.ask(host.clone()).await;
            sockets.0.asked.borrow_mut().remove(&host);
        });
    }

    fn create(&self, config: &FcgiSocket) -> io::Result<OwnedFd> {
        let fd = match &config.address {
            FcgiAddress::Unix { path, owner, mode } => bind_unix(path, *owner, *mode)?,
            FcgiAddress::Tcp { host, port } => bind_tcp(self.addresses(host)?, *port)?,
        };
        let backlog = config.backlog.unwrap_or(SOMAXCONN).min(SOMAXCONN);
        listen(&fd, Backlog::new(backlog)?)?;
        Ok(fd)
    }
}

impl Listening {
    /// Its descriptor's number.
    pub fn number(&self) -> RawFd {
        self.fd.as_raw_fd()
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

/// The host of a TCP socket, unless it is an address.
fn named_host(socket: &FcgiSocket) -> Option<&str> {
    match &socket.address {
        FcgiAddress::Tcp { host, .. } if host.parse::<IpAddr>().is_err() => Some(host),
        FcgiAddress::Tcp { .. } | FcgiAddress::Unix { .. } => None,
    }
}

/// Asks the name service, which may take long.
fn addresses_of(host: &str) -> Found {
    match (host, 0).to_socket_addrs() {
        Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
        Err(error) => Err(error.to_string()),
    }
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

/// Binds to the first of the addresses that can be had.
fn bind_tcp(addresses: Vec<IpAddr>, port: u16) -> io::Result<OwnedFd> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let address = SocketAddr::from((address, port));
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

    fn tcp(host: &str) -> Arc<FcgiSocket> {
        Arc::new(FcgiSocket {
            address: FcgiAddress::Tcp {
                host: host.to_owned(),
                port: 0,
            },
            backlog: None,
        })
    }

    #[test]
    fn a_host_is_looked_up_once() {
        let (sockets, log) = (FcgiSockets::default(), ActivityLog::holding());
        drop(sockets.open(&tcp("localhost"), &log).unwrap());
        drop(sockets.open(&tcp("127.0.0.1"), &log).unwrap());
        let known: Vec<String> = sockets.0.hosts.borrow().keys().cloned().collect();
        assert_eq!(known, ["localhost"]);
        // What is remembered is what counts.
        let nowhere = Ok(vec![IpAddr::from([192, 0, 2, 1])]);
        sockets.remember("localhost", nowhere);
        assert!(sockets.open(&tcp("localhost"), &log).is_err());
    }

    #[actix::test]
    async fn a_host_that_is_not_found_is_asked_for_in_the_background() {
        let (sockets, log) = (FcgiSockets::default(), ActivityLog::holding());
        sockets.remember("localhost", Err("not yet".to_owned()));
        let refused = sockets.open(&tcp("localhost"), &log).err().unwrap();
        assert_eq!(refused.to_string(), "not yet");
        while sockets.open(&tcp("localhost"), &log).is_err() {
            tokio::task::yield_now().await;
        }
    }
}
