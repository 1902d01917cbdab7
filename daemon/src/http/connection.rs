//! Connections: accepting them, speaking HTTP/1 on them, leaving them to another program, and parting without losing the
//! last answer.

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd as _;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::backlog::{Backlog, Backlogged};
use super::capacity::{Capacity, Place};
use super::closing::{Call, Closing};
use super::patience::{Condition, Patient};
use super::refusals::Refusals;
use super::resting::{Resting, UnderWay};
use super::router::{Exchange, Site, answer};
use super::sockets::{Accepted, Acceptor, Client, Opening, Plain, Socket};
use super::stream::{Ending, Stream};

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
            let called = pin!(closing.called());
            match select(next, called).await {
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

/// Goes on with connections of one server that another program has left.
pub(super) fn go_on<S: Plain>(
    connections: impl Iterator<Item = Resting>,
    site: &Rc<Site>,
    capacity: &Capacity,
    closing: &Closing,
) {
    for Resting {
        socket, under_way, ..
    } in connections
    {
        // An error means that the client has left.
        if let Ok(accepted) = S::resume(socket) {
            let place = capacity.keep();
            let (site, closing) = (site.clone(), closing.clone());
            actix::spawn(async move {
                let _place = place;
                match under_way {
                    UnderWay::Requests(backlog) => converse(accepted, backlog, site, closing).await,
                    UnderWay::Stream(stream) => resume(accepted, stream, site, closing).await,
                }
            });
        }
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
    let opened = match select(pin!(opened), pin!(closing.called())).await {
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
            return converse(accepted, Backlog::default(), site, closing).await;
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
async fn converse<S: Socket>(
    accepted: Accepted<S>,
    backlog: Backlog,
    site: Rc<Site>,
    mut closing: Closing,
) {
    let Accepted {
        stream,
        address,
        client,
    } = accepted;
    let exchange = Rc::new(Exchange::new(site, address, client));
    let condition = &exchange.condition;
    let socket = Backlogged::new(stream, backlog, condition.clone());
    let socket = Patient::new(socket, condition.clone());
    let service = service_fn(|request| {
        let busy = condition.begin();
        Box::pin(answer(exchange.clone(), busy, request))
    });
    let mut connection = http1::Builder::new()
        .half_close(true)
        .title_case_headers(true)
        .max_buf_size(BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(socket), service);
    let mut poll = |context: &mut Context<'_>| connection.poll_without_shutdown(context);
    let ending = match until_called(&mut poll, &exchange, &mut closing).await {
        Some(Call::Rest) => until_at_rest(&mut poll, condition).await,
        Some(Call::Close) => {
            Pin::new(&mut connection).graceful_shutdown();
            let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
            Ending::Over
        }
        None => Ending::Over,
    };
    let Parts { io, read_buf, .. } = connection.into_parts();
    let (socket, backlog) = io.into_inner().into_inner().into_parts(read_buf);
    match ending {
        Ending::Rest => leave(socket, UnderWay::Requests(backlog), &closing),
        Ending::Over => {
            // It would keep hyper's buffer as long as a stream goes on.
            drop(backlog);
            part(socket, &exchange, closing).await;
        }
    }
}

/// Answers requests until the client has no more, or something else is to be done.
async fn until_called(
    poll: impl FnMut(&mut Context<'_>) -> Poll<hyper::Result<()>>,
    exchange: &Exchange,
    closing: &mut Closing,
) -> Option<Call> {
    match select(pin!(poll_fn(poll)), pin!(closing.called())).await {
        Either::Left((outcome, _)) => {
            if let Err(error) = outcome {
                tell(&error, &exchange.client, exchange.site.refusals());
            }
            None
        }
        Either::Right((call, _)) => Some(call),
    }
}

/// Answers what has been asked and nothing more; then another program can go on, unless that was the last request.
async fn until_at_rest(
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<hyper::Result<()>>,
    condition: &Condition,
) -> Ending {
    condition.rest();
    poll_fn(|context| match poll(context) {
        Poll::Ready(_) => Poll::Ready(Ending::Over),
        Poll::Pending if condition.is_between_requests() => Poll::Ready(Ending::Rest),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Leaves a connection to another program.
fn leave(socket: impl Socket, under_way: UnderWay, closing: &Closing) {
    if let Some(socket) = socket.into_descriptor() {
        closing.leave(socket, under_way);
    }
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

/// What comes after the last request: a stream if that is what it asked for, then good-bye.
async fn part<S: Socket>(socket: S, exchange: &Exchange, closing: Closing) {
    match exchange.stream.take() {
        Some(stream) => flow(socket, stream, exchange, closing).await,
        None => linger(socket).await,
    }
}

/// Goes on with a stream that another program has begun.
async fn resume<S: Socket>(
    accepted: Accepted<S>,
    mut stream: Box<Stream>,
    site: Rc<Site>,
    closing: Closing,
) {
    let Accepted {
        stream: socket,
        address,
        client,
    } = accepted;
    stream.listen(&site.context).await;
    let exchange = Exchange::new(site, address, client);
    flow(socket, stream, &exchange, closing).await;
}

async fn flow<S: Socket>(
    mut socket: S,
    mut stream: Box<Stream>,
    exchange: &Exchange,
    closing: Closing,
) {
    match stream.run(&mut socket, closing.clone(), exchange).await {
        Ending::Over => linger(socket).await,
        Ending::Rest => leave(socket, UnderWay::Stream(stream), &closing),
    }
}

/// Closing a socket with something unread in it would reset the connection, and with it destroy what the client has
/// not read yet.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S) {
    let lingering = async {
        if socket.shutdown().await.is_ok() {
            let mut rest = (&mut socket).take(LINGER_BYTES);
            let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
        }
    };
    let _ = timeout(LINGER, lingering).await;
}
