//! One HTTP/1.1 connection over whatever kind of socket the address names.

use std::io;
use std::net::ToSocketAddrs as _;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use crate::tls::{TlsError, Trust, diagnose};
use crate::{CallError, ServerUrl};

/// How much is read at once, in bytes. Without a limit the buffer grows with long answers, and stays for as long as the
/// connection.
const READ_AT_ONCE: usize = 16 * 1024;

/// How long a host may take to accept a connection, and to encrypt it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sending half; the connection itself is driven by a task and ends when this is dropped.
pub(crate) type Sender = SendRequest<Full<Bytes>>;

/// A connection to a server; `trust` is asked for if it is to be an encrypted one.
pub(crate) async fn connect(
    url: &ServerUrl,
    trust: impl FnOnce() -> Result<Trust, CallError>,
) -> Result<Sender, CallError> {
    match url {
        ServerUrl::Unix(path) => handshake(UnixStream::connect(path).await?).await,
        ServerUrl::Http {
            host,
            port,
            tls: false,
            ..
        } => handshake(connect_tcp(host, *port).await?).await,
        ServerUrl::Http { host, port, .. } => {
            handshake(connect_tls(host, *port, &trust()?).await?).await
        }
    }
}

async fn connect_tls(
    host: &str,
    port: u16,
    trust: &Trust,
) -> Result<TlsStream<TcpStream>, CallError> {
    let deadline = Instant::now() + PATIENCE;
    let connected = timeout_at(deadline, connect_tcp(host, port)).await;
    let stream = connected.map_err(|_| {
        let text = format!("takes no connection within {} s", PATIENCE.as_secs());
        CallError::Io(io::Error::new(io::ErrorKind::TimedOut, text))
    })??;
    let secured = timeout_at(deadline, trust.secure(host, stream)).await;
    let secured = secured.map_err(|_| TlsError::Silent(PATIENCE))?;
    secured.map_err(|error| match diagnose(host, &error) {
        Some(problem) => problem.into(),
        None => error.into(),
    })
}

/// Tries the addresses of a host one after the other. The name is looked up on this thread: a tool has nothing else to
/// do meanwhile, and tokio would start a thread for it.
async fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = None;
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            // `localhost` has two addresses and a server often one: the first refusal tells as much as the last.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::other("the host has no address")))
}

async fn handshake<S>(stream: S) -> Result<Sender, CallError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let io = TokioIo::new(stream);
    let handshake = http1::Builder::new()
        .max_buf_size(READ_AT_ONCE)
        .handshake(io)
        .await;
    let (sender, connection) = handshake.map_err(CallError::from_http)?;
    // Its failures reach whoever waits for a response.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
