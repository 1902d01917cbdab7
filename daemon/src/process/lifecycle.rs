//! The life of a process as a pure function: (machine, input, now) → (machine, effects).
//!
//! ```text
//!              start                    up for startsecs
//!   STOPPED ──────────▶ STARTING ─────────────────────────▶ RUNNING
//!      ▲   EXITED,         │ ▲ retry                          │  │
//!      │   FATAL ──────▶   │ │                          ended  │  │ stop
//!      │            failed │ │                                 ▼  │
//!      │                   ▼ │     too many                EXITED │
//!      │◀─────────────── BACKOFF ───────────▶ FATAL               │
//!      │     stop          (STARTING, RUNNING) stop               ▼
//!      └──────────────────────────────────────────────────── STOPPING
//!                              ended            SIGKILL every stopwaitsecs
//! ```
//!
//! Any live state goes to UNKNOWN when a signal cannot be sent, and leaves it when the child ends.
//! A process has one timer. Entering a state arms the timer that state needs and disarms any
//! other, so no timer outlives its state.

use std::time::{Duration, Instant};

use config::model::{AutoRestart, ProcessConfig};
use protocol::events::StateDetail;
use protocol::states::ProcessState;

/// Exits sooner than this after the start count as quick ones, see [`restart_delay`].
const QUICK: Duration = Duration::from_millis(100);

/// The least time between one SIGKILL and the next: with `stopwaitsecs=0` a child that takes its time to
/// die would be signalled, and the log be written, without a pause.
const KILL_AGAIN: Duration = Duration::from_secs(1);

/// What a process's configuration says about its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy<'a> {
    /// Time a process must stay up to be RUNNING.
    pub startsecs: Duration,
    /// Failed starts beyond the first that are tolerated.
    pub startretries: u32,
    /// Time between the stop signal and SIGKILL.
    pub stopwaitsecs: Duration,
    /// When an exited process is started again.
    pub autorestart: AutoRestart,
    /// Exit statuses that are expected.
    pub exitcodes: &'a [i32],
}

impl<'a> Policy<'a> {
    /// The part of a process's configuration that matters here.
    pub fn of(config: &'a ProcessConfig) -> Self {
        Self {
            startsecs: seconds(config.startsecs),
            startretries: u32::try_from(config.startretries.max(0)).unwrap_or(u32::MAX),
            stopwaitsecs: seconds(config.stopwaitsecs),
            autorestart: config.autorestart,
            exitcodes: &config.exitcodes,
        }
    }

    fn restarts(&self, status: i32) -> bool {
        match self.autorestart {
            AutoRestart::Always => true,
            AutoRestart::Never => false,
            AutoRestart::Unexpected => !self.exitcodes.contains(&status),
        }
    }
}

/// A number of seconds; less than none is none, and there are never too many.
fn seconds(configured: i64) -> Duration {
    Duration::from_secs(configured.clamp(0, i64::from(u32::MAX)).unsigned_abs())
}

/// A child that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// Its pid.
    pub pid: i32,
    /// When it was started.
    pub since: Instant,
}

/// Where in its life a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Never started, or stopped on request.
    Stopped,
    /// A launch is under way (`None`), or the child is not yet up for `startsecs`.
    Starting(Option<Child>),
    /// Up.
    Running(Child),
    /// Waiting to try again.
    Backoff,
    /// Told to stop.
    Stopping(Child),
    /// Ended by itself; `true` while a restart is due.
    Exited(bool),
    /// Given up.
    Fatal,
    /// A signal could not be sent; `true` if it was to stop the child.
    Unknown(Child, bool),
}

/// Everything the lifecycle remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Where it is.
    pub phase: Phase,
    /// Failed starts in a row: the `tries` of events, and the seconds of the next wait.
    pub failures: u32,
    /// Exits in a row that came within [`QUICK`] of the start.
    pub quick_exits: u32,
    /// The daemon is going down: nothing is started any more.
    pub closing: bool,
}

/// What can happen to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Start it (a request, or autostart).
    Start,
    /// The launch gave a child.
    Launched(i32),
    /// The launch failed.
    LaunchFailed,
    /// Stop it.
    Stop,
    /// The last signal could not be sent; the reason was not that the child is gone.
    SignalFailed,
    /// The child was reaped.
    Ended(End),
    /// The timer fired.
    TimerFired,
    /// The daemon is going down.
    Closing,
}

/// How a child ended, as far as the lifecycle cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Exit status, or -1 after a signal.
    pub status: i32,
    /// It was SIGKILL: somebody else's doing, not a failing of the program.
    pub killed: bool,
}

/// Which signal to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kill {
    /// `stopsignal`, to the group with `stopasgroup`.
    Stop,
    /// SIGKILL, to the group with `killasgroup`.
    Force,
}

/// Why a child's end left the state it left; decides what is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// After a stop request.
    Stopped,
    /// Before `startsecs` were over.
    TooQuick,
    /// By itself; whether the status is one of `exitcodes`.
    Exited(bool),
}

/// What the actor has to do, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Tell everybody of a change of state.
    Enter {
        /// State left.
        from: ProcessState,
        /// State entered.
        to: ProcessState,
        /// What the event says besides.
        detail: StateDetail,
    },
    /// Create a child and feed back [`Input::Launched`] or [`Input::LaunchFailed`].
    Launch,
    /// Signal the child and feed back [`Input::SignalFailed`] if that fails.
    Signal(Kill),
    /// Set the timer, replacing what it was set to.
    Arm(Duration),
    /// Cancel the timer.
    Disarm,
    /// Log that the process is up.
    ReportSuccess,
    /// Log that it is given up.
    ReportFatal,
    /// Log how it ended.
    ReportEnd(Ending),
    /// Log that a stop request met a process in BACKOFF.
    ReportStoppedInBackoff,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            phase: Phase::Stopped,
            failures: 0,
            quick_exits: 0,
            closing: false,
        }
    }
}

impl Machine {
    /// The state as clients see it.
    pub fn state(&self) -> ProcessState {
        match self.phase {
            Phase::Stopped => ProcessState::Stopped,
            Phase::Starting(_) => ProcessState::Starting,
            Phase::Running(_) => ProcessState::Running,
            Phase::Backoff => ProcessState::Backoff,
            Phase::Stopping(_) => ProcessState::Stopping,
            Phase::Exited(_) => ProcessState::Exited,
            Phase::Fatal => ProcessState::Fatal,
            Phase::Unknown(..) => ProcessState::Unknown,
        }
    }

    /// The child, while there is one.
    pub fn child(&self) -> Option<Child> {
        match self.phase {
            Phase::Starting(child) => child,
            Phase::Running(child) | Phase::Stopping(child) | Phase::Unknown(child, _) => {
                Some(child)
            }
            Phase::Stopped | Phase::Backoff | Phase::Exited(_) | Phase::Fatal => None,
        }
    }

    /// The next machine and what has to be done. An input that means nothing in a state
    /// changes nothing.
    pub fn step(self, input: Input, policy: &Policy<'_>, now: Instant) -> (Self, Vec<Effect>) {
        let mut step = Step {
            machine: self,
            effects: Vec::new(),
        };
        match input {
            Input::Start => step.start(),
            Input::Launched(pid) => step.launched(Child { pid, since: now }, policy),
            Input::LaunchFailed => step.launch_failed(policy),
            Input::Stop => step.stop(policy),
            Input::SignalFailed => step.signal_failed(),
            Input::Ended(end) => step.ended(end, policy, now),
            Input::TimerFired => step.timer_fired(policy),
            Input::Closing => step.closing(),
        }
        (step.machine, step.effects)
    }
}

/// A step in the making.
struct Step {
    machine: Machine,
    effects: Vec<Effect>,
}

impl Step {
    fn enter(&mut self, phase: Phase, detail: StateDetail) {
        let from = self.machine.state();
        self.machine.phase = phase;
        let to = self.machine.state();
        self.effects.push(Effect::Enter { from, to, detail });
    }

    fn arm(&mut self, after: Duration) {
        self.effects.push(Effect::Arm(after));
    }

    fn disarm(&mut self) {
        self.effects.push(Effect::Disarm);
    }

    fn start(&mut self) {
        if self.machine.closing {
            return;
        }
        match self.machine.phase {
            Phase::Exited(true) => {
                self.disarm();
                self.launch();
            }
            Phase::Stopped | Phase::Exited(false) | Phase::Fatal => self.launch(),
            Phase::Starting(_)
            | Phase::Running(_)
            | Phase::Backoff
            | Phase::Stopping(_)
            | Phase::Unknown(..) => {}
        }
    }

    fn launch(&mut self) {
        let tries = self.machine.failures;
        self.enter(Phase::Starting(None), StateDetail::Tries(tries));
        self.effects.push(Effect::Launch);
    }

    fn launched(&mut self, child: Child, policy: &Policy<'_>) {
        let Phase::Starting(None) = self.machine.phase else {
            return;
        };
        self.machine.phase = Phase::Starting(Some(child));
        if policy.startsecs.is_zero() {
            self.promote(child);
        } else {
            self.arm(policy.startsecs);
        }
    }

    fn promote(&mut self, child: Child) {
        self.machine.failures = 0;
        self.enter(Phase::Running(child), StateDetail::Pid(child.pid));
        self.effects.push(Effect::ReportSuccess);
    }

    fn launch_failed(&mut self, policy: &Policy<'_>) {
        if let Phase::Starting(None) = self.machine.phase {
            self.back_off(policy);
        }
    }

    /// One more failed start: wait, a second longer each time, or give up.
    fn back_off(&mut self, policy: &Policy<'_>) {
        self.machine.failures = self.machine.failures.saturating_add(1);
        let failures = self.machine.failures;
        self.enter(Phase::Backoff, StateDetail::Tries(failures));
        if failures > policy.startretries {
            self.give_up();
            self.effects.push(Effect::ReportFatal);
        } else if self.machine.closing {
            self.give_up();
        } else {
            self.arm(Duration::from_secs(failures.into()));
        }
    }

    fn give_up(&mut self) {
        self.machine.failures = 0;
        self.enter(Phase::Fatal, StateDetail::Nothing);
    }

    fn stop(&mut self, policy: &Policy<'_>) {
        match self.machine.phase {
            Phase::Starting(Some(child)) | Phase::Running(child) => {
                self.enter(Phase::Stopping(child), StateDetail::Pid(child.pid));
                self.arm(policy.stopwaitsecs);
                self.effects.push(Effect::Signal(Kill::Stop));
            }
            Phase::Backoff => {
                // Supervisor 4.3.0 keeps the count, so that the next start has fewer retries.
                self.machine.failures = 0;
                self.disarm();
                self.effects.push(Effect::ReportStoppedInBackoff);
                self.enter(Phase::Stopped, StateDetail::Pid(0));
            }
            // A restart that is due after an exit is a start that has not happened yet.
            Phase::Exited(true) => {
                self.machine.phase = Phase::Exited(false);
                self.disarm();
            }
            Phase::Starting(None)
            | Phase::Stopping(_)
            | Phase::Stopped
            | Phase::Exited(false)
            | Phase::Fatal
            | Phase::Unknown(..) => {}
        }
    }

    fn signal_failed(&mut self) {
        let (child, stopping) = match self.machine.phase {
            Phase::Starting(Some(child)) | Phase::Running(child) => (child, false),
            Phase::Stopping(child) => (child, true),
            Phase::Starting(None)
            | Phase::Stopped
            | Phase::Backoff
            | Phase::Exited(_)
            | Phase::Fatal
            | Phase::Unknown(..) => return,
        };
        self.disarm();
        self.enter(Phase::Unknown(child, stopping), StateDetail::Nothing);
    }

    fn ended(&mut self, end: End, policy: &Policy<'_>, now: Instant) {
        match self.machine.phase {
            Phase::Stopping(child) | Phase::Unknown(child, true) => {
                self.disarm();
                self.enter(Phase::Stopped, StateDetail::Pid(child.pid));
                self.effects.push(Effect::ReportEnd(Ending::Stopped));
            }
            Phase::Starting(Some(child)) => {
                self.disarm();
                if now.saturating_duration_since(child.since) < policy.startsecs {
                    self.back_off_after_end(policy);
                } else {
                    // Up for long enough, only the timer has not come round yet.
                    self.machine.failures = 0;
                    self.enter(Phase::Running(child), StateDetail::Pid(child.pid));
                    self.exited(child, end, policy, now);
                }
            }
            Phase::Running(child) | Phase::Unknown(child, false) => {
                self.exited(child, end, policy, now);
            }
            Phase::Starting(None)
            | Phase::Stopped
            | Phase::Backoff
            | Phase::Exited(_)
            | Phase::Fatal => {}
        }
    }

    fn back_off_after_end(&mut self, policy: &Policy<'_>) {
        let reported = self.effects.len();
        self.back_off(policy);
        // The end is reported after BACKOFF is entered and before anything that follows.
        let report = Effect::ReportEnd(Ending::TooQuick);
        self.effects.insert(reported + 1, report);
    }

    fn exited(&mut self, child: Child, end: End, policy: &Policy<'_>, now: Instant) {
        let expected = policy.exitcodes.contains(&end.status);
        let quick = now.saturating_duration_since(child.since) < QUICK;
        self.machine.quick_exits = match quick && !end.killed {
            true => self.machine.quick_exits.saturating_add(1),
            false => 0,
        };
        self.machine.failures = 0;
        let restarts = policy.restarts(end.status) && !self.machine.closing;
        let detail = StateDetail::Exit {
            expected,
            pid: child.pid,
        };
        self.enter(Phase::Exited(restarts), detail);
        self.effects
            .push(Effect::ReportEnd(Ending::Exited(expected)));
        if restarts {
            match restart_delay(self.machine.quick_exits) {
                Duration::ZERO => self.launch(),
                delay => self.arm(delay),
            }
        }
    }

    fn timer_fired(&mut self, policy: &Policy<'_>) {
        match self.machine.phase {
            Phase::Starting(Some(child)) => self.promote(child),
            Phase::Backoff | Phase::Exited(true) => self.launch(),
            Phase::Stopping(_) => {
                self.arm(policy.stopwaitsecs.max(KILL_AGAIN));
                self.effects.push(Effect::Signal(Kill::Force));
            }
            Phase::Starting(None)
            | Phase::Stopped
            | Phase::Running(_)
            | Phase::Exited(false)
            | Phase::Fatal
            | Phase::Unknown(..) => {}
        }
    }

    fn closing(&mut self) {
        self.machine.closing = true;
        match self.machine.phase {
            Phase::Backoff => {
                self.disarm();
                self.give_up();
            }
            Phase::Exited(true) => {
                self.machine.phase = Phase::Exited(false);
                self.disarm();
            }
            Phase::Stopped
            | Phase::Starting(_)
            | Phase::Running(_)
            | Phase::Stopping(_)
            | Phase::Exited(false)
            | Phase::Fatal
            | Phase::Unknown(..) => {}
        }
    }
}

/// The floor under restarts: how long to wait before a restart after so many quick exits in a
/// row. Supervisor 4.3.0 waits for nothing and restarts a program with `startsecs=0` that fails
/// at once hundreds of times a second. The first five restarts are immediate here as well; then
/// the wait doubles from 32 ms to a second. A program that lives for a tenth of a second, or is
/// killed by SIGKILL, is always restarted at once.
pub fn restart_delay(quick_exits: u32) -> Duration {
    match quick_exits {
        0..=5 => Duration::ZERO,
        6..=10 => Duration::from_millis(32 << (quick_exits - 6)),
        _ => Duration::from_secs(1),
    }
}

#[cfg(test)]
#[path = "lifecycle_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
