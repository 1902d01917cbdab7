//! Noticing that a client has left while nothing is read from it.

use std::future::pending;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::select;
use nix::sys::socket::{AddressFamily, SockaddrLike as _, SockaddrStorage, getsockname};
use tokio::io::{Interest, Ready};
use tokio::net::UnixStream;
use tokio::time::sleep;

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
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::timeout;

    use super::*;

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
}
