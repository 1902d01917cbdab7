//! Connections: accepting them, speaking HTTP/1 on them, and parting without losing the last answer.

use std::cell::Cell;
use std::error::Error as _;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::unix::UCred;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::capacity::{Capacity, Place};
use super::closing::Closing;
use super::patience::{Busy, Patient};
use super::refusals::Refusals;
use super::router::{Exchange, Site, Stream, answer};
use super::tls::{Certificate, Encrypted};
use crate::logs::activity::ActivityLog;

/// The largest request head, and how much of an answer waits in user space.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long a connection may be idle between requests: interactive clients keep one connection over long pauses. As
/// long as Supervisor's.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// How long and for how many bytes a connection lingers so that its last answer is not lost to a reset.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 1024 * 1024;

/// The pause after a failed accept, which for want of descriptors would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long a client may take to agree on how to encrypt.
const HANDSHAKE: Duration = Duration::from_secs(20);

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
    type Socket: AsyncRead + AsyncWrite + AsFd + Unpin + 'static;

    /// Does the talking.
    fn open(self) -> impl Future<Output = io::Result<Self::Socket>>;
}

/// A connection that has just come.
pub(super) struct Accepted<S> {
    stream: S,
    /// Our own address where that means something.
    address: Option<String>,
    client: Client,
}

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(super) enum Client {
    /// An address and a port.
    Tcp(std::net::SocketAddr),
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
        let address = stream.local_addr().map(|address| address.to_string());
        Ok(Accepted {
            stream,
            address: address.ok(),
            client: Client::Tcp(client),
        })
    }
}

impl Acceptor for UnixListener {
    type Stream = UnixStream;
    async fn next(&self) -> io::Result<Accepted<UnixStream>> {
        let (stream, _) = self.accept().await?;
        Ok(Accepted {
            client: Client::Unix(stream.peer_cred().ok()),
            stream,
            address: None,
        })
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

/// Serves what connects to one socket, until the servers close. What goes wrong again and again is told once.
pub(super) async fn accept<A: Acceptor>(
    listener: A,
    site: Rc<Site>,
    capacity: Capacity,
    mut closing: Closing,
) {
    let mut troubled = false;
    loop {
        let accepted = {
            let next = pin!(listener.next());
            let begun = pin!(closing.begun());
            match select(next, begun).await {
                Either::Left((accepted, _)) => accepted,
                Either::Right(_) => return,
            }
        };
        let trouble = match accepted {
            Ok(accepted) => match capacity.admit(accepted.stream.as_fd()) {
                Some(place) => {
                    troubled = false;
                    actix::spawn(serve(accepted, place, site.clone(), closing.clone()));
                    continue;
                }
                None => format!(
                    "refused a connection from {}: {} are open, and the remaining descriptors are for programs \
                     (raise minfds in [supervisord])",
                    accepted.client,
                    capacity.taken()
                ),
            },
            Err(error) => {
                sleep(ACCEPT_PAUSE).await;
                format!("cannot accept a connection: {error}")
            }
        };
        if !troubled {
            site.log().error(trouble);
        }
        troubled = true;
    }
}

/// Serves one connection from its beginning to its end.
async fn serve<S: Opening>(
    accepted: Accepted<S>,
    _place: Place,
    site: Rc<Site>,
    mut closing: Closing,
) {
    let Accepted {
        stream,
        address,
        client,
    } = accepted;
    let opened = timeout(HANDSHAKE, stream.open());
    let opened = match select(pin!(opened), pin!(closing.begun())).await {
        Either::Left((opened, _)) => opened,
        Either::Right(_) => return,
    };
    let problem = match opened {
        Ok(Ok(stream)) => {
            let accepted = Accepted {
                stream,
                address,
                client,
            };
            return converse(accepted, site, closing).await;
        }
        Ok(Err(problem)) => problem.to_string(),
        Err(_) => "it takes too long".to_owned(),
    };
    let refusals = site.refusals();
    refusals.tell(format_args!(
        "refused a connection from {client}: no TLS: {problem}"
    ));
}

/// Answers the requests of one connection, one after another.
async fn converse<S>(accepted: Accepted<S>, site: Rc<Site>, mut closing: Closing)
where
    S: AsyncRead + AsyncWrite + AsFd + Unpin + 'static,
{
    let busy = Busy::default();
    let socket = Patient::new(accepted.stream, busy.clone());
    let exchange = Rc::new(Exchange {
        site,
        address: accepted.address,
        client: accepted.client,
        busy,
        stream: Cell::new(None),
    });
    let service = service_fn(|request| Box::pin(answer(exchange.clone(), request)));
    let mut connection = http1::Builder::new()
        .half_close(true)
        .title_case_headers(true)
        .max_buf_size(BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(socket), service);
    let is_done = {
        let requests = poll_fn(|context| connection.poll_without_shutdown(context));
        match select(requests, pin!(closing.begun())).await {
            Either::Left((outcome, _)) => {
                if let Err(error) = outcome {
                    tell(&error, &exchange.client, exchange.site.refusals());
                }
                true
            }
            Either::Right(_) => false,
        }
    };
    if !is_done {
        Pin::new(&mut connection).graceful_shutdown();
        let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    }
    let socket = connection.into_parts().io.into_inner();
    part(socket.into_inner(), &exchange, closing).await;
}

/// Tells why a connection was given up, unless the client just left or a log stream has taken over.
fn tell(error: &hyper::Error, client: &Client, refusals: &Refusals) {
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    let timed_out = source.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
    if timed_out {
        refusals.tell(format_args!(
            "gave up a connection from {client}: it takes too long"
        ));
    } else if error.is_parse() {
        refusals.tell(format_args!("refused a request from {client}: {error}"));
    }
}

/// What comes after the last request: a log stream if that is what it asked for, then good-bye.
async fn part<S>(mut socket: S, exchange: &Exchange, closing: Closing)
where
    S: AsyncRead + AsyncWrite + AsFd + Unpin,
{
    match exchange.stream.take() {
        Some(Stream::Log(stream)) => stream.run(&mut socket, closing).await,
        Some(Stream::Push(stream)) => stream.run(&mut socket, closing, exchange).await,
        None => {}
    }
    let _ = timeout(LINGER, linger(&mut socket)).await;
}

/// Closing a socket with something unread in it would reset the connection, and with it destroy what the client has
/// not read yet.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut S) {
    if socket.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut socket.take(LINGER_BYTES), &mut tokio::io::sink()).await;
    }
}
