//! The process's actor with children in name only, on a paused clock: hours pass in milliseconds.
//!
//! Children exit when they like, ignore signals, cannot be created or cannot be signalled ([`kernel`]); clients start, stop
//! and signal, and do not wait for each other. Every request must be answered, no child be left behind, and what listeners
//! are told must make sense, its times included ([`watcher`]).

mod kernel;
mod watcher;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor as _, Addr};
use config::cli::{Invocation, parse_at};
use config::model::{AutoRestart, LogLevel, ProcessConfig, SignalNumber};
use protocol::events::EventSet;
use protocol::states::ProcessState;
use tokio::time::{Instant, sleep, timeout};

use self::kernel::{Fake, Stage};
use self::watcher::Watcher;
use super::children::Children;
use super::fcgi::FcgiSockets;
use super::launch::BaseEnvironment;
use super::messages::{AutoStart, Close, Freeze, Retire, Signal, Start, Stop};
use super::reader::Reader;
use super::status::SharedStatus;
use super::{LogPaths, Process, Services};
use crate::bus::{Abandoned, BusHandle};
use crate::keeper::Keeper;
use crate::logs::activity::{ActivityLog, Settings};
use crate::logs::rotate::Rotation;
use crate::seeds::{Run, runs};
use crate::upgrade::Gate;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What processes are made of.
struct Workshop {
    config: ProcessConfig,
    log: ActivityLog,
    reader: Reader,
}

impl Workshop {
    fn new(directory: &Path) -> Self {
        let text = "[supervisord]\n[program:p]\ncommand=/bin/true\nstdout_logfile=NONE\nstderr_logfile=NONE\n";
        std::fs::write(directory.join("supervisord.conf"), text).unwrap();
        let args = ["supervisord", "-c", "supervisord.conf"].map(str::to_owned);
        let Ok(Invocation::Run(command_line)) = parse_at(&args, directory.to_owned()) else {
            panic!("a command line");
        };
        let config = config::load(&command_line, &Default::default()).unwrap();
        let log = ActivityLog::holding();
        let settings = Settings {
            target: &config::model::ActivityLog::File("/dev/null".into()),
            rotation: Rotation::NEVER,
            level: LogLevel::Critical,
            mirror: false,
        };
        log.open(&settings).unwrap();
        Self {
            config: ProcessConfig::clone(&config.groups[0].processes[0]),
            log,
            reader: Reader::start(Gate::default()).unwrap(),
        }
    }

    fn services(&self, stage: &Rc<Stage>, bus: &BusHandle) -> Services {
        Services {
            log: self.log.clone(),
            bus: bus.clone(),
            keeper: Keeper::default(),
            kernel: Rc::new(Fake(Rc::clone(stage))),
            children: Children::default(),
            reader: self.reader.clone(),
            gate: Gate::default(),
            fcgi: FcgiSockets::default(),
            abandoned: Abandoned::default(),
            base_environment: BaseEnvironment::of_this_process(),
            server_url: None,
            strip_ansi: Cell::new(false),
            no_error: Arc::from(""),
        }
    }
}

/// A process in its world.
struct World {
    stage: Rc<Stage>,
    process: Addr<Process>,
    status: SharedStatus,
    watcher: Rc<RefCell<Watcher>>,
    /// Requests that have not been answered.
    unanswered: Rc<Cell<usize>>,
}

impl World {
    fn new(mut run: Run, workshop: &Workshop) -> Self {
        let mut config = workshop.config.clone();
        config.startsecs = run.pick(&[0, 1, 3]);
        config.startretries = run.pick(&[0, 1, 3]);
        config.stopwaitsecs = run.pick(&[0, 1, 10]);
        config.autorestart = run.pick(&[
            AutoRestart::Always,
            AutoRestart::Unexpected,
            AutoRestart::Never,
        ]);
        config.stopasgroup = run.once_in(2);
        config.killasgroup = config.stopasgroup || run.once_in(2);
        run.note(format_args!("{config:?}"));
        Self::of(config, run, workshop)
    }

    fn of(config: ProcessConfig, run: Run, workshop: &Workshop) -> Self {
        let watcher = Rc::new(RefCell::new(Watcher::new(&config)));
        let bus = BusHandle::start(Rc::default());
        let observer: Rc<RefCell<Watcher>> = Rc::clone(&watcher);
        let eyes = watcher::Eyes(observer).start();
        bus.subscribe(
            "eyes",
            EventSet::from_iter(watcher::EVENTS),
            eyes.recipient(),
            false,
        );
        let stage = Rc::new(Stage::new(run));
        let services = Rc::new(workshop.services(&stage, &bus));
        let status = SharedStatus::new(&services.no_error);
        let (config, paths) = (Arc::new(config), LogPaths::default());
        let process = Process::new(config, services, status.clone(), paths, None).start();
        *stage.process.borrow_mut() = Some(process.clone());
        Self {
            stage,
            process,
            status,
            watcher,
            unanswered: Rc::default(),
        }
    }

    async fn step(&self) {
        let time = self.stage.some_time();
        sleep(time).await;
        match self.stage.below(30) {
            0..=9 => self.start(),
            10..=15 => self.stop(),
            16 | 17 => self.signal(),
            18 => self.process.do_send(AutoStart),
            19 if self.stage.below(20) == 0 => self.process.do_send(Freeze),
            _ => {}
        }
        self.check();
    }

    fn start(&self) {
        let wait = self.stage.below(2) == 0;
        let asked = Instant::now();
        self.stage.note(format_args!("start, wait: {wait}"));
        let answer = self.process.send(Start {
            called: "p".to_owned(),
            wait,
        });
        let watcher = Rc::clone(&self.watcher);
        self.await_answer(async move {
            if answer.await.unwrap().is_ok() && wait {
                watcher.borrow_mut().expect(asked, &[ProcessState::Running]);
            }
        });
    }

    fn stop(&self) {
        let wait = self.stage.below(2) == 0;
        let asked = Instant::now();
        self.stage.note(format_args!("stop, wait: {wait}"));
        let answer = self.process.send(Stop {
            called: "p".to_owned(),
            wait,
        });
        let (watcher, status) = (Rc::clone(&self.watcher), self.status.clone());
        self.await_answer(async move {
            if answer.await.unwrap().is_ok() && wait && !status.state().is_stopped() {
                // It has been started again since.
                watcher.borrow_mut().expect(asked, &watcher::STOPPED);
            }
        });
    }

    fn signal(&self) {
        let signal = self.stage.pick_signal();
        self.stage.note(format_args!("signal {signal}"));
        let answer = self.process.send(Signal {
            called: "p".to_owned(),
            signal,
        });
        self.await_answer(async move {
            let _ = answer.await.unwrap();
        });
    }

    fn await_answer(&self, answer: impl Future<Output = ()> + 'static) {
        let unanswered = Rc::clone(&self.unanswered);
        unanswered.set(unanswered.get() + 1);
        actix::spawn(async move {
            answer.await;
            unanswered.set(unanswered.get() - 1);
        });
    }

    fn check(&self) {
        let status = self.status.get();
        if let ProcessState::Running | ProcessState::Starting | ProcessState::Stopping =
            status.state
        {
            assert_eq!(status.pid, self.stage.last_pid());
        } else if status.state != ProcessState::Unknown {
            assert_eq!(status.pid, 0, "{}", status.state);
        }
        self.stage.judge();
        self.watcher.borrow().judge();
    }

    /// From here on the kernel does what it is told. The process is closed, or its group removed.
    async fn wind_up(self) {
        self.stage.note("wind up");
        self.stage.be_kind();
        // Whatever was started without success has come to an end by itself.
        sleep(PATIENCE).await;
        self.check();
        assert_eq!(self.unanswered.get(), 0, "in {}", self.status.state());
        if self.stage.below(2) == 0 {
            let closed = timeout(PATIENCE, self.process.send(Close)).await;
            closed.expect("it ends").expect("it is there");
            self.check();
            assert!(self.status.state().is_stopped());
        }
        self.process.do_send(Retire);
        sleep(PATIENCE).await;
        self.check();
        let state = self.status.state();
        assert!(state.is_stopped(), "{state}");
        match state {
            ProcessState::Unknown => self.stage.end_child(),
            _ => assert_eq!(self.stage.child(), None, "it is left behind"),
        }
        let seen = self.watcher.borrow().seen();
        sleep(PATIENCE).await;
        assert!(!self.process.connected(), "the actor is left behind");
        let told = self.watcher.borrow().seen() - seen;
        assert!(told == 0 || state == ProcessState::Unknown);
    }
}

#[actix::test]
async fn every_request_is_answered_and_no_child_left_behind() {
    tokio::time::pause();
    let directory = tempfile::tempdir().unwrap();
    let workshop = Workshop::new(directory.path());
    for mut run in runs(2000) {
        let steps = 10 + run.below(60);
        let world = World::new(run, &workshop);
        for _ in 0..steps {
            world.step().await;
        }
        world.wind_up().await;
    }
}

/// The stop comes in the very turn in which the process is up for long enough.
#[actix::test]
async fn a_timer_that_is_cancelled_when_it_is_due_does_nothing() {
    tokio::time::pause();
    let directory = tempfile::tempdir().unwrap();
    let workshop = Workshop::new(directory.path());
    let mut config = workshop.config.clone();
    config.startsecs = 1;
    for mut run in runs(20) {
        let early = Duration::from_millis(run.below(3));
        let world = World::of(config.clone(), run, &workshop);
        world.stage.be_kind();
        world.start();
        sleep(Duration::from_millis(1001) - early).await;
        world.stop();
        sleep(PATIENCE).await;
        assert_eq!(world.stage.signals(), [SignalNumber::TERM.number()]);
    }
}
