//! The pool's actor among listeners that are programs in name only, on a paused clock: minutes pass in milliseconds.
//!
//! Listeners answer, reject, dawdle, talk nonsense and die as chance has it ([`listener`]); meanwhile the pool is handed to
//! a successor as in an upgrade, and one with files loses its daemon. In the end all works, and the [`ledger`] must balance:
//! every event was handled once, or its loss was told.

mod ledger;
mod listener;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor as _, Addr};
use config::cli::{Invocation, parse_at};
use config::model::{BufferFile, GroupConfig, GroupKind, LogLevel, PoolConfig, SyncPolicy};
use protocol::events::EventType;
use tokio::time::sleep;

use self::ledger::Ledger;
use self::listener::{Die, Introduce, Sham, Vanish};
use super::snapshot::PoolSnapshot;
use super::{Closer, Finish, Inquire, Pool, Storage, memory_limit};
use crate::bus::{Abandoned, BusHandle, Deliver, Envelope};
use crate::logs::activity::{ActivityLog, Settings};
use crate::logs::rotate::Rotation;
use crate::process::Services;
use crate::process::children::Children;
use crate::process::fcgi::FcgiSockets;
use crate::process::launch::BaseEnvironment;
use crate::process::messages::{FromListener, Notice};
use crate::process::reader::Reader;
use crate::seeds::{Run, runs};
use crate::sys::kernel::Linux;
use crate::upgrade::{Gate, Ping, TakeSnapshot};

/// What listeners and those who watch them share.
struct Stage {
    run: RefCell<Run>,
    ledger: RefCell<Ledger>,
    /// Who is the pool at the moment.
    pool: RefCell<Addr<Pool>>,
    /// What listeners say while the pool is at rest.
    outbox: RefCell<Option<Vec<FromListener>>>,
    last_pid: Cell<i32>,
    /// How many daemons there have been: listeners of earlier ones are no more.
    era: Cell<u32>,
    /// Listeners reject most of what they get.
    is_grumpy: bool,
    /// Nothing goes wrong any more.
    is_kind: Cell<bool>,
}

impl Stage {
    fn tell(&self, member: usize, notice: Notice) {
        self.run
            .borrow_mut()
            .note(format_args!("{member} {notice:?}"));
        let message = FromListener { member, notice };
        match &mut *self.outbox.borrow_mut() {
            Some(outbox) => outbox.push(message),
            None => self.pool.borrow().do_send(message),
        }
    }

    fn below(&self, bound: u64) -> u64 {
        self.run.borrow_mut().below(bound)
    }

    /// True once in so many times, until all is well.
    fn mishap(&self, times: u64) -> bool {
        !self.is_kind.get() && self.run.borrow_mut().once_in(times)
    }

    fn some_time(&self) -> Duration {
        // Tenths of a second meet rests that are over.
        if self.mishap(3) {
            return Duration::from_millis(100 * self.below(10) + self.below(2));
        }
        let most = if self.is_kind.get() { 20 } else { 1500 };
        Duration::from_millis(self.below(most))
    }
}

/// What pools are made of.
struct Workshop {
    group: GroupConfig,
    pool: PoolConfig,
    log: ActivityLog,
    bus: BusHandle,
    reader: Reader,
}

impl Workshop {
    fn new(directory: &Path) -> Self {
        let file = directory.join("supervisord.conf");
        let text = "[supervisord]\n[eventlistener:team]\ncommand=cat\nnumprocs=4\n\
                    process_name=team_%(process_num)d\nevents=TICK_5\n";
        std::fs::write(&file, text).unwrap();
        let args = ["supervisord", "-c", "supervisord.conf"].map(str::to_owned);
        let Ok(Invocation::Run(command_line)) = parse_at(&args, directory.to_owned()) else {
            panic!("a command line");
        };
        let config = config::load(&command_line, &Default::default()).unwrap();
        let group = GroupConfig::clone(&config.groups[0]);
        let GroupKind::Listeners(pool) = group.kind.clone() else {
            panic!("a pool");
        };
        Self {
            group,
            pool,
            log: silent_log(),
            bus: BusHandle::start(Rc::default()),
            reader: Reader::start(Gate::default()).unwrap(),
        }
    }

    fn services(&self, gate: &Gate) -> Services {
        Services {
            log: self.log.clone(),
            bus: self.bus.clone(),
            kernel: Rc::new(Linux),
            children: Children::default(),
            keeper: crate::keeper::Keeper::default(),
            reader: self.reader.clone(),
            gate: gate.clone(),
            fcgi: FcgiSockets::default(),
            abandoned: Abandoned::default(),
            base_environment: BaseEnvironment::of_this_process(),
            server_url: None,
            strip_ansi: Cell::new(false),
            no_error: Arc::from(""),
        }
    }
}

fn silent_log() -> ActivityLog {
    let log = ActivityLog::holding();
    let settings = Settings {
        target: &config::model::ActivityLog::File("/dev/null".into()),
        rotation: Rotation::NEVER,
        level: LogLevel::Critical,
        mirror: false,
    };
    log.open(&settings).unwrap();
    log
}

/// A pool in its world.
struct World<'a> {
    workshop: &'a Workshop,
    group: GroupConfig,
    pool: PoolConfig,
    stage: Rc<Stage>,
    listeners: Vec<Addr<Sham>>,
    gate: Gate,
    closer: Option<Closer>,
    payload: String,
    /// Thrown away by pools that are no more.
    discarded: u64,
}

impl<'a> World<'a> {
    fn new(mut run: Run, workshop: &'a Workshop, directory: &Path) -> Self {
        let mut group = workshop.group.clone();
        group.processes.truncate(1 + run.index(4));
        let mut pool = workshop.pool.clone();
        pool.buffer_size = run.pick(&[None, None, Some(1), Some(10)]);
        if pool.buffer_size.is_none() && run.once_in(2) {
            pool.buffer_file = Some(BufferFile {
                path: directory.join("events"),
                maxbytes: run.pick(&[1 << 17, 1 << 24]),
                sync: SyncPolicy::Never,
            });
        }
        let members = group.processes.len();
        run.note(format_args!("{members} listeners, {pool:?}"));
        let payload = "é".repeat(run.pick(&[1, 1, 1000]));
        let (gate, storage) = (Gate::default(), storage(workshop, &pool));
        let closer = storage.as_ref().map(Storage::closer);
        let services = workshop.services(&gate);
        let actor = Pool::new(&group, &pool, "me".into(), &services, storage, None).start();
        let stage = Rc::new(Stage {
            is_grumpy: run.once_in(3),
            run: RefCell::new(run),
            ledger: RefCell::new(Ledger::new(members)),
            pool: RefCell::new(actor),
            outbox: RefCell::default(),
            last_pid: Cell::new(0),
            era: Cell::new(0),
            is_kind: Cell::new(false),
        });
        let sham = |member| Sham::new(Rc::clone(&stage), member).start();
        Self {
            workshop,
            listeners: (0..members).map(sham).collect(),
            group,
            pool,
            stage,
            gate,
            closer,
            payload,
            discarded: 0,
        }
    }

    fn actor(&self) -> Addr<Pool> {
        self.stage.pool.borrow().clone()
    }

    async fn step(&mut self) {
        let moment = self.stage.some_time();
        sleep(moment).await;
        match self.stage.below(40) {
            0 => self.upgrade().await,
            1 if self.may_crash() => self.crash().await,
            2..=4 => {
                self.listeners[self.stage.below(self.listeners.len() as u64) as usize].do_send(Die)
            }
            _ => (0..self.stage.below(5)).for_each(|_| self.raise()),
        }
        self.stage.ledger.borrow().judge();
    }

    fn raise(&self) {
        let serial = self.stage.ledger.borrow_mut().raise();
        let payload = format!("{serial} {}", self.payload);
        self.stage
            .run
            .borrow_mut()
            .note(format_args!("raise {serial}"));
        let envelope = Envelope {
            serial,
            event_type: EventType::Tick5,
            payload,
            raised: 0,
        };
        self.actor().do_send(Deliver(Arc::new(envelope), None));
    }

    /// Where too little fits into the files, an event that goes may be in somebody's hands: it is lost in a crash only.
    fn may_crash(&self) -> bool {
        let file = self.pool.buffer_file.as_ref();
        file.is_some_and(|file| file.maxbytes > 1 << 20)
    }

    /// Another daemon goes on with the pool.
    async fn upgrade(&mut self) {
        self.stage.run.borrow_mut().note("upgrade");
        self.gate.close(true);
        *self.stage.outbox.borrow_mut() = Some(Vec::new());
        for _ in 0..2 {
            self.actor().send(Ping).await.unwrap();
            for listener in &self.listeners {
                listener.send(Introduce(false)).await.unwrap();
            }
        }
        let request = TakeSnapshot::<PoolSnapshot>::new(true);
        let snapshot = self.actor().send(request).await.unwrap();
        let document = serde_json::to_string(&snapshot).unwrap();
        self.replace(Some(serde_json::from_str(&document).unwrap()));
        for listener in &self.listeners {
            listener.send(Introduce(true)).await.unwrap();
        }
        let said = self.stage.outbox.take().unwrap();
        said.into_iter()
            .for_each(|message| self.actor().do_send(message));
    }

    /// The daemon is no more, and another one finds its files. Its listeners are new.
    async fn crash(&mut self) {
        self.stage.run.borrow_mut().note("crash");
        self.discarded += self.actor().send(Inquire).await.unwrap().tally.discarded;
        self.stage.era.set(self.stage.era.get() + 1);
        self.gate.close(true);
        self.replace(None);
        self.stage.ledger.borrow_mut().forget_holders();
        let sham = |member| Sham::new(Rc::clone(&self.stage), member).start();
        let successors = (0..self.listeners.len()).map(sham).collect();
        for old in std::mem::replace(&mut self.listeners, successors) {
            old.do_send(Vanish);
        }
    }

    fn replace(&mut self, past: Option<PoolSnapshot>) {
        if let Some(closer) = self.closer.take() {
            closer.close();
        }
        self.gate = Gate::default();
        let storage = storage(self.workshop, &self.pool);
        self.closer = storage.as_ref().map(Storage::closer);
        let services = self.workshop.services(&self.gate);
        let pool = Pool::new(
            &self.group,
            &self.pool,
            "me".into(),
            &services,
            storage,
            past,
        );
        *self.stage.pool.borrow_mut() = pool.start();
    }

    /// From here on all listeners work, and there is time.
    async fn wind_up(mut self) {
        self.stage.run.borrow_mut().note("wind up");
        self.stage.is_kind.set(true);
        let mut patience = 10_000;
        let info = loop {
            sleep(Duration::from_millis(100)).await;
            let info = self.actor().send(Inquire).await.unwrap();
            if info.buffered + info.in_flight == 0 {
                break info;
            }
            patience -= 1;
            assert!(patience > 0, "{info:?}");
        };
        self.actor().send(Finish).await.unwrap();
        self.discarded += info.tally.discarded;
        let ledger = self.stage.ledger.borrow();
        ledger.judge();
        ledger.balance(self.discarded, self.stage.era.get() > 0);
        for listener in &self.listeners {
            listener.do_send(Vanish);
        }
        if let Some(closer) = self.closer.take() {
            closer.close();
        }
    }
}

fn storage(workshop: &Workshop, pool: &PoolConfig) -> Option<Storage> {
    let (file, limit) = (pool.buffer_file.clone()?, memory_limit(pool));
    let (log, bus) = (workshop.log.clone(), workshop.bus.clone());
    Some(Storage::new("team", file, limit, log, bus))
}

#[actix::test]
async fn every_event_is_handled_whatever_listeners_and_daemons_do() {
    tokio::time::pause();
    let directory = tempfile::tempdir().unwrap();
    let workshop = Workshop::new(directory.path());
    for mut run in runs(1000) {
        let files = tempfile::tempdir().unwrap();
        let steps = 10 + run.below(80);
        let mut world = World::new(run, &workshop, files.path());
        for _ in 0..steps {
            world.step().await;
        }
        world.wind_up().await;
    }
}
