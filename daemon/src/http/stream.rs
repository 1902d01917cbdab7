//! `/logtail/...` and `/mainlogtail`: the end of a log, and then what is added to it, for ever.
//!
//! A stream takes its connection away from hyper, for three reasons: the answer to a chunked request is framed
//! exactly as Supervisor's (hyper writes lengths in upper case), a client that leaves is noticed while nothing
//! happens, and nothing is buffered on the way: what a client does not read stays in the log file.

use std::fmt::Write as _;
use std::future::pending;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use futures_util::future::{Either, select};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap};
use hyper::{Method, Request, StatusCode, Version};
use nix::sys::socket::{AddressFamily, SockaddrLike as _, SockaddrStorage, getsockname};
use protocol::events::Channel;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, Interest, Ready};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use super::closing::Closing;
use super::reply::IDENTITY;
use crate::logs::changes::Follower;
use crate::logs::follow::{FileFollower, Piece};
use crate::rpc::RpcContext;
use crate::supervisor::messages::{LocateLog, LocateMainLog, LogLocation};

/// How often a log is looked at unasked: others may rotate or truncate it.
const UNASKED: Duration = Duration::from_secs(1);

/// How long a client may take to read the last of a stream when the servers close.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// How much of a log's end a stream starts with.
const HEAD_START: u64 = 1024;

const TRUNCATED: &[u8] = b"==> File truncated <==\n";

/// A stream that is about to begin.
#[derive(Debug)]
pub(super) struct LogStream {
    head: String,
    framing: Framing,
    follower: FileFollower,
    changes: Changes,
}

/// How a client learns where the answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// HTTP/1.1: each piece with its length before it.
    Chunked,
    /// The connection's end is the body's.
    Plain,
}

/// Finds the log that a path asks for.
///
/// # Errors
/// The status to answer with.
pub(super) async fn open(
    context: &RpcContext,
    request: &Request<Incoming>,
    path: &str,
) -> Result<LogStream, StatusCode> {
    if request.method() != Method::GET {
        return Err(StatusCode::BAD_REQUEST);
    }
    let is_main = path.starts_with("/mainlogtail");
    let located = match is_main {
        true => context.ask(LocateMainLog).await,
        false => match target(path) {
            Some(target) => context.ask(target).await.and_then(|located| located),
            None => return Err(StatusCode::NOT_FOUND),
        },
    };
    let LogLocation { path, changed } = located.map_err(|_| StatusCode::NOT_FOUND)?;
    let path: PathBuf = path.ok_or(StatusCode::NOT_FOUND)?.to_path_buf();
    let follower = FileFollower::open(&path, HEAD_START).map_err(|_| StatusCode::NOT_FOUND)?;
    let framing = Framing::of(request.version(), request.headers());
    Ok(LogStream {
        head: head(request.version(), framing, &follower, is_main),
        framing,
        follower,
        changes: Changes(Some(changed)),
    })
}

/// `/logtail/<name>[/<channel>]`, decoded.
fn target(path: &str) -> Option<LocateLog> {
    let (_, wanted) = path.trim_start_matches('/').split_once('/')?;
    let (name, channel) = wanted
        .split_once('/')
        .unwrap_or((wanted, Channel::Stdout.name()));
    let channels = [Channel::Stdout, Channel::Stderr];
    let channel = channels.into_iter().find(|known| known.name() == channel)?;
    Some(LocateLog {
        name: name.to_owned(),
        channel,
    })
}

impl Framing {
    /// What goes with the request.
    pub(super) fn of(version: Version, headers: &HeaderMap) -> Self {
        let connection = headers.get(CONNECTION);
        let closes =
            connection.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        match version {
            Version::HTTP_11 if !closes => Self::Chunked,
            _ => Self::Plain,
        }
    }

    /// The headers that tell, and the end of the headers.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Chunked => "Transfer-Encoding: chunked\r\n\r\n",
            Self::Plain => "Connection: close\r\n\r\n",
        }
    }

    /// What comes after the last piece.
    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::Chunked => b"0\r\n\r\n",
            Self::Plain => b"",
        }
    }
}

fn head(version: Version, framing: Framing, follower: &FileFollower, is_main: bool) -> String {
    let version = if version == Version::HTTP_11 {
        "1.1"
    } else {
        "1.0"
    };
    let now = httpdate::fmt_http_date(SystemTime::now());
    let mut head = format!("HTTP/{version} 200 OK\r\nServer: {IDENTITY}\r\nDate: {now}\r\n");
    if let Ok(modified) = follower.metadata().and_then(|metadata| metadata.modified()) {
        // Writing to a string cannot fail.
        let _ = write!(
            head,
            "Last-Modified: {}\r\n",
            httpdate::fmt_http_date(modified)
        );
    }
    head.push_str("Content-Type: text/plain;charset=utf-8\r\n");
    if !is_main {
        // Keeps nginx from collecting the stream.
        head.push_str("X-Accel-Buffering: no\r\n");
    }
    head.push_str(framing.header());
    head
}

impl LogStream {
    /// Streams until the client leaves or the servers close; then the end of the log still gets out, if the client
    /// is reading at all.
    pub(super) async fn run<S>(self, socket: &mut S, mut closing: Closing)
    where
        S: AsyncWrite + AsFd + Unpin,
    {
        let Ok(departure) = Departure::watch(socket) else {
            return;
        };
        let left = pin!(departure.awaited());
        let mut ending = closing.clone();
        let stream = pin!(self.stream(socket, &mut ending));
        let limit = pin!(async {
            closing.begun().await;
            sleep(LAST_WORDS).await;
        });
        // Whatever ends it, there is nobody to tell.
        select(select(stream, left), limit).await;
    }

    async fn stream<S: AsyncWrite + Unpin>(
        mut self,
        socket: &mut S,
        closing: &mut Closing,
    ) -> io::Result<()> {
        socket.write_all(self.head.as_bytes()).await?;
        socket.flush().await?;
        let mut buffer = Vec::new();
        let mut ending = false;
        loop {
            match self.follower.next(&mut buffer)? {
                Piece::Data => write_piece(socket, self.framing, &buffer).await?,
                // Supervisor says nothing of a log that was cleared or rotated.
                Piece::Removed => {}
                Piece::Truncated => write_piece(socket, self.framing, TRUNCATED).await?,
                Piece::Nothing if ending => break,
                Piece::Nothing => {
                    // An idle stream needs no memory.
                    buffer = Vec::new();
                    ending = self.changes.next_or(closing).await;
                }
            }
        }
        socket.write_all(self.framing.end()).await
    }
}

/// Writes a piece and makes sure that it is on its way: an encrypted connection keeps back what it may.
pub(super) async fn write_piece<S: AsyncWrite + Unpin>(
    socket: &mut S,
    framing: Framing,
    piece: &[u8],
) -> io::Result<()> {
    if framing == Framing::Plain {
        socket.write_all(piece).await?;
        return socket.flush().await;
    }
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    socket.write_all(&chunk).await?;
    socket.flush().await
}

/// The occasions to look at a log. The daemon's own signal falls silent when the process is removed.
#[derive(Debug)]
struct Changes(Option<Follower>);

impl Changes {
    /// Waits for an occasion; true if it is that the servers close.
    async fn next_or(&mut self, closing: &mut Closing) -> bool {
        let next = pin!(self.next());
        let begun = pin!(closing.begun());
        matches!(select(next, begun).await, Either::Right(_))
    }

    async fn next(&mut self) {
        let Some(follower) = &mut self.0 else {
            return sleep(UNASKED).await;
        };
        if let Ok(Err(_)) = timeout(UNASKED, follower.changed()).await {
            self.0 = None;
        }
    }
}

/// The client's complete departure, as opposed to its having nothing more to say.
///
/// Over TCP the two look alike until something is written, so there a client that has nothing more to say gets a moment
/// for what is under way, and no more; Supervisor hangs up at once. Watched on a duplicate of the descriptor, as the socket's own registration is for reading and writing. Whether
/// the socket is a Unix one does not matter to its readiness.
pub(super) struct Departure {
    socket: UnixStream,
    is_unix: bool,
}

/// How long a stream over TCP goes on once its client has nothing more to say.
const HALF_CLOSED: Duration = Duration::from_secs(2);

impl Departure {
    pub(super) fn watch(socket: &impl AsFd) -> io::Result<Self> {
        let duplicate = socket.as_fd().try_clone_to_owned()?;
        let address = getsockname::<SockaddrStorage>(duplicate.as_raw_fd());
        let is_unix = address.is_ok_and(|address| address.family() == Some(AddressFamily::Unix));
        let socket = UnixStream::from_std(duplicate.into())?;
        Ok(Self { socket, is_unix })
    }

    pub(super) async fn awaited(&self) {
        let gone = pin!(self.until(Interest::WRITABLE, Ready::is_write_closed));
        let silent = pin!(async {
            self.until(Interest::READABLE, Ready::is_read_closed).await;
            match self.is_unix {
                true => pending().await,
                false => sleep(HALF_CLOSED).await,
            }
        });
        select(gone, silent).await;
    }

    async fn until(&self, interest: Interest, wanted: fn(Ready) -> bool) {
        while let Ok(ready) = self.socket.ready(interest).await {
            if wanted(ready) {
                return;
            }
            // "Would block" makes the runtime wait for the next change.
            let _: io::Result<()> = self
                .socket
                .try_io(interest, || Err(io::ErrorKind::WouldBlock.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_process_and_a_channel() {
        let rows = [
            ("/logtail/cat", Some(("cat", Channel::Stdout))),
            ("/logtail/g:cat/stderr", Some(("g:cat", Channel::Stderr))),
            ("//logtail/cat/stdout", Some(("cat", Channel::Stdout))),
            ("/logtail/cat/", None),
            ("/logtail/cat/stdin", None),
            ("/logtail/cat/stdout/x", None),
            ("/logtail/", Some(("", Channel::Stdout))),
            ("/logtail", None),
        ];
        for (path, expected) in rows {
            let target = target(path);
            let target = target
                .as_ref()
                .map(|target| (target.name.as_str(), target.channel));
            assert_eq!(target, expected, "{path}");
        }
    }

    /// Runs a future and tells whether it ended before long.
    fn ends(future: impl Future<Output = ()>) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { timeout(Duration::from_millis(200), future).await.is_ok() })
    }

    #[test]
    fn clients_that_have_nothing_more_to_say_have_not_left() {
        assert!(!ends(async {
            let (socket, mut client) = UnixStream::pair().unwrap();
            client.write_all(b"\r\n").await.unwrap();
            client.shutdown().await.unwrap();
            Departure::watch(&socket).unwrap().awaited().await;
        }));
    }

    #[test]
    fn clients_that_leave_are_noticed_even_with_something_unread() {
        assert!(ends(async {
            let (socket, mut client) = UnixStream::pair().unwrap();
            let departure = Departure::watch(&socket).unwrap();
            client.write_all(b"\r\n").await.unwrap();
            drop(client);
            departure.awaited().await;
        }));
    }

    #[test]
    fn over_tcp_a_client_with_nothing_more_to_say_has_left_after_a_moment() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
            let (socket, _) = listener.accept().await.unwrap();
            client.write_all(b"\r\n").await.unwrap();
            client.shutdown().await.unwrap();
            let departure = Departure::watch(&socket).unwrap();
            let left = timeout(Duration::from_secs(60), departure.awaited()).await;
            assert!(left.is_ok());
        });
    }

    #[test]
    fn pieces_are_framed_with_lower_case_lengths() {
        assert!(ends(async {
            let mut out = Vec::new();
            write_piece(&mut out, Framing::Chunked, b"0123456789")
                .await
                .unwrap();
            write_piece(&mut out, Framing::Plain, b"plain")
                .await
                .unwrap();
            assert_eq!(out, b"a\r\n0123456789\r\nplain");
        }));
    }
}
