//! XML-RPC over HTTP for the tools that talk to a supervisord: one kept-alive connection for calls, and log streams.
//!
//! Servers are reached by Unix sockets, TCP, and TCP with TLS.
//!
//! [`Client`] is asynchronous and wants a tokio runtime with I/O enabled; [`blocking::Client`] brings its own.

pub mod blocking;
mod client;
mod error;
mod process_info;
mod tls;
mod transport;
mod url;

pub use client::{ByteStream, Client, Credentials};
pub use error::CallError;
pub use process_info::ProcessInfo;
pub use tls::TlsError;
pub use url::{ServerUrl, UrlError};
