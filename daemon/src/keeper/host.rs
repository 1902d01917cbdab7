//! The keeper itself: one thread that waits for signals and for what the daemon tells.
//!
//! It knows no configuration and no runtime. What it can do: pass signals on, take down records,
//! reap, stop what is recorded, and start the daemon again.

mod children;
mod launch;
mod pause;

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use config::model::ProgramsOnDeath;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use super::store::Store;
use super::wire::{Ending, Fate, LONGEST, Told};
use crate::sys::wait::{self, Reaped};
use crate::sys::{clock, packets, parent, residence, signal};
use crate::upgrade::Program;
use children::Adopted;
use pause::Pause;

/// What process lists call the keeper: at most fifteen bytes.
const NAME: &std::ffi::CStr = c"supervisor-keep";

/// Numbers of descriptors below this are left to the daemons that are started, which want low ones
/// for the streams of children.
const LOW: i32 = 16;

/// The origin of signals that the kernel sends by itself: those of a terminal, sigaction(2).
const SI_KERNEL: i32 = 0x80;

/// The exit code of a Rust program that has panicked.
const PANIC: i32 = 101;

/// Signals that concern the daemon, and the end of children.
const SIGNALS: [Signal; 7] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGCHLD,
];

/// The keeper.
pub struct Host {
    /// What it starts again.
    program: Program,
    start_dir: Vec<u8>,
    /// The daemon, while there is one.
    life: Option<Life>,
    /// No daemon has died yet.
    is_first: bool,
    store: Store,
    fate: Fate,
    /// Why everything begins anew.
    note: Vec<u8>,
    adopted: Adopted,
    /// The last death of a daemon.
    death: Option<Ending>,
    pause: Pause,
}

/// A daemon that is there.
struct Life {
    pid: Pid,
    line: OwnedFd,
    /// When it came to work.
    up_since: Option<Instant>,
    /// When it closed its end of the line, by dying as a rule.
    cut_since: Option<Instant>,
}

/// A daemon that lives so long without its end of the line does not want to be kept: it is of a version that knows no keeper.
const DYING: Duration = Duration::from_secs(1);

/// How the keeper ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Exit(i32),
    Signal(i32),
}

impl Host {
    /// A keeper of the daemon that it has just forked.
    pub(super) fn new(
        mode: ProgramsOnDeath,
        program: Program,
        start_dir: &Path,
        daemon: Pid,
        line: OwnedFd,
    ) -> Self {
        Self {
            program,
            start_dir: start_dir.as_os_str().as_bytes().to_vec(),
            life: Some(Life {
                pid: daemon,
                line,
                up_since: None,
                cut_since: None,
            }),
            is_first: true,
            store: Store::default(),
            fate: match mode {
                ProgramsOnDeath::Leave => Fate::Leave,
                ProgramsOnDeath::Kill => Fate::Kill,
                ProgramsOnDeath::Keep => Fate::Finish,
            },
            note: Vec::new(),
            adopted: Adopted::default(),
            death: None,
            pause: Pause::default(),
        }
    }

    /// Keeps the daemon until it ends for good, and ends as it did.
    pub fn run(mut self) -> ! {
        parent::rename(NAME);
        if let Some(life) = &self.life {
            parent::close_all_but(life.line.as_raw_fd());
        }
        let _low = parent::occupy_below(LOW);
        // What the start has needed is not needed any more.
        let _ = residence::give_back();
        let end = match listen() {
            Ok(signals) => self.watch(&signals),
            // Nothing to wait with: it cannot be a keeper, and the daemon sees that it has gone.
            Err(_) => End::Exit(1),
        };
        match end {
            End::Exit(code) => parent::exit(code),
            End::Signal(number) => parent::die_by(number),
        }
    }

    fn watch(&mut self, signals: &SignalFd) -> End {
        loop {
            self.wait(signals);
            if let Some(end) = self.turn(signals) {
                return end;
            }
        }
    }

    /// Waits until there is something to do.
    fn wait(&self, signals: &SignalFd) {
        let mut readiness = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        let timeout = match &self.life {
            Some(life) if life.cut_since.is_some() => PollTimeout::NONE,
            Some(life) => {
                let mut wanted = PollFlags::POLLIN;
                wanted.set(PollFlags::POLLOUT, self.adopted.has_untold());
                readiness.push(PollFd::new(life.line.as_fd(), wanted));
                PollTimeout::NONE
            }
            None => {
                // Rounded up, so that it is over then.
                let left = self.pause.left().as_millis() + 1;
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        // Interrupted or not, everything is looked at.
        let _ = poll(&mut readiness, timeout);
    }

    fn turn(&mut self, signals: &SignalFd) -> Option<End> {
        let arrived = arrived(signals);
        let child_ended = arrived.contains(&libc::SIGCHLD);
        let released = self.hear();
        if child_ended && let Some(end) = self.look_after_daemon() {
            return Some(end);
        }
        for number in arrived {
            if let Some(end) = self.pass_on(number) {
                return Some(end);
            }
        }
        if child_ended || released {
            self.look_after_children();
        }
        self.tell();
        if self.life.is_none() && self.pause.left().is_zero() {
            self.start();
        }
        None
    }

    /// Passes a signal on to the daemon. While there is none, the programs are stopped for it.
    fn pass_on(&mut self, number: i32) -> Option<End> {
        let asks_for_the_end = matches!(number, libc::SIGTERM | libc::SIGINT | libc::SIGQUIT);
        match &self.life {
            _ if number == libc::SIGCHLD => {}
            Some(life) => {
                let _ = signal::kill(life.pid, number);
                if asks_for_the_end && matches!(self.fate, Fate::Keep | Fate::Anew) {
                    // Also if it dies before it has come to that.
                    self.fate = Fate::Finish;
                }
            }
            None if asks_for_the_end => {
                self.stop_programs();
                return Some(End::Exit(0));
            }
            None => {}
        }
        None
    }

    /// Takes down what the daemon has told; whether a child has been let go of.
    fn hear(&mut self) -> bool {
        let Some(mut life) = self.life.take() else {
            return false;
        };
        let mut buffer = [0; LONGEST];
        let mut released = false;
        loop {
            match packets::receive(life.line.as_fd(), &mut buffer) {
                Ok(Some((packet, descriptors))) => {
                    if let Some(told) = Told::read(packet) {
                        released |= self.obey(&told, descriptors, &mut life);
                    }
                }
                Err(Errno::EAGAIN) => break,
                // A record without its descriptors is of no use; there are others behind it.
                Err(Errno::ENOBUFS) => {}
                Ok(None) | Err(_) => {
                    life.cut_since.get_or_insert_with(Instant::now);
                    break;
                }
            }
        }
        self.life = Some(life);
        released
    }

    fn obey(&mut self, told: &Told<'_>, descriptors: Vec<OwnedFd>, life: &mut Life) -> bool {
        let released: Vec<i32> = match told {
            Told::Put(put) => self.store.put(put, descriptors).into_iter().collect(),
            Told::Forget(key) => self.store.forget(key).into_iter().collect(),
            Told::Clear => self.store.clear(),
            Told::Reaped(ending) => {
                self.store.note(*ending);
                Vec::new()
            }
            Told::Fate(fate, note) => {
                self.fate = *fate;
                self.note = note.to_vec();
                if *fate != Fate::Anew {
                    life.up_since.get_or_insert_with(Instant::now);
                }
                Vec::new()
            }
        };
        released.iter().for_each(|pid| self.adopted.release(*pid));
        !released.is_empty()
    }

    fn look_after_daemon(&mut self) -> Option<End> {
        let reaped = wait::collect(self.life.as_ref()?.pid)?;
        // What it has said last.
        self.hear();
        let life = self.life.take()?;
        self.daemon_ended(&life, &reaped)
    }

    fn daemon_ended(&mut self, life: &Life, reaped: &Reaped) -> Option<End> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let code = reaped.status.code().filter(|code| *code != PANIC);
        if let Some(code) = code
            && (life.up_since.is_some() || is_first || self.store.is_empty())
        {
            return Some(End::Exit(code));
        }
        self.death = Some(ending(reaped));
        if life.cut_since.is_some_and(|since| since.elapsed() > DYING) {
            // What it has been told is out of date.
            return Some(same_way(reaped));
        }
        self.adopt();
        match self.fate {
            Fate::Leave => return Some(same_way(reaped)),
            Fate::Kill => {
                self.kill_everything();
                return Some(same_way(reaped));
            }
            Fate::Finish => {
                self.stop_programs();
                return Some(same_way(reaped));
            }
            Fate::Anew => {
                self.stop_programs();
                self.store.clear();
                self.adopted = Adopted::default();
            }
            Fate::Keep => {}
        }
        self.pause.begin(life.up_since.map(|since| since.elapsed()));
        None
    }
}

/// How this child has ended, as the daemon is told.
fn ending(child: &Reaped) -> Ending {
    Ending {
        pid: child.pid.as_raw(),
        status: child.status.raw(),
        peak_memory: child.used.peak_memory,
        cpu: child.used.cpu,
        at: clock::monotonic(),
    }
}

/// Ending like this daemon.
fn same_way(daemon: &Reaped) -> End {
    match (daemon.status.signal(), daemon.status.code()) {
        (Some(number), _) => End::Signal(number),
        (None, code) => End::Exit(code.unwrap_or(1)),
    }
}

/// The signals that have come, but for those of the terminal: it sends them to the daemon as well.
fn arrived(signals: &SignalFd) -> Vec<i32> {
    let next = || signals.read_signal().ok().flatten();
    std::iter::from_fn(next)
        .filter(|signal| signal.ssi_code != SI_KERNEL)
        .filter_map(|signal| i32::try_from(signal.ssi_signo).ok())
        .collect()
}

/// Has signals wait to be read; others do what they do.
fn listen() -> nix::Result<SignalFd> {
    let set: SigSet = SIGNALS.into_iter().collect();
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&set, flags)?;
    set.thread_set_mask()?;
    Ok(signals)
}
