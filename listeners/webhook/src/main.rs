//! webhook: an event listener that posts events to a URL.

mod delivery;
mod filter;
mod letters;
mod notice;
mod options;
mod queue;
mod replay;
mod template;
mod worker;

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use listener_kit::{Listener, Outcome, arguments, log, unix_now};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};

use crate::delivery::Endpoint;
use crate::notice::Notice;
use crate::options::{Mode, Options, USAGE};
use crate::queue::Queue;
use crate::worker::{Sync, Worker};

/// How long events may still be delivered once the daemon stops the listener: less than `stopwaitsecs`, which is ten seconds
/// unless a section says otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// The signals by which supervisord, or somebody at a terminal, may stop it.
const STOP_SIGNALS: [Signal; 4] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

fn main() -> ExitCode {
    let options = match Options::parse(&arguments()) {
        Ok(options) => options,
        Err(refusal) => return refusal.exit(USAGE),
    };
    let endpoint = match Endpoint::new(&options) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            // The exit code tells as much.
            let _ = writeln!(log(), "webhook: {error}");
            return ExitCode::FAILURE;
        }
    };
    match options.mode {
        Mode::Replay => replay::run(&options, &endpoint),
        Mode::Sync => sync(options, endpoint),
        Mode::Queue => match queued(options, endpoint) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // As above.
                let _ = writeln!(log(), "webhook: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// Answers each event after its delivery.
fn sync(options: Options, endpoint: Endpoint) -> ExitCode {
    let filter = options.filter.clone();
    let mut sync = Sync::new(&options, endpoint);
    Listener::stdio().serve(|event| {
        if filter.wants(event) {
            sync.deliver(Notice::new(event, unix_now()))
        } else {
            Outcome::Done
        }
    })
}

/// Answers each event when it is in the queue. A thread reads events, a second delivers them, others wait for signals and
/// for supervisord to vanish, and this one for the end.
///
/// # Errors
/// When there are no threads to be had.
fn queued(options: Options, endpoint: Endpoint) -> io::Result<()> {
    let signals = SigSet::from_iter(STOP_SIGNALS);
    // Before any thread starts, so that all of them leave signals to the one that waits for them.
    signals.thread_block()?;
    let queue = Arc::new(Queue::new(options.queue));
    let stopping = Arc::clone(&queue);
    thread::Builder::new().spawn(move || {
        if signals.wait().is_ok() {
            stopping.close(Instant::now() + GRACE);
        }
    })?;
    let filling = Arc::clone(&queue);
    let filter = options.filter.clone();
    thread::Builder::new().spawn(move || {
        let listener = Listener::stdio();
        listener.serve(|event| {
            // supervisord keeps what comes after the end.
            match filter.wants(event) && !filling.push(Notice::new(event, unix_now())) {
                true => Outcome::Again,
                false => Outcome::Done,
            }
        });
        filling.close(Instant::now() + GRACE);
    })?;
    let abandoning = Arc::clone(&queue);
    thread::Builder::new().spawn(move || {
        if is_left_alone() {
            abandoning.abandon();
        }
    })?;
    let emptying = Arc::clone(&queue);
    let mut worker = Worker::new(&options, endpoint);
    thread::Builder::new().spawn(move || worker.run(&emptying))?;
    let left = queue.wait();
    options
        .letters()
        .keep_all(&left, "the listener was stopped", options.batch);
    Ok(())
}

/// Waits until nobody holds the other end of standard input: who reads events does not notice while the queue is full. Returns
/// `false` if that cannot be watched.
fn is_left_alone() -> bool {
    let stdin = io::stdin();
    // The end of a pipe is reported even if nothing is asked for.
    let mut ends = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
    loop {
        match poll(&mut ends, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            result => return result.is_ok(),
        }
    }
}
