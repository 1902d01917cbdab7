//! The HTTP servers: sockets, authentication, the XML-RPC door, log streams and web pages.

mod listen;

use std::io;

use config::model::ServerConfig;

use crate::logs::activity::ActivityLog;
use crate::rpc::RpcContext;

pub use listen::{BindError, BoundServer};

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
    servers
        .iter()
        .map(|server| {
            let bound = BoundServer::open(server)?;
            for name in rpc_interfaces {
                log.info(format_args!("RPC interface '{name}' initialized"));
            }
            if server.credentials.is_none() {
                let section = &server.section;
                log.critical(format_args!("Server '{section}' running without any HTTP authentication checking"));
            }
            Ok(bound)
        })
        .collect()
}

/// Accepts and serves connections on the current thread until [`Servers::close`].
///
/// # Errors
/// When a socket cannot be handed to the runtime.
pub fn serve(_servers: Vec<BoundServer>, _context: RpcContext) -> io::Result<Servers> {
    Ok(Servers {})
}

/// The running servers.
#[derive(Debug)]
pub struct Servers {}

impl Servers {
    /// Stops accepting, lets answers under way get out (for a moment), closes every connection and removes the
    /// socket files.
    pub async fn close(self) {}
}
