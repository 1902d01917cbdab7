//! A server that reads requests and answers the same each time.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::error::{About, Error};

/// Stands for the listening socket among the connections.
const LISTENER: u64 = 0;

/// Answers each request with `bytes` of body until it is killed. Requests are those of this tool: each arrives whole.
pub(super) fn serve(socket: &Path, bytes: usize) -> Result<(), Error> {
    let listener = UnixListener::bind(socket).about("bind")?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).about("make an epoll")?;
    let incoming = EpollEvent::new(EpollFlags::EPOLLIN, LISTENER);
    epoll.add(&listener, incoming).about("watch the socket")?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n{}",
        "x".repeat(bytes)
    );
    let mut connections: HashMap<u64, UnixStream> = HashMap::new();
    let mut ready = [EpollEvent::empty(); 64];
    let mut next = LISTENER;
    loop {
        let count = epoll.wait(&mut ready, EpollTimeout::NONE).about("wait")?;
        for event in &ready[..count] {
            if event.data() == LISTENER {
                next += 1;
                let (stream, _) = listener.accept().about("accept")?;
                let event = EpollEvent::new(EpollFlags::EPOLLIN, next);
                epoll.add(&stream, event).about("watch a connection")?;
                connections.insert(next, stream);
            } else if let Some(stream) = connections.get_mut(&event.data())
                && !reply(stream, answer.as_bytes())
            {
                connections.remove(&event.data());
            }
        }
    }
}

/// Answers one request; `false` once the client has gone.
fn reply(stream: &mut UnixStream, answer: &[u8]) -> bool {
    let mut request = [0; 4096];
    let read = stream.read(&mut request);
    matches!(read, Ok(1..)) && stream.write_all(answer).is_ok()
}
