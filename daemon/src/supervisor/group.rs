//! An active group: its members' actors and, for listeners, their pool.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Addr, Recipient};
use config::model::{ChildLog, DaemonConfig, GroupConfig, GroupKind, PoolConfig, ProcessConfig};
use protocol::events::{Channel, EventSet, EventType};
use protocol::namespec;

use crate::logs::auto;
use crate::pool::snapshot::PoolSnapshot;
use crate::pool::{Closer, GiveUp, Pool, SharedListenerState, Storage, memory_limit};
use crate::process::messages::{FromListener, Retire};
use crate::process::status::SharedStatus;
use crate::process::{LogPaths, Process, Services};

/// An active group.
pub(super) struct Group {
    pub(super) config: Arc<GroupConfig>,
    /// Groups with smaller numbers are older.
    pub(super) order: u64,
    /// The name of the daemon when it became active.
    pub(super) identifier: Arc<str>,
    /// In the order of the configuration.
    pub(super) members: Vec<Member>,
    pub(super) pool: Option<Addr<Pool>>,
    /// Closes the files of the pool, if it has any.
    closer: Option<Closer>,
}

/// A process of a group.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) config: Arc<ProcessConfig>,
    pub(super) addr: Addr<Process>,
    pub(super) status: SharedStatus,
    pub(super) logs: LogPaths,
    /// Where a listener stands in the protocol.
    pub(super) listener: Option<SharedListenerState>,
}

impl Member {
    /// A process that was never started, its AUTO logs created.
    pub(super) fn begin(
        started: &Started,
        position: usize,
        process: &Arc<ProcessConfig>,
        daemon: &DaemonConfig,
        services: &Rc<Services>,
    ) -> Self {
        let logs = log_paths(process, daemon, services);
        let status = SharedStatus::new(&services.no_error);
        let listener = started.listener(position);
        let actor = Process::new(
            Arc::clone(process),
            Rc::clone(services),
            status.clone(),
            logs.clone(),
            listener,
        );
        Self {
            config: Arc::clone(process),
            addr: actor.start(),
            status,
            logs,
            listener: started.states.get(position).cloned(),
        }
    }

    /// The name in the form clients use.
    pub(super) fn namespec(&self) -> String {
        namespec::canonical(&self.config.group, &self.config.name)
    }
}

impl Group {
    /// Makes a group active: AUTO logs, pool and subscription, an actor for each process. Starts
    /// no process.
    pub(super) fn activate(
        config: Arc<GroupConfig>,
        daemon: &DaemonConfig,
        identifier: &Arc<str>,
        services: &Rc<Services>,
    ) -> Self {
        Self::build(
            config,
            identifier,
            services,
            None,
            |started, position, process| {
                Member::begin(started, position, process, daemon, services)
            },
        )
    }

    /// Starts the pool, if it is one of listeners, and makes a member of each process.
    pub(super) fn build(
        config: Arc<GroupConfig>,
        identifier: &Arc<str>,
        services: &Rc<Services>,
        past: Option<PoolSnapshot>,
        mut make: impl FnMut(&Started, usize, &Arc<ProcessConfig>) -> Member,
    ) -> Self {
        let started = match &config.kind {
            GroupKind::Programs => Started::default(),
            GroupKind::Listeners(pool) => start_pool(&config, pool, identifier, services, past),
        };
        let members = unique(&config.processes)
            .into_iter()
            .map(|(position, process)| make(&started, position, process))
            .collect();
        Self {
            config,
            order: 0,
            identifier: Arc::clone(identifier),
            members,
            pool: started.pool,
            closer: started.closer,
        }
    }

    /// Ends the group. Its pool unsubscribes first and so misses the group's removal.
    pub(super) fn retire(self, services: &Services) {
        if self.pool.is_some() {
            services.bus.unsubscribe(&self.config.name);
        }
        // Before anything else can be done, so that a successor finds the files closed.
        if let Some(closer) = self.closer {
            closer.close();
        }
        if let Some(pool) = self.pool {
            pool.do_send(GiveUp);
        }
        for member in self.members {
            member.addr.do_send(Retire);
        }
    }

    /// Every member is in a stopped state. UNKNOWN is one, so there may still be a child.
    pub(super) fn is_stopped(&self) -> bool {
        self.members
            .iter()
            .all(|member| member.status.state().is_stopped())
    }

    /// The member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.config.name == name)
    }

    /// The members by ascending priority.
    pub(super) fn by_priority(&self) -> Vec<Member> {
        let mut members = self.members.clone();
        members.sort_by_key(|member| member.config.priority);
        members
    }
}

/// Of processes with one name the last counts, in the place of the first, as in Supervisor 4.3.0.
fn unique(processes: &[Arc<ProcessConfig>]) -> Vec<(usize, &Arc<ProcessConfig>)> {
    let mut kept: Vec<(usize, &Arc<ProcessConfig>)> = Vec::with_capacity(processes.len());
    let mut places = HashMap::with_capacity(processes.len());
    for (position, process) in processes.iter().enumerate() {
        match places.entry(process.name.as_str()) {
            Entry::Occupied(place) => kept[*place.get()] = (position, process),
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push((position, process));
            }
        }
    }
    kept
}

/// A pool, and what the group needs of it.
#[derive(Default)]
pub(super) struct Started {
    pub(super) pool: Option<Addr<Pool>>,
    closer: Option<Closer>,
    /// Of the listeners, by position.
    pub(super) states: Vec<SharedListenerState>,
}

impl Started {
    /// What the process in this place says as a listener goes there.
    pub(super) fn listener(&self, position: usize) -> Option<(Recipient<FromListener>, usize)> {
        let pool = self.pool.clone()?;
        Some((pool.recipient(), position))
    }
}

fn start_pool(
    group: &GroupConfig,
    pool: &PoolConfig,
    identifier: &Arc<str>,
    services: &Services,
    past: Option<PoolSnapshot>,
) -> Started {
    let identifier = Arc::clone(identifier);
    let storage = pool.buffer_file.as_ref().map(|file| {
        let (log, bus) = (services.log.clone(), services.bus.clone());
        Storage::new(&group.name, file.clone(), memory_limit(pool), log, bus)
    });
    let closer = storage.as_ref().map(Storage::closer);
    let actor = Pool::new(group, pool, identifier, services, storage, past);
    let states = actor.listener_states();
    let addr = actor.start();
    let events: EventSet = pool
        .events
        .iter()
        .filter_map(|name| EventType::from_name(name))
        .collect();
    let recipient = addr.clone().recipient();
    let is_durable = pool.buffer_file.is_some();
    let bus = &services.bus;
    bus.subscribe(&group.name, events, recipient, is_durable);
    Started {
        pool: Some(addr),
        closer,
        states,
    }
}

fn log_paths(process: &ProcessConfig, daemon: &DaemonConfig, services: &Services) -> LogPaths {
    let path = |target: &ChildLog, channel| match target {
        ChildLog::None => None,
        // Kept nowhere; this is what clients are told when they ask for it.
        ChildLog::Empty => Some(Arc::default()),
        ChildLog::File(path) => Some(Arc::new(path.clone())),
        ChildLog::Auto => Some(Arc::new(auto_log(process, channel, daemon, services))),
    };
    LogPaths {
        stdout: path(&process.stdout.logfile, Channel::Stdout),
        stderr: match process.redirect_stderr {
            true => None,
            false => path(&process.stderr.logfile, Channel::Stderr),
        },
        ..LogPaths::default()
    }
}

fn auto_log(
    process: &ProcessConfig,
    channel: Channel,
    daemon: &DaemonConfig,
    services: &Services,
) -> PathBuf {
    let dir = &daemon.childlogdir;
    let (path, created) = auto::create(dir, &process.name, channel.name(), &daemon.identifier);
    if let Err(error) = created {
        services.log.critical(format_args!(
            "cannot create a log for {channel} of '{}' in {}: {error}; it is tried again at each start",
            process.name,
            dir.display()
        ));
    }
    path
}
