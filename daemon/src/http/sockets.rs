//! Where connections come from, and what they are.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::unix::UCred;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::tls::{Certificate, Encrypted};
use crate::logs::activity::ActivityLog;

/// A socket that connections come from.
pub(super) trait Acceptor: Sized {
    /// What it hands out.
    type Stream: Opening + AsFd + 'static;
    /// The next connection.
    fn next(&self) -> impl Future<Output = io::Result<Accepted<Self::Stream>>>;
}

/// A connection that may need some more talk before it can be used.
pub(super) trait Opening {
    /// What it is then.
    type Socket: Socket;

    /// Does the talking.
    fn open(self) -> impl Future<Output = io::Result<Self::Socket>>;
}

/// A connection that can be used.
pub(super) trait Socket: AsyncRead + AsyncWrite + AsFd + Unpin + 'static {
    /// Takes it from the runtime, for another program; `None` if that could not go on with it.
    fn into_descriptor(self) -> Option<OwnedFd>;
}

/// A connection that another program can go on with.
pub(super) trait Plain: Socket {
    /// Goes on with one.
    ///
    /// # Errors
    /// The client has left.
    fn resume(descriptor: OwnedFd) -> io::Result<Accepted<Self>>
    where
        Self: Sized;
}

/// A connection that has just come.
pub(super) struct Accepted<S> {
    pub(super) stream: S,
    /// Our own address where that means something.
    pub(super) address: Option<String>,
    pub(super) client: Client,
}

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(super) enum Client {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A process, if the system tells which.
    Unix(Option<UCred>),
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(None) => f.write_str("the Unix socket"),
            Self::Unix(Some(process)) => {
                write!(f, "the Unix socket (uid {}", process.uid())?;
                match process.pid() {
                    Some(pid) => write!(f, ", pid {pid})"),
                    None => f.write_str(")"),
                }
            }
        }
    }
}

impl Acceptor for TcpListener {
    type Stream = TcpStream;
    async fn next(&self) -> io::Result<Accepted<TcpStream>> {
        let (stream, client) = self.accept().await?;
        // Answers are written whole; without these a connection works, only worse.
        let _ = stream.set_nodelay(true);
        let _ = notice_vanished_peers(&stream);
        Ok(Accepted::tcp(stream, client))
    }
}

impl Accepted<TcpStream> {
    fn tcp(stream: TcpStream, client: SocketAddr) -> Self {
        let address = stream.local_addr().map(|address| address.to_string());
        Self {
            stream,
            address: address.ok(),
            client: Client::Tcp(client),
        }
    }
}

impl Accepted<UnixStream> {
    pub(super) fn unix(stream: UnixStream) -> Self {
        Self {
            client: Client::Unix(stream.peer_cred().ok()),
            stream,
            address: None,
        }
    }
}

impl Opening for TcpStream {
    type Socket = Self;

    async fn open(self) -> io::Result<Self> {
        Ok(self)
    }
}

impl Opening for UnixStream {
    type Socket = Self;

    async fn open(self) -> io::Result<Self> {
        Ok(self)
    }
}

impl Socket for TcpStream {
    fn into_descriptor(self) -> Option<OwnedFd> {
        self.into_std().ok().map(OwnedFd::from)
    }
}

impl Plain for TcpStream {
    fn resume(descriptor: OwnedFd) -> io::Result<Accepted<Self>> {
        let stream = std::net::TcpStream::from(descriptor);
        stream.set_nonblocking(true)?;
        let client = stream.peer_addr()?;
        Ok(Accepted::tcp(Self::from_std(stream)?, client))
    }
}

impl Socket for UnixStream {
    fn into_descriptor(self) -> Option<OwnedFd> {
        self.into_std().ok().map(OwnedFd::from)
    }
}

impl Plain for UnixStream {
    fn resume(descriptor: OwnedFd) -> io::Result<Accepted<Self>> {
        let stream = std::os::unix::net::UnixStream::from(descriptor);
        stream.set_nonblocking(true)?;
        Ok(Accepted::unix(Self::from_std(stream)?))
    }
}

impl Socket for Encrypted {
    fn into_descriptor(self) -> Option<OwnedFd> {
        None
    }
}

/// A TCP socket with a certificate.
pub(super) struct TlsListener {
    pub(super) listener: TcpListener,
    pub(super) certificate: Certificate,
    pub(super) log: ActivityLog,
}

/// A connection that is not encrypted yet.
pub(super) struct Unencrypted {
    stream: TcpStream,
    acceptor: TlsAcceptor,
}

impl Acceptor for TlsListener {
    type Stream = Unencrypted;

    async fn next(&self) -> io::Result<Accepted<Unencrypted>> {
        let Accepted {
            stream,
            address,
            client,
        } = self.listener.next().await?;
        let acceptor = self.certificate.acceptor(&self.log);
        Ok(Accepted {
            stream: Unencrypted { stream, acceptor },
            address,
            client,
        })
    }
}

impl AsFd for Unencrypted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Opening for Unencrypted {
    type Socket = Encrypted;

    async fn open(self) -> io::Result<Encrypted> {
        Encrypted::agree(self.stream, self.acceptor).await
    }
}

/// Lets the kernel find out about clients that have left an idle log stream without another word: over TCP this
/// looks like a half-closed connection until a probe is answered with a reset.
fn notice_vanished_peers(stream: &TcpStream) -> nix::Result<()> {
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &20)?;
    setsockopt(stream, sockopt::TcpKeepInterval, &15)?;
    setsockopt(stream, sockopt::TcpKeepCount, &4)
}
