//! The process actor: takes requests, feeds the lifecycle, answers when the effect is done.

use std::cell::Cell;
use std::future::ready;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Recipient, ResponseFuture, SpawnHandle,
};
use config::model::ProcessConfig;
use nix::errno::Errno;
use nix::sys::signal::Signal as OsSignal;
use nix::unistd::Pid;
use protocol::faults::{Fault, FaultCode};
use protocol::states::ProcessState;
use tokio::sync::oneshot;

use super::children::Children;
use super::fcgi::{FcgiSockets, Listening};
use super::launch::{self, BaseEnvironment};
use super::lifecycle::{End, Input, Machine, Phase};
use super::log_files::Logs;
use super::messages::{
    AutoStart, ClearLogs, Close, Ended, Feed, Freeze, FromListener, Notice, ReopenLogs, Retire,
    SendStdin, Signal, Start, Stop,
};
use super::output::Output;
use super::reader::Reader;
use super::status::SharedStatus;
use super::stdin::{Closed, Refused, Stdin};
use super::timer::Timer;
use crate::bus::{Abandoned, BusHandle};
use crate::keeper::Keeper;
use crate::logs::activity::ActivityLog;
use crate::logs::changes::Changes;
use crate::sys::clock;
use crate::sys::identity::{Identity, identity_of};
use crate::sys::kernel::Kernel;
use crate::sys::wait::Reaped;
use crate::upgrade::Gate;

/// How often a stop that somebody waits for is mentioned in the log.
const STOP_REPORT: Duration = Duration::from_secs(2);

/// What every process of the daemon uses.
pub struct Services {
    /// The activity log.
    pub log: ActivityLog,
    /// Where events go.
    pub bus: BusHandle,
    /// Outlives the daemon, if that is wanted.
    pub keeper: Keeper,
    /// Creates children and sends them signals.
    pub kernel: Rc<dyn Kernel>,
    /// Who owns which pid.
    pub children: Children,
    /// Reads what children write.
    pub reader: Reader,
    /// Says when to be at rest.
    pub gate: Gate,
    /// Sockets of `[fcgi-program:x]` sections.
    pub fcgi: FcgiSockets,
    /// What waited in pools that have been removed.
    pub abandoned: Abandoned,
    /// What children inherit.
    pub base_environment: BaseEnvironment,
    /// `SUPERVISOR_SERVER_URL`, if there is a server.
    pub server_url: Option<String>,
    /// `[supervisord] strip_ansi`.
    pub strip_ansi: Cell<bool>,
    /// The empty string, shared by all processes without a `spawnerr`.
    pub no_error: Arc<str>,
}

/// Where a process's logs are, and who is told of changes.
#[derive(Debug, Clone, Default)]
pub struct LogPaths {
    /// Standard output; AUTO resolved.
    pub stdout: Option<Arc<PathBuf>>,
    /// Standard error; AUTO resolved.
    pub stderr: Option<Arc<PathBuf>>,
    /// Signals changes of the stdout log.
    pub stdout_changes: Changes,
    /// Signals changes of the stderr log.
    pub stderr_changes: Changes,
}

/// A managed process.
pub struct Process {
    pub(super) config: Arc<ProcessConfig>,
    pub(super) services: Rc<Services>,
    pub(super) status: SharedStatus,
    pub(super) machine: Machine,
    pub(super) identity: Option<Identity>,
    pub(super) logs: Logs,
    pub(super) listener: Option<(Recipient<FromListener>, usize)>,
    pub(super) timer: Option<Timer>,
    pub(super) live: Option<Live>,
    pub(super) last_end: Option<Reaped>,
    pub(super) signal_error: Option<String>,
    /// What it is has been noted down for a successor.
    pub(super) is_noted: bool,
    /// The child whose descriptors have been.
    pub(super) kept_for: i32,
    /// It is to be started as soon as it is stopped.
    pub(super) starts_again: bool,
    /// Its place in the protocol is not known: what its child says is not understood.
    pub(super) is_lost: bool,
    /// Its group has been removed.
    retiring: bool,
    start_waiters: Vec<Waiter>,
    stop_waiters: Vec<Waiter>,
    stop_report: Option<SpawnHandle>,
}

/// What exists only as long as the child does.
pub(super) struct Live {
    /// `None` where a socket is the standard input.
    pub(super) stdin: Option<Rc<Stdin>>,
    /// Keeps the socket of the section open.
    pub(super) socket: Option<Rc<Listening>>,
    pub(super) outputs: Vec<Rc<Output>>,
}

impl Live {
    fn write(&self, data: &[u8]) -> Result<(), Closed> {
        let stdin = self.stdin.as_ref();
        stdin.ok_or(Closed { partly: false })?.send(data)
    }

    fn offer(&self, data: &[u8]) -> Result<(), Refused> {
        self.stdin.as_ref().ok_or(Refused)?.offer(data)
    }
}

impl Actor for Process {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.wind_timer(ctx);
        self.keep();
        self.begin_again(ctx);
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if self.retiring {
            self.keep_nothing();
        }
    }
}

impl Process {
    /// A process that was never started. A listener's standard output and states go to its pool.
    pub fn new(
        config: Arc<ProcessConfig>,
        services: Rc<Services>,
        status: SharedStatus,
        paths: LogPaths,
        listener: Option<(Recipient<FromListener>, usize)>,
    ) -> Self {
        Self {
            identity: config.user.as_ref().map(|user| identity_of(user.uid)),
            logs: Logs::new(&config, paths),
            config,
            services,
            status,
            machine: Machine::default(),
            listener,
            timer: None,
            live: None,
            last_end: None,
            signal_error: None,
            is_noted: false,
            kept_for: 0,
            starts_again: false,
            is_lost: false,
            retiring: false,
            start_waiters: Vec::new(),
            stop_waiters: Vec::new(),
            stop_report: None,
        }
    }

    /// One input through the lifecycle, its effects performed, those who wait answered.
    pub(super) fn feed(&mut self, input: Input, ctx: &mut Context<Self>) {
        self.feed_at(input, clock::now(), ctx);
    }

    /// The same for an input that has come some time ago.
    fn feed_at(&mut self, input: Input, at: Instant, ctx: &mut Context<Self>) {
        let config = Arc::clone(&self.config);
        let policy = super::lifecycle::Policy::of(&config);
        let (machine, effects) = self.machine.step(input, &policy, at);
        self.machine = machine;
        self.is_noted = false;
        for effect in effects {
            self.perform(effect, ctx);
        }
        let restart_due = self.machine.phase == Phase::Exited(true);
        self.status
            .update(|status| status.restart_due = restart_due);
        if !self.is_noted {
            self.keep();
        }
        self.answer_waiters(ctx);
        self.start_if_due_again(ctx);
    }

    fn answer_waiters(&mut self, ctx: &mut Context<Self>) {
        if let Some(outcome) = self.start_outcome() {
            for waiter in self.start_waiters.drain(..) {
                waiter.answer(outcome);
            }
        }
        if self.machine.state().is_stopped() {
            for waiter in self.stop_waiters.drain(..) {
                waiter.answer(Ok(()));
            }
            if let Some(report) = self.stop_report.take() {
                ctx.cancel_future(report);
            }
        }
    }

    /// What became of a start, once it is known.
    fn start_outcome(&self) -> Option<Result<(), FaultCode>> {
        match self.machine.state() {
            _ if self.status.has_spawnerr() => Some(Err(FaultCode::SpawnError)),
            ProcessState::Running => Some(Ok(())),
            ProcessState::Starting => None,
            _ => Some(Err(FaultCode::AbnormalTermination)),
        }
    }

    /// The checks of `startProcess`, in Supervisor's order.
    fn admit_start(&self, called: &str) -> Result<(), Fault> {
        launch::resolve(&self.config).map_err(|error| error.refusal())?;
        match self.machine.state() {
            state if state.is_running() => Err(FaultCode::AlreadyStarted.about(called)),
            ProcessState::Unknown => {
                let text = format!("{called} is in an unknown process state");
                Err(FaultCode::Failed.about(text))
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, request: Start, ctx: &mut Context<Self>) -> Answer {
        let Start { called, wait } = request;
        if let Err(fault) = self.admit_start(&called) {
            return now(Err(fault));
        }
        if self.machine.state() == ProcessState::Stopping {
            // Supervisor 4.3.0 leaves a stopping process alone, and only a waiting caller is told.
            let name = &self.config.name;
            let log = &self.services.log;
            log.warn(format_args!("process '{name}' already running"));
            let refusal = FaultCode::AbnormalTermination.about(called);
            return now(if wait { Err(refusal) } else { Ok(()) });
        }
        self.feed(Input::Start, ctx);
        match self.start_outcome() {
            Some(outcome) => now(outcome.map_err(|code| code.about(called))),
            None if !wait => now(Ok(())),
            None => {
                let (waiter, answer) = Waiter::new(called);
                self.start_waiters.push(waiter);
                answer
            }
        }
    }

    fn stop(&mut self, request: Stop, ctx: &mut Context<Self>) -> Answer {
        let Stop { called, wait } = request;
        if !self.status.can_stop() {
            return now(Err(FaultCode::NotRunning.about(called)));
        }
        self.signal_error = None;
        self.feed(Input::Stop, ctx);
        if let Some(error) = self.signal_error.take() {
            return now(Err(FaultCode::Failed.about(error)));
        }
        if !wait || self.machine.state().is_stopped() {
            return now(Ok(()));
        }
        self.report_stopping(ctx);
        let (waiter, answer) = Waiter::new(called);
        self.stop_waiters.push(waiter);
        answer
    }

    /// Mentions a stop that somebody waits for in the log, now and every two seconds.
    fn report_stopping(&mut self, ctx: &mut Context<Self>) {
        fn report(process: &Process) {
            let name = &process.config.name;
            let log = &process.services.log;
            log.info(format_args!("waiting for {name} to stop"));
        }
        if self.stop_report.is_none() {
            report(self);
            let every = ctx.run_interval(STOP_REPORT, |process, _| report(process));
            self.stop_report = Some(every);
        }
    }

    /// Stops what is left when the daemon goes down.
    fn close(&mut self, ctx: &mut Context<Self>) -> ResponseFuture<()> {
        self.feed(Input::Closing, ctx);
        self.feed(Input::Stop, ctx);
        // UNKNOWN counts as stopped, as everywhere: nobody can say when such a child ends.
        if self.machine.state().is_stopped() {
            return Box::pin(ready(()));
        }
        let (waiter, answer) = Waiter::new(String::new());
        self.stop_waiters.push(waiter);
        Box::pin(async {
            let _ = answer.await;
        })
    }

    /// Ends the actor of a removed process, but not before its child.
    fn leave_if_retired(&self, ctx: &mut Context<Self>) {
        if self.retiring && self.machine.child().is_none() {
            ctx.stop();
        }
    }

    /// Sends a signal on a client's behalf.
    fn signal(&mut self, request: &Signal, ctx: &mut Context<Self>) -> Result<(), Fault> {
        let not_running = || FaultCode::NotRunning.about(&request.called);
        if !self.machine.state().is_signallable() {
            return Err(not_running());
        }
        let pid = self.machine.child().ok_or_else(not_running)?.pid;
        let name = &self.config.name;
        let signame = request.signal;
        let log = &self.services.log;
        log.debug(format_args!("sending {name} (pid {pid}) sig {signame}"));
        let kernel = &self.services.kernel;
        match kernel.kill(Pid::from_raw(pid), request.signal.number()) {
            Ok(()) => Ok(()),
            Err(errno @ Errno::ESRCH) => {
                log.debug(format_args!(
                    "unable to signal {name} (pid {pid}), it probably just now exited on its \
                     own: {errno}"
                ));
                Ok(())
            }
            Err(errno) => {
                let text = format!("unknown problem sending sig {name} ({pid}):{errno}");
                log.critical(&text);
                self.feed(Input::SignalFailed, ctx);
                Err(FaultCode::Failed.about(text))
            }
        }
    }

    fn send_stdin(&self, request: &SendStdin) -> Result<(), Fault> {
        match (&self.live, self.machine.state()) {
            (Some(live), state) if state != ProcessState::Stopping => live
                .offer(request.chars.as_bytes())
                .map_err(|Refused| FaultCode::NoFile.about(&request.called)),
            _ => Err(FaultCode::NotRunning.about(&request.called)),
        }
    }
}

/// The answer to a request, now or later.
type Answer = ResponseFuture<Result<(), Fault>>;

fn now(result: Result<(), Fault>) -> Answer {
    Box::pin(ready(result))
}

/// Somebody who waits for the outcome of a start or stop.
struct Waiter {
    called: String,
    sender: oneshot::Sender<Result<(), Fault>>,
}

impl Waiter {
    fn new(called: String) -> (Self, Answer) {
        let (sender, receiver) = oneshot::channel();
        // Every outcome answers the waiters; only a dying daemon drops one.
        let gone = || Err(FaultCode::ShutdownState.bare());
        let answer = async move { receiver.await.unwrap_or_else(|_| gone()) };
        (Self { called, sender }, Box::pin(answer))
    }

    fn answer(self, outcome: Result<(), FaultCode>) {
        let outcome = outcome.map_err(|code| code.about(self.called));
        // A caller that has left does not undo what it asked for.
        let _ = self.sender.send(outcome);
    }
}

/// Seconds since the epoch, for labels.
pub fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

impl Handler<Start> for Process {
    type Result = Answer;

    fn handle(&mut self, request: Start, ctx: &mut Context<Self>) -> Answer {
        self.start(request, ctx)
    }
}

impl Handler<AutoStart> for Process {
    type Result = ();

    fn handle(&mut self, _: AutoStart, ctx: &mut Context<Self>) {
        if self.config.autostart && self.machine.state() == ProcessState::Stopped {
            self.feed(Input::Start, ctx);
        }
    }
}

impl Handler<Stop> for Process {
    type Result = Answer;

    fn handle(&mut self, request: Stop, ctx: &mut Context<Self>) -> Answer {
        self.stop(request, ctx)
    }
}

impl Handler<Freeze> for Process {
    type Result = ();

    fn handle(&mut self, _: Freeze, ctx: &mut Context<Self>) {
        self.feed(Input::Closing, ctx);
    }
}

impl Handler<Close> for Process {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Close, ctx: &mut Context<Self>) -> ResponseFuture<()> {
        self.close(ctx)
    }
}

impl Handler<Retire> for Process {
    type Result = ();

    fn handle(&mut self, _: Retire, ctx: &mut Context<Self>) {
        self.retiring = true;
        self.feed(Input::Closing, ctx);
        self.feed(Input::Stop, ctx);
        self.leave_if_retired(ctx);
    }
}

impl Handler<Signal> for Process {
    type Result = Result<(), Fault>;

    fn handle(&mut self, request: Signal, ctx: &mut Context<Self>) -> Self::Result {
        self.signal(&request, ctx)
    }
}

impl Handler<SendStdin> for Process {
    type Result = Result<(), Fault>;

    fn handle(&mut self, request: SendStdin, _: &mut Context<Self>) -> Self::Result {
        self.send_stdin(&request)
    }
}

impl Handler<Feed> for Process {
    type Result = ();

    fn handle(&mut self, Feed { pid, event }: Feed, _: &mut Context<Self>) {
        let live = match (&self.live, self.machine.child()) {
            (Some(live), Some(child)) if child.pid == pid => live,
            _ => return,
        };
        if let Err(Closed { partly }) = live.write(&event) {
            self.tell_pool(Notice::Unfed { partly });
        }
    }
}

impl Handler<ReopenLogs> for Process {
    type Result = ();

    fn handle(&mut self, _: ReopenLogs, _: &mut Context<Self>) {
        self.reopen_logs();
    }
}

impl Handler<ClearLogs> for Process {
    type Result = Result<(), Fault>;

    fn handle(&mut self, request: ClearLogs, _: &mut Context<Self>) -> Self::Result {
        self.clear_logs()
            .map_err(|_| FaultCode::Failed.about(request.called))
    }
}

impl Handler<Ended> for Process {
    type Result = ();

    fn handle(&mut self, Ended(child): Ended, ctx: &mut Context<Self>) {
        self.drain_outputs();
        let status = child.status;
        self.last_end = Some(child);
        let at = child.at.unwrap_or_else(clock::now);
        let ago = i64::try_from(at.elapsed().as_secs()).unwrap_or(0);
        self.status.update(|status| status.stop = unix_now() - ago);
        let end = End {
            status: status.supervisor_code(),
            killed: status.signal() == Some(OsSignal::SIGKILL as i32),
        };
        // The pipes go first: a restart may launch the next child while the end is being fed.
        self.release();
        self.feed_at(Input::Ended(end), at, ctx);
        self.leave_if_retired(ctx);
    }
}
