//! The HTTP servers: sockets, authentication, the XML-RPC door, log streams and web pages.
//!
//! Requests are served by hyper on the daemon's one thread. Log streams take their connection away from hyper and
//! write to it themselves, see [`stream`].

mod api;
mod assets;
mod auth;
mod body;
mod capacity;
mod closing;
mod connection;
mod listen;
mod origin;
mod pages;
mod patience;
mod push;
mod refusals;
mod reply;
mod router;
mod stream;

use std::io;
use std::rc::Rc;
use std::time::Duration;

use config::model::ServerConfig;

use crate::api::Api;
use crate::logs::activity::ActivityLog;
use crate::rpc::RpcContext;
use capacity::Capacity;
use closing::Closer;
use connection::{Acceptor, accept};
use listen::{Listener, SocketFile};
use refusals::Refusals;
use router::Site;

pub use listen::{BindError, BoundServer};

/// How long answers under way may take to get out after [`Servers::close`].
const GRACE: Duration = Duration::from_secs(2);

/// Opens the sockets of all server sections, in order, and logs what is noteworthy about them. Done before the
/// daemon leaves the terminal.
///
/// # Errors
/// The first section that cannot listen; what was opened before is closed again, files included.
pub fn bind(
    servers: &[ServerConfig],
    rpc_interfaces: &[String],
    log: &ActivityLog,
) -> Result<Vec<BoundServer>, BindError> {
    let open = |server: &ServerConfig| {
        let bound = BoundServer::open(server)?;
        for name in rpc_interfaces {
            log.info(format_args!("RPC interface '{name}' initialized"));
        }
        if server.credentials.is_none() {
            let section = &server.section;
            log.critical(format_args!(
                "Server '{section}' running without any HTTP authentication checking"
            ));
        }
        Ok(bound)
    };
    servers.iter().map(open).collect()
}

/// Accepts and serves connections on the current thread until [`Servers::close`].
///
/// # Errors
/// When a socket cannot be handed to the runtime.
pub fn serve(
    servers: Vec<BoundServer>,
    context: &RpcContext,
    api: &Api,
) -> io::Result<Servers> {
    let closer = Closer::default();
    let capacity = Capacity::default();
    let refusals = Refusals::new(context.log.clone());
    let mut files = Vec::new();
    for BoundServer {
        listener,
        credentials,
        file,
    } in servers
    {
        let site = Rc::new(Site::new(
            context.clone(),
            api.clone(),
            credentials,
            capacity.clone(),
            refusals.clone(),
        ));
        match listener {
            Listener::Tcp(listener) => {
                let listener: tokio::net::TcpListener = Acceptor::from_std(listener)?;
                actix::spawn(accept(listener, site, capacity.clone(), closer.watch()));
            }
            Listener::Unix(listener) => {
                let listener: tokio::net::UnixListener = Acceptor::from_std(listener)?;
                actix::spawn(accept(listener, site, capacity.clone(), closer.watch()));
            }
        }
        files.extend(file);
    }
    Ok(Servers { closer, files })
}

/// The running servers. Dropping them closes them without waiting.
#[derive(Debug)]
pub struct Servers {
    closer: Closer,
    files: Vec<SocketFile>,
}

impl Servers {
    /// Stops accepting, removes the socket files, and lets answers under way get out, though not for ever.
    pub async fn close(self) {
        drop(self.files);
        // Who has not finished by then is cut off when the runtime ends or the process does.
        let _ = tokio::time::timeout(GRACE, self.closer.close()).await;
    }
}
