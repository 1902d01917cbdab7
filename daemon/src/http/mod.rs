//! The HTTP servers: sockets, authentication, the XML-RPC door, log streams and web pages.
//!
//! Requests are served by hyper on the daemon's one thread. Log streams take their connection away from hyper and
//! write to it themselves, see [`stream`].

mod api;
mod assets;
mod auth;
mod backlog;
mod body;
mod capacity;
mod closing;
mod connection;
mod departure;
mod guard;
mod judge;
mod listen;
mod logtail;
mod origin;
mod outgoing;
mod pages;
mod password;
mod patience;
mod people;
mod push;
mod refusals;
mod reply;
mod rest;
mod resting;
mod router;
mod sockets;
mod steady;
mod stream;
mod tls;
mod turns;

use std::io;
use std::rc::Rc;
use std::time::Duration;

use config::model::{Account, ServerConfig};

use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::api::Api;
use crate::logs::activity::ActivityLog;
use crate::rpc::RpcContext;
use auth::Accounts;
use capacity::Capacity;
use closing::Closer;
use connection::{accept, go_on};
use listen::Listener;
use origin::Scheme;
use refusals::Refusals;
use router::Site;
use sockets::TlsListener;
use steady::Steady;

pub use auth::BadPassword;
pub use judge::Judge;
pub use listen::{BindError, BoundServer};
pub use rest::{ServerSnapshot, Socket, around, could_serve, inherit, resume};
pub use resting::{ConnectionSnapshot, Resting, awaken};
pub use tls::TlsError;

/// How long answers under way may take to get out after [`Servers::close`].
const GRACE: Duration = Duration::from_secs(2);

/// Opens the sockets of all server sections, in order, and logs what is noteworthy about them. Done before the
/// daemon leaves the terminal.
///
/// # Errors
/// The first section that cannot be used or cannot listen; what was opened before is closed again, files included.
pub fn bind(
    servers: &[ServerConfig],
    accounts: &[Account],
    rpc_interfaces: &[String],
    log: &ActivityLog,
) -> Result<Vec<BoundServer>, BindError> {
    let accounts = Accounts::new(accounts)?;
    let open = |server: &ServerConfig| {
        let bound = BoundServer::open(server, &accounts)?;
        for name in rpc_interfaces {
            log.info(format_args!("RPC interface '{name}' initialized"));
        }
        if bound.gate.is_open() {
            let section = &server.section;
            log.critical(format_args!(
                "Server '{section}' running without any HTTP authentication checking"
            ));
        }
        Ok(bound)
    };
    servers.iter().map(open).collect()
}

/// Accepts and serves connections on the current thread until [`Servers::close`], and goes on with `connections` that
/// were left before.
///
/// # Errors
/// When a socket cannot be handed to the runtime.
pub fn serve(
    servers: Vec<BoundServer>,
    mut connections: Vec<Resting>,
    context: &RpcContext,
    api: &Api,
) -> io::Result<Servers> {
    let closer = Closer::default();
    let capacity = Capacity::default();
    let refusals = Refusals::new(context.log.clone());
    let mut sockets = Vec::new();
    for BoundServer {
        section,
        listener,
        certificate,
        gate,
        guard,
        file,
    } in servers
    {
        let scheme = match certificate {
            Some(_) => Scheme::Https,
            None => Scheme::Http,
        };
        let site = Rc::new(Site::new(
            context.clone(),
            api.clone(),
            gate,
            guard,
            scheme,
            capacity.clone(),
            refusals.clone(),
        ));
        let can_rest = certificate.is_none();
        let (capacity, closing) = (capacity.clone(), closer.watch(&section, can_rest));
        let left = connections.extract_if(.., |left| left.section == section);
        let left = left.collect::<Vec<_>>().into_iter();
        let socket = Socket::new(section, &listener, file)?;
        let open = socket.open();
        sockets.push(socket);
        match (listener, certificate) {
            (Listener::Tcp(listener), None) => {
                let listener = tcp(listener)?;
                go_on::<TcpStream>(left, &site, &capacity, &closing);
                actix::spawn(accept(listener, site, capacity, closing));
            }
            (Listener::Tcp(listener), Some(certificate)) => {
                let listener = TlsListener {
                    listener: tcp(listener)?,
                    certificate,
                    log: context.log.clone(),
                };
                actix::spawn(accept(listener, site, capacity, closing));
            }
            (Listener::Unix(listener, place), _) => {
                let listener = Steady::new(listener, open, place, context.log.clone())?;
                go_on::<UnixStream>(left, &site, &capacity, &closing);
                actix::spawn(accept(listener, site, capacity, closing));
            }
        }
    }
    Ok(Servers {
        closer,
        sockets,
        connections: Vec::new(),
    })
}

fn tcp(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// The running servers. Dropping them closes them without waiting.
#[derive(Debug, Default)]
pub struct Servers {
    closer: Closer,
    /// Open as long as the servers are there, also while nobody accepts.
    sockets: Vec<Socket>,
    /// What rests.
    connections: Vec<Resting>,
}

impl Servers {
    /// Stops accepting, removes the socket files, and lets answers under way get out, though not for ever.
    pub async fn close(self) {
        drop(self.sockets);
        // Who has not finished by then is cut off when the runtime ends or the process does.
        self.closer.close();
        let _ = tokio::time::timeout(GRACE, self.closer.gone()).await;
    }
}
