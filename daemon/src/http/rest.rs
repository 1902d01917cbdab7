//! Servers while the daemon is replaced: they come to rest with their connections, and the sockets stay open.

use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use config::model::{Config, ServerAddress, ServerConfig};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::auth::Accounts;
use super::listen::{Listener, Place, SocketFile, Trust};
use super::resting::{ConnectionSnapshot, Resting};
use super::steady::Open;
use super::{BindError, BoundServer, GRACE, Servers};
use crate::logs::activity::ActivityLog;
use crate::sys::handover::Inherited;
use crate::upgrade::Gate;

/// How long a call may take that has come at the last moment.
const LAST: Duration = Duration::from_secs(1);

/// A listening socket as it is handed to another daemon in this same operating system process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerSnapshot {
    /// The section's name.
    section: String,
    /// Its descriptor.
    pub fd: RawFd,
    /// The device and inode of its file, if it has one.
    file: Option<(u64, u64)>,
}

impl ServerSnapshot {
    /// Whether the file, if there has to be one, still leads to this socket.
    fn is_reached(&self, config: &Config) -> bool {
        let server = section(config, &self.section).map(|server| &server.address);
        match (server, self.file) {
            (Some(ServerAddress::Unix { path, .. }), Some(identity)) => {
                let found = fs::symlink_metadata(path);
                found.is_ok_and(|found| (found.dev(), found.ino()) == identity)
            }
            _ => true,
        }
    }
}

/// A listening socket, whether or not somebody accepts what comes.
#[derive(Debug)]
pub struct Socket {
    section: String,
    open: Open,
}

/// The sockets of servers that another daemon has left open.
pub fn resume(
    config: &Config,
    snapshots: &[ServerSnapshot],
    inherited: &mut Inherited,
    log: &ActivityLog,
) -> Vec<BoundServer> {
    let mut sockets = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        let section = section(config, &snapshot.section);
        match section.and_then(|section| Socket::resume(section, snapshot, inherited)) {
            Some(socket) => sockets.push(socket),
            None => log.critical(format_args!("the server '{}' is lost", snapshot.section)),
        }
    }
    around(config, sockets, log)
}

/// The same after a daemon that has died. It may have made a socket anew that nobody has noted down: that one died with it, and
/// another is made.
pub fn inherit(
    config: &Config,
    snapshots: &[ServerSnapshot],
    inherited: &mut Inherited,
    log: &ActivityLog,
) -> Vec<BoundServer> {
    let is_reached = |snapshot: &&ServerSnapshot| snapshot.is_reached(config);
    let (kept, lost): (Vec<_>, Vec<_>) = snapshots.iter().partition(is_reached);
    let kept: Vec<ServerSnapshot> = kept.into_iter().cloned().collect();
    let mut servers = resume(config, &kept, inherited, log);
    let lost: Vec<ServerConfig> = lost
        .into_iter()
        .filter_map(|snapshot| section(config, &snapshot.section).cloned())
        .collect();
    match super::bind(&lost, &config.accounts, &config.rpc_interfaces, log) {
        Ok(bound) => servers.extend(bound),
        Err(error) => log.critical(format_args!("servers are lost: {error}")),
    }
    servers
}

/// The servers of sockets that are open; what cannot be served is told of.
pub fn around(config: &Config, sockets: Vec<Socket>, log: &ActivityLog) -> Vec<BoundServer> {
    let mut bound = Vec::with_capacity(sockets.len());
    for socket in sockets {
        let name = socket.section.clone();
        match socket.into_bound(config) {
            Ok(server) => bound.extend(server),
            Err(error) => log.critical(format_args!("the server '{name}' is lost: {error}")),
        }
    }
    bound
}

/// Whether all that the servers need besides their sockets is in order.
///
/// # Errors
/// What is not.
pub fn could_serve(config: &Config) -> Result<(), BindError> {
    let accounts = Accounts::new(&config.accounts)?;
    let mut servers = config.servers.iter();
    servers.try_for_each(|server| Trust::of(server, &accounts).map(drop))
}

fn section<'a>(config: &'a Config, name: &str) -> Option<&'a ServerConfig> {
    config.servers.iter().find(|server| server.section == name)
}

impl Socket {
    /// Another handle to a socket that is about to be handed to the runtime.
    pub(super) fn new(
        section: String,
        listener: &Listener,
        file: Option<SocketFile>,
    ) -> io::Result<Self> {
        let open = Open::new(listener.try_clone()?, file);
        Ok(Self { section, open })
    }

    /// The socket as it is at any time.
    pub(super) fn open(&self) -> Open {
        self.open.clone()
    }

    fn resume(
        server: &ServerConfig,
        snapshot: &ServerSnapshot,
        inherited: &mut Inherited,
    ) -> Option<Self> {
        let fd = inherited.claim(snapshot.fd)?;
        let (listener, file) = match &server.address {
            ServerAddress::Inet { .. } => (Listener::Tcp(fd.into()), None),
            ServerAddress::Unix { path, mode, owner } => {
                let place = Place::new(path, *mode, *owner);
                let known = |identity| SocketFile::known(path, identity);
                (Listener::Unix(fd.into(), place), snapshot.file.map(known))
            }
        };
        Some(Self {
            section: server.section.clone(),
            open: Open::new(listener, file),
        })
    }

    fn into_bound(self, config: &Config) -> Result<Option<BoundServer>, BindError> {
        let Some(server) = section(config, &self.section) else {
            return Ok(None);
        };
        let accounts = Accounts::new(&config.accounts)?;
        let trust = Trust::of(server, &accounts)?;
        let (listener, file) = self.open.take().map_err(|it| BindError::from_io(&it))?;
        Ok(Some(BoundServer::around(server, trust, listener, file)))
    }

    fn snapshot(&self) -> ServerSnapshot {
        ServerSnapshot {
            section: self.section.clone(),
            fd: self.open.descriptor(),
            file: self.open.identity(),
        }
    }
}

impl Drop for Socket {
    /// Who accepts may have it for a moment longer.
    fn drop(&mut self) {
        self.open.remove_file();
    }
}

impl Servers {
    /// The sockets, for another daemon.
    pub fn snapshot(&self) -> Vec<ServerSnapshot> {
        self.sockets.iter().map(Socket::snapshot).collect()
    }

    /// The connections that rest, for another daemon.
    pub fn connections(&self) -> Vec<ConnectionSnapshot> {
        let connections = self.connections.iter();
        connections.filter_map(Resting::snapshot).collect()
    }

    /// Lets calls under way come to their end or gives them up after a while, accepts nothing any more, and has every
    /// connection rest when its answer is out, or close where it cannot be gone on with. Others are served until then.
    pub async fn rest(&mut self, gate: &Gate, patience: Duration) {
        let are_done = gate.idle(patience).await;
        let closer = std::mem::take(&mut self.closer);
        closer.rest();
        let patience = if are_done { LAST } else { Duration::ZERO };
        if !gate.idle(patience).await {
            gate.interrupt();
        }
        // Who has not taken the answer by then does not get the rest of it.
        let _ = timeout(GRACE, closer.gone()).await;
        self.connections = closer.into_resting();
    }

    /// The sockets of servers that rest, to be served again, and the connections that do.
    pub fn into_parts(self) -> (Vec<Socket>, Vec<Resting>) {
        (self.sockets, self.connections)
    }
}
