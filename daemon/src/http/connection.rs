//! Connections: accepting them, speaking HTTP/1 on them, and parting without losing the last answer.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use super::closing::Closing;
use super::router::{Exchange, Site, answer};

/// The largest request head, and how much of an answer waits in user space.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long a connection may take to bring a request's head, idle time before it included: interactive clients
/// keep one connection over long pauses. As long as Supervisor's.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How long and for how many bytes a connection lingers so that its last answer is not lost to a reset.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 1024 * 1024;

/// The pause after a failed accept, which for want of descriptors would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A socket that connections come from.
pub(super) trait Acceptor: Sized {
    /// What it hands out.
    type Stream: AsyncRead + AsyncWrite + AsFd + Unpin + 'static;
    /// What it is before the runtime has it.
    type Std;

    /// Hands a listening socket to the runtime.
    fn from_std(listener: Self::Std) -> io::Result<Self>;

    /// The next connection, and the local address where that means something.
    fn next(&self) -> impl Future<Output = io::Result<(Self::Stream, Option<String>)>>;
}

impl Acceptor for TcpListener {
    type Stream = TcpStream;
    type Std = std::net::TcpListener;

    fn from_std(listener: Self::Std) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::from_std(listener)
    }

    async fn next(&self) -> io::Result<(TcpStream, Option<String>)> {
        let (stream, _) = self.accept().await?;
        // Answers are written whole; without these a connection works, only worse.
        let _ = stream.set_nodelay(true);
        let _ = notice_vanished_peers(&stream);
        let address = stream.local_addr().map(|address| address.to_string());
        Ok((stream, address.ok()))
    }
}

impl Acceptor for UnixListener {
    type Stream = UnixStream;
    type Std = std::os::unix::net::UnixListener;

    fn from_std(listener: Self::Std) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::from_std(listener)
    }

    async fn next(&self) -> io::Result<(UnixStream, Option<String>)> {
        let (stream, _) = self.accept().await?;
        Ok((stream, None))
    }
}

/// Lets the kernel find out about clients that have left an idle log stream without another word: over TCP this
/// looks like a half-closed connection until a probe is answered with a reset.
fn notice_vanished_peers(stream: &TcpStream) -> nix::Result<()> {
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &60)?;
    setsockopt(stream, sockopt::TcpKeepInterval, &15)?;
    setsockopt(stream, sockopt::TcpKeepCount, &4)
}

/// Serves what connects to one socket, until the servers close.
pub(super) async fn accept<A: Acceptor>(listener: A, site: Rc<Site>, mut closing: Closing) {
    loop {
        let accepted = {
            let next = pin!(listener.next());
            let begun = pin!(closing.begun());
            match select(next, begun).await {
                Either::Left((accepted, _)) => accepted,
                Either::Right(_) => return,
            }
        };
        match accepted {
            Ok((stream, address)) => {
                let exchange = Rc::new(Exchange {
                    site: site.clone(),
                    address,
                    stream: Cell::new(None),
                });
                actix::spawn(serve(stream, exchange, closing.clone()));
            }
            Err(error) => {
                site.log()
                    .error(format_args!("cannot accept a connection: {error}"));
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection, one after another.
async fn serve<S>(socket: S, exchange: Rc<Exchange>, mut closing: Closing)
where
    S: AsyncRead + AsyncWrite + AsFd + Unpin + 'static,
{
    let service = service_fn(|request| Box::pin(answer(exchange.clone(), request)));
    let mut connection = http1::Builder::new()
        .half_close(true)
        .title_case_headers(true)
        .max_buf_size(BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(socket), service);
    // Errors concern this client alone, and it knows; a log stream that takes over looks like one, too.
    let is_done = {
        let requests = poll_fn(|context| connection.poll_without_shutdown(context));
        matches!(
            select(requests, pin!(closing.begun())).await,
            Either::Left(_)
        )
    };
    if !is_done {
        Pin::new(&mut connection).graceful_shutdown();
        let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    }
    part(connection.into_parts().io.into_inner(), &exchange, closing).await;
}

/// What comes after the last request: a log stream if that is what it asked for, then good-bye.
async fn part<S>(mut socket: S, exchange: &Exchange, closing: Closing)
where
    S: AsyncRead + AsyncWrite + AsFd + Unpin,
{
    if let Some(stream) = exchange.stream.take() {
        stream.run(&mut socket, closing).await;
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
