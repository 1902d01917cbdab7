//! A process as it is handed to another daemon in this same operating system process.
//!
//! Times are ages and remaining times, descriptors are numbers that stay open meanwhile.

use std::os::fd::{AsRawFd as _, RawFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Context, Handler, Message, MessageResult, Recipient};
use config::model::{ChildLog, OutputConfig, ProcessConfig};
use nix::unistd::Pid;
use protocol::events::Channel;
use serde::{Deserialize, Serialize};

use super::actor::{Live, LogPaths, Process, Services};
use super::lane::LaneState;
use super::lifecycle::{self, Machine};
use super::messages::FromListener;
use super::output::Output;
use super::record::Record;
use super::status::{SharedStatus, Status};
use super::stdin::Stdin;
use super::timer::Timer;
use crate::logs::rotate::RotatingFile;
use crate::sys::clock;
use crate::sys::handover::Inherited;
use crate::upgrade::{Blob, Continue, Ping, TakeSnapshot};

/// Everything about a process but its configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ProcessSnapshot {
    phase: Phase,
    failures: u32,
    quick_exits: u32,
    closing: bool,
    /// What is left until the timer of the phase fires.
    timer: Option<Duration>,
    /// Unix times of the last start and end, 0 for never.
    start: i64,
    stop: i64,
    spawnerr: String,
    exitstatus: i32,
    record: Record,
    stdout_log: LogSnapshot,
    stderr_log: LogSnapshot,
    live: Option<LiveSnapshot>,
    /// It is to be stopped if it is not, and then started.
    #[serde(skip)]
    starts_again: bool,
    /// It is a listener, and its place in the protocol is not known.
    #[serde(skip)]
    pub is_lost: bool,
}

/// A [`lifecycle::Phase`].
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    #[default]
    Stopped,
    Starting(Option<Child>),
    Running(Child),
    Backoff,
    Stopping(Child),
    Exited {
        restarts: bool,
    },
    Fatal,
    Unknown {
        child: Child,
        stopping: bool,
    },
}

/// A [`lifecycle::Child`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Child {
    pid: i32,
    age: Duration,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct LogSnapshot {
    /// AUTO resolved.
    path: Option<PathBuf>,
    /// Bytes so far.
    written: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct LiveSnapshot {
    stdin: Option<StdinSnapshot>,
    /// The socket of an `[fcgi-program:x]`, which several processes may share.
    socket: Option<RawFd>,
    stdout: Option<OutputSnapshot>,
    stderr: Option<OutputSnapshot>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StdinSnapshot {
    fd: RawFd,
    queue: Blob,
    closed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct OutputSnapshot {
    fd: RawFd,
    lane: LaneState,
}

/// A process that goes on, and what its group has to know of it.
pub struct Resumed {
    /// To be started as an actor.
    pub process: Process,
    /// What it publishes.
    pub status: SharedStatus,
    /// Where its logs are.
    pub logs: LogPaths,
    /// Its child, to be entered with `process::children`.
    pub child: Option<Pid>,
}

impl ProcessSnapshot {
    /// The descriptors that must stay open.
    pub fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let live = self.live.iter();
        live.flat_map(|live| {
            let outputs = [&live.stdout, &live.stderr].into_iter().flatten();
            let stdin = live.stdin.as_ref().map(|stdin| stdin.fd);
            let fds = outputs.map(|output| output.fd);
            fds.chain(stdin).chain(live.socket)
        })
    }

    /// The same with other numbers for [`descriptors`](Self::descriptors), in their order.
    pub fn renumber(&mut self, descriptors: &[RawFd]) {
        let Some(live) = &mut self.live else { return };
        let outputs = [&mut live.stdout, &mut live.stderr];
        let outputs = outputs.into_iter().flatten().map(|output| &mut output.fd);
        let stdin = live.stdin.as_mut().map(|stdin| &mut stdin.fd);
        let numbers = outputs.chain(stdin).chain(live.socket.as_mut());
        for (number, fd) in numbers.zip(descriptors) {
            *number = *fd;
        }
    }

    /// Some time has gone by since it was taken.
    pub fn grow_older(&mut self, by: Duration) {
        self.timer = self.timer.map(|left| left.saturating_sub(by));
        match &mut self.phase {
            Phase::Starting(Some(child))
            | Phase::Running(child)
            | Phase::Stopping(child)
            | Phase::Unknown { child, .. } => child.age += by,
            Phase::Starting(None)
            | Phase::Stopped
            | Phase::Backoff
            | Phase::Exited { .. }
            | Phase::Fatal => {}
        }
    }

    /// Whether a launch is under way.
    pub fn is_being_launched(&self) -> bool {
        matches!(self.phase, Phase::Starting(None))
    }

    /// The daemon has died without a word. A launch that was under way has led to nothing, and where
    /// in the protocol a listener is, nobody knows: they begin again.
    pub fn survive(&mut self, is_listener: bool) {
        let is_up = matches!(self.phase, Phase::Starting(Some(_)) | Phase::Running(_));
        let was_launched = self.is_being_launched();
        self.starts_again = was_launched || (is_listener && is_up);
        self.is_lost = is_listener;
        if was_launched {
            self.phase = Phase::Stopped;
        }
    }

    /// Whether there is a child.
    pub fn has_child(&self) -> bool {
        self.machine(clock::now()).child().is_some()
    }

    fn machine(&self, now: Instant) -> Machine {
        Machine {
            phase: self.phase.into_phase(now),
            failures: self.failures,
            quick_exits: self.quick_exits,
            closing: self.closing,
        }
    }

    fn status(&self, machine: &Machine) -> Status {
        Status {
            state: machine.state(),
            pid: machine.child().map_or(0, |child| child.pid),
            start: self.start,
            stop: self.stop,
            spawnerr: Arc::from(self.spawnerr.as_str()),
            exitstatus: self.exitstatus,
            restart_due: machine.phase == lifecycle::Phase::Exited(true),
            record: self.record.clone(),
        }
    }
}

impl LogSnapshot {
    fn of(path: Option<&Arc<PathBuf>>, written: u64) -> Self {
        Self {
            path: path.map(|path| PathBuf::clone(path)),
            written,
        }
    }

    /// The path as clients see it.
    fn path(&self, config: &OutputConfig) -> Option<Arc<PathBuf>> {
        match config.logfile {
            ChildLog::Empty => Some(Arc::default()),
            ChildLog::None | ChildLog::Auto | ChildLog::File(_) => self.path.clone().map(Arc::new),
        }
    }
}

impl Phase {
    fn of(phase: lifecycle::Phase, now: Instant) -> Self {
        use lifecycle::Phase as Of;
        let child = |child: lifecycle::Child| Child {
            pid: child.pid,
            age: now.saturating_duration_since(child.since),
        };
        match phase {
            Of::Stopped => Self::Stopped,
            Of::Starting(one) => Self::Starting(one.map(child)),
            Of::Running(one) => Self::Running(child(one)),
            Of::Backoff => Self::Backoff,
            Of::Stopping(one) => Self::Stopping(child(one)),
            Of::Exited(restarts) => Self::Exited { restarts },
            Of::Fatal => Self::Fatal,
            Of::Unknown(one, stopping) => Self::Unknown {
                child: child(one),
                stopping,
            },
        }
    }

    fn into_phase(self, now: Instant) -> lifecycle::Phase {
        use lifecycle::Phase as To;
        let child = |child: Child| lifecycle::Child {
            pid: child.pid,
            since: now.checked_sub(child.age).unwrap_or(now),
        };
        match self {
            Self::Stopped => To::Stopped,
            Self::Starting(one) => To::Starting(one.map(child)),
            Self::Running(one) => To::Running(child(one)),
            Self::Backoff => To::Backoff,
            Self::Stopping(one) => To::Stopping(child(one)),
            Self::Exited { restarts } => To::Exited(restarts),
            Self::Fatal => To::Fatal,
            Self::Unknown {
                child: one,
                stopping,
            } => To::Unknown(child(one), stopping),
        }
    }
}

impl Process {
    fn snapshot(&self, now: Instant) -> ProcessSnapshot {
        ProcessSnapshot {
            live: self.live.as_ref().map(Live::snapshot),
            ..self.outline(now)
        }
    }

    /// What holds until the next change: without what waits and what has been half read.
    pub(super) fn keepsake(&self) -> ProcessSnapshot {
        ProcessSnapshot {
            live: self.live.as_ref().map(Live::outline),
            ..self.outline(clock::now())
        }
    }

    fn outline(&self, now: Instant) -> ProcessSnapshot {
        let status = self.status.get();
        let paths = self.logs.paths();
        ProcessSnapshot {
            phase: Phase::of(self.machine.phase, now),
            failures: self.machine.failures,
            quick_exits: self.machine.quick_exits,
            closing: self.machine.closing,
            timer: self
                .timer
                .as_ref()
                .map(|timer| timer.at.saturating_duration_since(now)),
            start: status.start,
            stop: status.stop,
            spawnerr: status.spawnerr.to_string(),
            exitstatus: status.exitstatus,
            record: status.record,
            stdout_log: LogSnapshot::of(paths.stdout.as_ref(), paths.stdout_changes.written()),
            stderr_log: LogSnapshot::of(paths.stderr.as_ref(), paths.stderr_changes.written()),
            live: None,
            starts_again: false,
            is_lost: false,
        }
    }

    /// Goes on where another daemon has stopped; the timer runs as soon as the actor does.
    pub fn resume(
        config: &Arc<ProcessConfig>,
        services: &Rc<Services>,
        listener: Option<(Recipient<FromListener>, usize)>,
        snapshot: ProcessSnapshot,
        inherited: &mut Inherited,
    ) -> Resumed {
        let now = clock::now();
        let machine = snapshot.machine(now);
        let status = SharedStatus::resume(snapshot.status(&machine));
        let logs = LogPaths {
            stdout: snapshot.stdout_log.path(&config.stdout),
            stderr: match config.redirect_stderr {
                true => None,
                false => snapshot.stderr_log.path(&config.stderr),
            },
            ..LogPaths::default()
        };
        logs.stdout_changes.resume(snapshot.stdout_log.written);
        logs.stderr_changes.resume(snapshot.stderr_log.written);
        let mut process = Self::new(
            Arc::clone(config),
            Rc::clone(services),
            status.clone(),
            logs.clone(),
            listener,
        );
        process.machine = machine;
        process.timer = snapshot.timer.map(|left| Timer::at(now + left));
        process.starts_again = snapshot.starts_again;
        process.is_lost = snapshot.is_lost;
        process.kept_for = machine.child().map_or(0, |child| child.pid);
        if let (Some(live), Some(child)) = (snapshot.live, machine.child()) {
            process.live = Some(process.revive(live, child.pid, inherited));
        }
        Resumed {
            process,
            status,
            logs,
            child: machine.child().map(|child| Pid::from_raw(child.pid)),
        }
    }

    /// Takes over the pipes of a child.
    fn revive(&self, live: LiveSnapshot, pid: i32, inherited: &mut Inherited) -> Live {
        let mut outputs = Vec::with_capacity(2);
        let files = self.logs.reopen(|error| {
            let (name, log) = (&self.config.name, &self.services.log);
            log.critical(format_args!("cannot open a log of '{name}' again: {error}"));
        });
        let channels = [
            (Channel::Stdout, live.stdout, files.stdout),
            (Channel::Stderr, live.stderr, files.stderr),
        ];
        for (channel, output, file) in channels {
            let output = output.map(|output| self.reconnect(channel, output, pid, file, inherited));
            outputs.extend(output.flatten());
        }
        let stdin = live.stdin.and_then(|stdin| {
            let fd = inherited.claim(stdin.fd)?;
            let stdin = Stdin::resume(fd, &stdin.queue.0, stdin.closed);
            self.tell_pool_of_loss(&stdin);
            Some(stdin)
        });
        let sockets = &self.services.fcgi;
        let socket = live.socket.and_then(|fd| {
            let config = self.config.fcgi.as_ref()?;
            sockets.resume(config, fd, inherited, &self.services.log)
        });
        Live {
            stdin,
            socket,
            outputs,
        }
    }

    fn reconnect(
        &self,
        channel: Channel,
        output: OutputSnapshot,
        pid: i32,
        file: Option<RotatingFile>,
        inherited: &mut Inherited,
    ) -> Option<Rc<Output>> {
        let mut lane = self.lane(channel, pid, file);
        lane.resume(output.lane);
        if self.is_lost {
            lane.mute();
        }
        let started = match inherited.claim(output.fd) {
            Some(pipe) => Output::start(pipe, lane, &self.services.reader),
            None => Err(nix::errno::Errno::EBADF.into()),
        };
        let (name, log) = (&self.config.name, &self.services.log);
        let output = started.inspect_err(|error| {
            log.critical(format_args!(
                "cannot read {channel} of '{name}' any more: {error}"
            ));
        });
        output.as_ref().ok()?.flush_later();
        output.ok()
    }
}

impl Live {
    fn snapshot(&self) -> LiveSnapshot {
        let stdin = self.stdin.as_ref().map(|stdin| StdinSnapshot {
            fd: stdin.fd(),
            queue: Blob(stdin.queued()),
            closed: stdin.is_closed(),
        });
        let of = |channel| {
            let is_it = |output: &&Rc<Output>| output.lane.borrow().channel() == channel;
            self.outputs
                .iter()
                .find(is_it)
                .map(|output| OutputSnapshot {
                    fd: output.pipe().as_raw_fd(),
                    lane: output.lane.borrow().state(),
                })
        };
        LiveSnapshot {
            stdin,
            socket: self.socket.as_ref().map(|socket| socket.number()),
            stdout: of(Channel::Stdout),
            stderr: of(Channel::Stderr),
        }
    }

    /// The descriptors alone.
    fn outline(&self) -> LiveSnapshot {
        let stdin = self.stdin.as_ref().map(|stdin| StdinSnapshot {
            fd: stdin.fd(),
            queue: Blob::default(),
            closed: stdin.is_closed(),
        });
        let of = |channel| {
            let is_it = |output: &&Rc<Output>| output.lane.borrow().channel() == channel;
            let output = self.outputs.iter().find(is_it);
            output.map(|output| OutputSnapshot {
                fd: output.pipe().as_raw_fd(),
                lane: LaneState::default(),
            })
        };
        LiveSnapshot {
            stdin,
            socket: self.socket.as_ref().map(|socket| socket.number()),
            stdout: of(Channel::Stdout),
            stderr: of(Channel::Stderr),
        }
    }
}

impl Message for TakeSnapshot<ProcessSnapshot> {
    type Result = ProcessSnapshot;
}

impl Handler<TakeSnapshot<ProcessSnapshot>> for Process {
    type Result = MessageResult<TakeSnapshot<ProcessSnapshot>>;

    fn handle(
        &mut self,
        request: TakeSnapshot<ProcessSnapshot>,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let stdin = self.live.as_ref().and_then(|live| live.stdin.as_ref());
        if let Some(stdin) = stdin.filter(|_| request.is_last) {
            stdin.freeze();
        }
        MessageResult(self.snapshot(clock::now()))
    }
}

impl Handler<Ping> for Process {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
}

impl Handler<Continue> for Process {
    type Result = ();

    /// The upgrade came to nothing.
    fn handle(&mut self, _: Continue, ctx: &mut Context<Self>) {
        self.wind_timer(ctx);
        if let Some(stdin) = self.live.as_ref().and_then(|live| live.stdin.as_ref()) {
            stdin.thaw();
        }
    }
}
