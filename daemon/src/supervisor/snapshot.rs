//! The supervisor as it is handed to another daemon in this same operating system process.

use std::collections::HashMap;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor as _, Addr, Context, Handler, Message, MessageResult, ResponseFuture};
use config::model::{Config, DaemonConfig, GroupConfig, ProcessConfig};
use futures_util::future::join_all;
use protocol::states::DaemonState;
use serde::{Deserialize, Serialize};

use super::actor::{Boot, Supervisor};
use super::closing::OsSignal;
use super::group::{Group, Member, Started};
use crate::pool::Pool;
use crate::pool::snapshot::PoolSnapshot;
use crate::process::messages::{FromListener, Notice};
use crate::process::snapshot::ProcessSnapshot;
use crate::process::{Process, Services};
use crate::sys::handover::Inherited;
use crate::upgrade::{LastUpgrade, TakeSnapshot};

/// The groups, and by what they came to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SupervisorSnapshot {
    /// The configuration most recently read.
    pub config: Config,
    /// Active groups in the order in which they became active.
    groups: Vec<GroupSnapshot>,
}

/// A group, and what it is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupSnapshot {
    name: String,
    /// What the group was made of, if that is not the group of this name in the configuration most
    /// recently read.
    config: Option<Arc<GroupConfig>>,
    pool: Option<PoolSnapshot>,
    /// The name of the daemon when the group became active, if the pool does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    /// By the names of the processes.
    members: Vec<(String, ProcessSnapshot)>,
}

impl GroupSnapshot {
    /// A group whose pool, if it has one, begins anew.
    pub fn without_pool(
        name: String,
        identifier: String,
        config: Option<Arc<GroupConfig>>,
        members: Vec<(String, ProcessSnapshot)>,
    ) -> Self {
        Self {
            name,
            config,
            pool: None,
            identifier: Some(identifier),
            members,
        }
    }
}

/// Whom a snapshot takes.
#[derive(Clone)]
pub struct Crew {
    /// Every process of an active group.
    pub processes: Vec<Addr<Process>>,
    /// Every pool.
    pub pools: Vec<Addr<Pool>>,
    /// Members of the largest pool.
    pub largest_pool: usize,
}

/// Asks who is there. `None`: the daemon is going down.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Option<Crew>")]
pub struct Muster;

/// Asks for the signals that have come while all was at rest, by number.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Vec<i32>")]
pub struct TakeSignals;

impl SupervisorSnapshot {
    /// These groups, the oldest first.
    pub fn new(config: Config, groups: Vec<GroupSnapshot>) -> Self {
        Self { config, groups }
    }

    /// The descriptors that must stay open.
    pub fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.processes().flat_map(ProcessSnapshot::descriptors)
    }

    /// Children there are.
    pub fn children(&self) -> usize {
        let has_child = |process: &&ProcessSnapshot| process.has_child();
        self.processes().filter(has_child).count()
    }

    fn processes(&self) -> impl Iterator<Item = &ProcessSnapshot> {
        let members = self.groups.iter().flat_map(|group| &group.members);
        members.map(|(_, process)| process)
    }

    /// Lets share again what was shared.
    fn share(&mut self) {
        let older = self.groups.iter_mut();
        let older = older.filter_map(|group| group.config.as_mut());
        config::share_sockets(self.config.groups.iter_mut().chain(older));
    }
}

impl Supervisor {
    /// A supervisor that goes on where another daemon has stopped.
    pub fn resume(
        boot: Boot,
        mut snapshot: SupervisorSnapshot,
        upgrade: LastUpgrade,
        inherited: &mut Inherited,
    ) -> Self {
        snapshot.share();
        let groups = snapshot.groups;
        let mut supervisor = Self::new(Boot {
            config: snapshot.config,
            ..boot
        });
        supervisor.goes_on = true;
        supervisor.last_upgrade = upgrade;
        for group in groups {
            match supervisor.config_of(&group) {
                Some(config) => {
                    let daemon = &supervisor.config.daemon;
                    let group = group.revive(config, daemon, &supervisor.services, inherited);
                    supervisor.admit_group(group);
                }
                None => supervisor.services.log.critical(format_args!(
                    "the group {} is in no configuration: its processes are on their own",
                    group.name
                )),
            }
        }
        supervisor.index();
        supervisor
    }

    /// The daemon before has died without a word: what had not had its turn has it now.
    pub fn inherit(&mut self) {
        self.is_heir = true;
    }

    fn config_of(&self, group: &GroupSnapshot) -> Option<Arc<GroupConfig>> {
        let newest = || self.config.groups.iter().find(|it| it.name == group.name);
        group.config.as_ref().or_else(newest).cloned()
    }

    fn snapshot(&self, is_last: bool) -> impl Future<Output = SupervisorSnapshot> + use<> {
        let config = self.config.clone();
        let groups = self.groups.iter();
        let groups = join_all(groups.map(|group| group.snapshot(&self.config, is_last)));
        async {
            SupervisorSnapshot {
                config,
                groups: groups.await,
            }
        }
    }
}

impl Group {
    fn snapshot(
        &self,
        newest: &Config,
        is_last: bool,
    ) -> impl Future<Output = GroupSnapshot> + use<> {
        let is_newest = newest.groups.iter().any(|it| Arc::ptr_eq(it, &self.config));
        let name = self.config.name.clone();
        let config = (!is_newest).then(|| Arc::clone(&self.config));
        let pool = self.pool.clone();
        let pool = async move { pool?.send(TakeSnapshot::new(is_last)).await.ok() };
        let members = join_all(self.members.iter().map(|member| {
            let (name, addr) = (member.config.name.clone(), member.addr.clone());
            // The actor of an active group's process is always there.
            async move { Some((name, addr.send(TakeSnapshot::new(is_last)).await.ok()?)) }
        }));
        async move {
            GroupSnapshot {
                name,
                config,
                pool: pool.await,
                identifier: None,
                members: members.await.into_iter().flatten().collect(),
            }
        }
    }
}

impl GroupSnapshot {
    fn revive(
        self,
        config: Arc<GroupConfig>,
        daemon: &DaemonConfig,
        services: &Rc<Services>,
        inherited: &mut Inherited,
    ) -> Group {
        let identifier = self.pool.as_ref().map(|pool| pool.identifier.as_str());
        let identifier = identifier.or(self.identifier.as_deref());
        let identifier = Arc::from(identifier.unwrap_or_default());
        let mut members: HashMap<String, ProcessSnapshot> = self.members.into_iter().collect();
        let revive = |started: &Started, position: usize, config: &Arc<ProcessConfig>| {
            match members.remove(&config.name) {
                Some(past) => revive_member(started, position, config, past, services, inherited),
                // The daemon before has died before there was anything to know of it.
                None => Member::begin(started, position, config, daemon, services),
            }
        };
        Group::build(config, &identifier, services, self.pool, revive)
    }
}

fn revive_member(
    started: &Started,
    position: usize,
    config: &Arc<ProcessConfig>,
    past: ProcessSnapshot,
    services: &Rc<Services>,
    inherited: &mut Inherited,
) -> Member {
    let is_lost = past.is_lost;
    let listener = started.listener(position);
    let resumed = Process::resume(config, services, listener.clone(), past, inherited);
    let addr = resumed.process.start();
    if let Some(pid) = resumed.child {
        services.children.adopt(pid, addr.clone().recipient());
        if let Some((pool, member)) = listener.filter(|_| !is_lost) {
            // Before anything else reaches the pool.
            pool.do_send(FromListener {
                member,
                notice: Notice::Resumed {
                    pid: pid.as_raw(),
                    feed: addr.clone().recipient(),
                },
            });
        }
    }
    Member {
        config: Arc::clone(config),
        addr,
        status: resumed.status,
        logs: resumed.logs,
        listener: started.states.get(position).cloned(),
    }
}

impl Message for TakeSnapshot<SupervisorSnapshot> {
    type Result = SupervisorSnapshot;
}

impl Handler<TakeSnapshot<SupervisorSnapshot>> for Supervisor {
    type Result = ResponseFuture<SupervisorSnapshot>;

    fn handle(
        &mut self,
        request: TakeSnapshot<SupervisorSnapshot>,
        _: &mut Context<Self>,
    ) -> Self::Result {
        Box::pin(self.snapshot(request.is_last))
    }
}

impl Handler<Muster> for Supervisor {
    type Result = MessageResult<Muster>;

    fn handle(&mut self, _: Muster, _: &mut Context<Self>) -> Self::Result {
        if self.state != DaemonState::Running {
            return MessageResult(None);
        }
        let members = self.groups.iter().flat_map(|group| &group.members);
        let pools = self.groups.iter().filter(|group| group.pool.is_some());
        MessageResult(Some(Crew {
            processes: members.map(|member| member.addr.clone()).collect(),
            largest_pool: pools.map(|group| group.members.len()).max().unwrap_or(0),
            pools: self
                .groups
                .iter()
                .filter_map(|it| it.pool.clone())
                .collect(),
        }))
    }
}

impl Handler<TakeSignals> for Supervisor {
    type Result = MessageResult<TakeSignals>;

    fn handle(&mut self, _: TakeSignals, _: &mut Context<Self>) -> Self::Result {
        let signals = self.deferred.iter();
        MessageResult(signals.map(|signal| signal.number()).collect())
    }
}

/// An upgrade came to nothing.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct UpgradeFailed(pub String);

impl Handler<UpgradeFailed> for Supervisor {
    type Result = ();

    /// The signals that have come meanwhile count now.
    fn handle(&mut self, UpgradeFailed(reason): UpgradeFailed, ctx: &mut Context<Self>) {
        self.upgrading = false;
        self.last_upgrade.number += 1;
        self.last_upgrade.failure = Some(reason);
        for signal in std::mem::take(&mut self.deferred) {
            Handler::<OsSignal>::handle(self, signal, ctx);
        }
    }
}
