//! The lifecycle against a model, through lives full of faults on a clock of their own.
//!
//! The model is written from Supervisor's rules and not from the machine: it has Supervisor's fields, knows no timers but
//! looks at the time, as Supervisor's own loop does, and holds what we promise beyond (see `docs/differences.md`).

use super::*;
use crate::seeds::{Run, runs};

const EXITCODES: [&[i32]; 3] = [&[0], &[], &[0, 2, -1]];

/// Time since the world began.
type Moment = Duration;

/// What a life shows to the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Change(ProcessState, ProcessState, StateDetail),
    Spawn,
    Signal(Kill),
    Success,
    GaveUp,
    End(Ending),
    StoppedInBackoff,
}

/// A process as Supervisor's rules have it.
struct Model {
    policy: Policy<'static>,
    state: ProcessState,
    /// Failed starts in a row.
    backoff: u32,
    laststart: Moment,
    /// When the state is left: BACKOFF to try again, STOPPING to kill.
    delay: Moment,
    pid: Option<i32>,
    /// A stop was asked for.
    killing: bool,
    /// Ours: an exited process starts at this time.
    restart_at: Option<Moment>,
    /// Ours: exits in a row within a tenth of a second.
    quick: u32,
    closing: bool,
    shown: Vec<Shown>,
}

impl Model {
    fn new(policy: Policy<'static>) -> Self {
        Self {
            policy,
            state: ProcessState::Stopped,
            backoff: 0,
            laststart: Moment::ZERO,
            delay: Moment::ZERO,
            pid: None,
            killing: false,
            restart_at: None,
            quick: 0,
            closing: false,
            shown: Vec::new(),
        }
    }

    fn change(&mut self, to: ProcessState, detail: StateDetail) {
        self.shown.push(Shown::Change(self.state, to, detail));
        self.state = to;
    }

    fn pid(&self) -> StateDetail {
        StateDetail::Pid(self.pid.unwrap_or(0))
    }

    fn start(&mut self) {
        use ProcessState::{Exited, Fatal, Stopped};
        if !self.closing && matches!(self.state, Stopped | Exited | Fatal) {
            self.spawn();
        }
    }

    fn spawn(&mut self) {
        self.killing = false;
        self.restart_at = None;
        self.change(ProcessState::Starting, StateDetail::Tries(self.backoff));
        self.shown.push(Shown::Spawn);
    }

    fn spawned(&mut self, pid: i32, now: Moment) {
        self.pid = Some(pid);
        self.laststart = now;
        if self.policy.startsecs.is_zero() {
            self.succeed();
        }
    }

    fn spawn_failed(&mut self, now: Moment) {
        self.back_off(now);
        self.after_backoff();
    }

    fn succeed(&mut self) {
        self.backoff = 0;
        self.change(ProcessState::Running, self.pid());
        self.shown.push(Shown::Success);
    }

    fn back_off(&mut self, now: Moment) {
        self.backoff += 1;
        self.delay = now + Duration::from_secs(self.backoff.into());
        self.change(ProcessState::Backoff, StateDetail::Tries(self.backoff));
    }

    fn after_backoff(&mut self) {
        let too_often = self.backoff > self.policy.startretries;
        if too_often || self.closing {
            self.backoff = 0;
            self.change(ProcessState::Fatal, StateDetail::Nothing);
        }
        if too_often {
            self.shown.push(Shown::GaveUp);
        }
    }

    fn stop(&mut self, now: Moment) {
        match self.state {
            ProcessState::Starting | ProcessState::Running => {
                self.killing = true;
                self.delay = now + self.policy.stopwaitsecs;
                self.change(ProcessState::Stopping, self.pid());
                self.shown.push(Shown::Signal(Kill::Stop));
            }
            ProcessState::Backoff => {
                self.backoff = 0;
                self.shown.push(Shown::StoppedInBackoff);
                self.change(ProcessState::Stopped, StateDetail::Pid(0));
            }
            _ => self.restart_at = None,
        }
    }

    fn kill_failed(&mut self) {
        use ProcessState::{Running, Starting, Stopping};
        if self.pid.is_some() && matches!(self.state, Starting | Running | Stopping) {
            self.change(ProcessState::Unknown, StateDetail::Nothing);
        }
    }

    fn reaped(&mut self, end: End, now: Moment) {
        let age = now - self.laststart;
        if self.killing {
            self.change(ProcessState::Stopped, self.pid());
            self.shown.push(Shown::End(Ending::Stopped));
        } else if self.state == ProcessState::Starting && age < self.policy.startsecs {
            self.back_off(now);
            self.shown.push(Shown::End(Ending::TooQuick));
            self.after_backoff();
        } else {
            if self.state == ProcessState::Starting {
                self.change(ProcessState::Running, self.pid());
            }
            self.exited(end, age, now);
        }
        self.pid = None;
    }

    fn exited(&mut self, end: End, age: Duration, now: Moment) {
        self.backoff = 0;
        let expected = self.policy.exitcodes.contains(&end.status);
        let pid = self.pid.unwrap_or(0);
        self.change(ProcessState::Exited, StateDetail::Exit { expected, pid });
        self.shown.push(Shown::End(Ending::Exited(expected)));
        let counts = age < Duration::from_millis(100) && !end.killed;
        self.quick = if counts { self.quick + 1 } else { 0 };
        let restarts = match self.policy.autorestart {
            AutoRestart::Always => true,
            AutoRestart::Unexpected => !expected,
            AutoRestart::Never => false,
        };
        if restarts && !self.closing {
            // Five for nothing, then 32, 64, ... 512 ms, a second.
            match self.quick.checked_sub(6) {
                None => self.spawn(),
                Some(more) => {
                    let floor = (32u64 << more.min(5)).min(1000);
                    self.restart_at = Some(now + Duration::from_millis(floor));
                }
            }
        }
    }

    fn close(&mut self) {
        self.closing = true;
        self.restart_at = None;
        if self.state == ProcessState::Backoff {
            self.backoff = 0;
            self.change(ProcessState::Fatal, StateDetail::Nothing);
        }
    }

    /// When something happens by itself.
    fn due(&self) -> Option<Moment> {
        match self.state {
            ProcessState::Starting => Some(self.laststart + self.policy.startsecs),
            ProcessState::Backoff | ProcessState::Stopping => Some(self.delay),
            ProcessState::Exited => self.restart_at,
            _ => None,
        }
    }

    /// Supervisor's look at a process, once it is time.
    fn transition(&mut self, now: Moment) {
        match self.state {
            ProcessState::Starting => self.succeed(),
            ProcessState::Backoff | ProcessState::Exited => self.spawn(),
            ProcessState::Stopping => {
                // At least a second apart is ours.
                self.delay = now + self.policy.stopwaitsecs.max(Duration::from_secs(1));
                self.shown.push(Shown::Signal(Kill::Force));
            }
            _ => {}
        }
    }
}

/// A machine, its model, and the world that both believe in.
struct World {
    run: Run,
    beginning: Instant,
    now: Moment,
    machine: Machine,
    policy: Policy<'static>,
    model: Model,
    timer: Option<Moment>,
    /// A child that has not been reaped.
    child: Option<i32>,
    last_pid: i32,
    shown: Vec<Shown>,
    /// Nothing fails any more, and children die when they are told to.
    is_kind: bool,
}

impl World {
    fn new(mut run: Run) -> Self {
        let policy = Policy {
            startsecs: Duration::from_secs(run.pick(&[0, 1, 1, 3])),
            startretries: run.pick(&[0, 1, 3]),
            stopwaitsecs: Duration::from_secs(run.pick(&[0, 1, 10])),
            autorestart: run.pick(&[
                AutoRestart::Always,
                AutoRestart::Unexpected,
                AutoRestart::Never,
            ]),
            exitcodes: run.pick(&EXITCODES),
        };
        run.note(format_args!("{policy:?}"));
        Self {
            run,
            beginning: Instant::now(),
            now: Moment::ZERO,
            machine: Machine::default(),
            model: Model::new(policy.clone()),
            policy,
            timer: None,
            child: None,
            last_pid: 0,
            shown: Vec::new(),
            is_kind: false,
        }
    }

    /// One input for the machine, and what comes of it.
    fn feed(&mut self, input: Input) {
        let moment = self.now;
        self.run.note(format_args!(
            "{moment:?} {:?} {input:?}",
            self.machine.phase
        ));
        let now = self.beginning + self.now;
        let (machine, effects) = self.machine.step(input, &self.policy, now);
        self.machine = machine;
        for effect in effects {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        self.shown.push(match effect {
            Effect::Enter { from, to, detail } => Shown::Change(from, to, detail),
            Effect::Launch => return self.launch(),
            Effect::Signal(kill) => return self.signal(kill),
            Effect::Arm(after) => return self.timer = Some(self.now + after),
            Effect::Disarm => return self.timer = None,
            Effect::ReportSuccess => Shown::Success,
            Effect::ReportFatal => Shown::GaveUp,
            Effect::ReportEnd(ending) => Shown::End(ending),
            Effect::ReportStoppedInBackoff => Shown::StoppedInBackoff,
        });
    }

    fn launch(&mut self) {
        assert_eq!(self.child, None, "a second child");
        self.shown.push(Shown::Spawn);
        if !self.is_kind && self.run.once_in(4) {
            self.model.spawn_failed(self.now);
            return self.feed(Input::LaunchFailed);
        }
        self.last_pid += 1;
        self.child = Some(self.last_pid);
        self.model.spawned(self.last_pid, self.now);
        self.feed(Input::Launched(self.last_pid));
    }

    fn signal(&mut self, kill: Kill) {
        assert!(self.child.is_some(), "a signal to nobody");
        self.shown.push(Shown::Signal(kill));
        // ESRCH is like a signal that arrives: the child has ended and is about to be reaped.
        if !self.is_kind && self.run.once_in(8) {
            self.model.kill_failed();
            self.feed(Input::SignalFailed);
        }
    }

    /// One thing happens, to both.
    fn step(&mut self) {
        match self.run.below(24) {
            0..=5 => self.pass_time(),
            6..=9 => self.start(),
            10..=12 => self.stop(),
            13..=16 => self.end_child(),
            17..=21 => self.fire_timer(),
            22 if self.run.once_in(3) => self.signal_on_behalf(),
            22 => self.stray(),
            _ if self.run.once_in(6) => self.close(),
            _ => self.fire_early(),
        }
        self.compare();
    }

    fn pass_time(&mut self) {
        let until = self.timer.map(|at| at.saturating_sub(self.now));
        let until = until.unwrap_or(Duration::from_secs(1));
        let millisecond = Duration::from_millis(1);
        self.now += match self.run.below(7) {
            0 => millisecond * self.run.below(100) as u32,
            1 => until.saturating_sub(millisecond),
            2 | 3 => until,
            4 => until + millisecond,
            5 => until + millisecond * self.run.below(5000) as u32,
            // The machine was asleep.
            _ => Duration::from_secs(self.run.below(100_000)),
        };
    }

    fn start(&mut self) {
        self.model.start();
        self.feed(Input::Start);
    }

    fn stop(&mut self) {
        self.model.stop(self.now);
        self.feed(Input::Stop);
    }

    fn close(&mut self) {
        self.model.close();
        self.feed(Input::Closing);
        // A group that is removed or a daemon that ends; with `Freeze` the stop never comes.
        if self.run.once_in(2) {
            self.compare();
            self.stop();
        }
    }

    fn end_child(&mut self) {
        if self.child.take().is_some() {
            let killed = self.run.once_in(4);
            let status = self.run.pick(&[0, 0, 1, 2, 127, -1]);
            let end = End {
                status: if killed { -1 } else { status },
                killed,
            };
            self.reap(end);
        }
    }

    fn reap(&mut self, end: End) {
        self.child = None;
        self.model.reaped(end, self.now);
        self.feed(Input::Ended(end));
    }

    /// On time, or as late as it is by now.
    fn fire_timer(&mut self) {
        if self.timer.take_if(|at| *at <= self.now).is_some() {
            self.model.transition(self.now);
            self.feed(Input::TimerFired);
        }
    }

    /// By up to a millisecond: clocks are not finer.
    fn fire_early(&mut self) {
        let Some(at) = self.timer.take() else { return };
        self.now = self.now.max(at.saturating_sub(Duration::from_micros(900)));
        self.model.transition(self.now);
        self.feed(Input::TimerFired);
    }

    /// A client's signal that cannot be sent.
    fn signal_on_behalf(&mut self) {
        if self.child.is_some() {
            self.model.kill_failed();
            self.feed(Input::SignalFailed);
        }
    }

    /// What cannot be, and so changes nothing.
    fn stray(&mut self) {
        let mut strays = vec![Input::Launched(self.last_pid + 1), Input::LaunchFailed];
        if self.child.is_none() {
            let end = End {
                status: 0,
                killed: false,
            };
            strays.extend([Input::SignalFailed, Input::Ended(end)]);
        }
        if self.timer.is_none() {
            strays.push(Input::TimerFired);
        }
        let before = self.machine;
        let stray = self.run.pick(&strays);
        self.feed(stray);
        assert_eq!(self.machine, before);
    }

    fn compare(&mut self) {
        assert_eq!(self.shown, self.model.shown);
        self.shown.clear();
        self.model.shown.clear();
        assert_eq!(self.machine.state(), self.model.state);
        assert_eq!(self.machine.child().map(|child| child.pid), self.child);
        assert_eq!(self.model.pid, self.child);
        assert_eq!(self.timer, self.model.due());
    }

    /// From here on everything works, and time is all that passes: a process that is stopped gets there.
    fn wind_up(&mut self) {
        self.is_kind = true;
        self.stop();
        self.compare();
        for _ in 0..3 {
            let Some(at) = self.timer else { break };
            self.now = self.now.max(at);
            self.fire_timer();
            self.compare();
        }
        if self.child.is_some() {
            // SIGKILL works, and so does what somebody else does about a process in UNKNOWN.
            let end = End {
                status: -1,
                killed: true,
            };
            self.model.closing |= self.machine.state() == ProcessState::Unknown;
            self.machine.closing = self.model.closing;
            self.reap(end);
            self.compare();
        }
        assert!(self.machine.state().is_stopped());
        assert_eq!((self.timer, self.child), (None, None));
    }

    /// And one that is started runs.
    fn start_over(&mut self) {
        self.start();
        self.compare();
        while let Some(at) = self.timer {
            self.now = self.now.max(at);
            self.fire_timer();
            self.compare();
        }
        let wanted = if self.model.closing {
            self.machine.state()
        } else {
            ProcessState::Running
        };
        assert_eq!(self.machine.state(), wanted);
    }
}

#[test]
fn every_life_follows_supervisors_rules() {
    for mut run in runs(20_000) {
        let steps = 20 + run.below(120);
        let mut world = World::new(run);
        for _ in 0..steps {
            world.step();
        }
        world.wind_up();
        world.start_over();
    }
}
