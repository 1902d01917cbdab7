//! XML-RPC over connections that stay open.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use serde_json::json;
use tempfile::TempDir;

use super::lives::{last_of, numprocs, start};
use super::{Experiment, Figure, Wanted};
use crate::error::{About, Error};
use crate::floor;
use crate::meter;
use crate::rpc::{self, Connection};
use crate::server::PATIENCE;

const CLIENTS: usize = 16;

/// The size of an answer about 1,000 processes, roughly.
const LONG_ANSWER: usize = 1_200_000;

/// The size of `getState`'s answer.
const SHORT_ANSWER: usize = 300;

pub(super) fn experiments(quick: bool) -> Vec<Experiment> {
    let time = Duration::from_millis(if quick { 500 } else { 3000 });
    vec![all_info(time), state(time)]
}

fn all_info(time: Duration) -> Experiment {
    let figures = vec![Figure::more(
        "getAllProcessInfo of 1000",
        "/s",
        Wanted::Value(300.0),
    )];
    let request = || rpc::request("supervisor.getAllProcessInfo", &json!([]));
    Experiment::new("rpc-info", figures, move |install| {
        let (_server, connection, _) = start(install, &numprocs(1000, ""), &last_of(1000), 1000)?;
        Ok(vec![rate(&mut [connection], &request(), time)?])
    })
    .floor(move || echo(LONG_ANSWER, 1, &request(), time))
}

fn state(time: Duration) -> Experiment {
    let label = format!("getState over {CLIENTS} connections");
    let figures = vec![Figure::more(label, "/s", Wanted::Value(25_000.0))];
    let request = || rpc::request("supervisor.getState", &json!([]));
    Experiment::new("rpc-state", figures, move |install| {
        let (server, _, _) = start(install, &numprocs(1, ""), &last_of(1), 1)?;
        let connections: Result<Vec<_>, _> = (0..CLIENTS).map(|_| server.connect()).collect();
        Ok(vec![rate(&mut connections?, &request(), time)?])
    })
    .floor(move || echo(SHORT_ANSWER, CLIENTS, &request(), time))
}

/// Answers per second when each connection always has one request under way.
fn rate(connections: &mut [Connection], request: &[u8], time: Duration) -> Result<f64, Error> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).about("make an epoll")?;
    for (index, connection) in connections.iter_mut().enumerate() {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, index as u64);
        epoll
            .add(connection.as_fd(), event)
            .about("watch a connection")?;
        connection.send(request).about("send a request")?;
    }
    let mut ready = [EpollEvent::empty(); CLIENTS];
    let mut answers = 0;
    let start = Instant::now();
    while start.elapsed() < time {
        let count = epoll.wait(&mut ready, EpollTimeout::NONE).about("wait")?;
        for event in &ready[..count] {
            let connection = &mut connections[event.data() as usize];
            connection.receive().about("read an answer")?;
            connection.send(request).about("send a request")?;
            answers += 1;
        }
    }
    Ok(f64::from(answers) / start.elapsed().as_secs_f64())
}

/// The rate of a server that does not think.
fn echo(bytes: usize, clients: usize, request: &[u8], time: Duration) -> Result<Vec<f64>, Error> {
    let dir = TempDir::with_prefix("callboard-bench-").about("make a directory")?;
    let socket = dir.path().join("socket");
    let _server = Echo::start(&socket, bytes)?;
    let connect = |_| {
        let open = || Connection::open(&socket).ok();
        meter::wait("echo server", PATIENCE, Duration::from_millis(1), open)
    };
    let connections: Result<Vec<_>, _> = (0..clients).map(connect).collect();
    Ok(vec![rate(&mut connections?, request, time)?])
}

/// The echo server's process.
struct Echo(Child);

impl Echo {
    fn start(socket: &Path, bytes: usize) -> Result<Self, Error> {
        let mut command = floor::own(
            "floor",
            &["echo", &socket.to_string_lossy(), &bytes.to_string()],
        )?;
        Ok(Self(
            command
                .stdin(Stdio::null())
                .spawn()
                .about("start the echo server")?,
        ))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It ends in no other way.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
