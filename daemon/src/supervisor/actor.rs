//! The supervisor actor: its groups, and how they come and go.

use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, ActorFutureExt, Addr, Context, Handler, ResponseActFuture, WrapFuture, fut};
use config::Changes;
use config::cli::CommandLine;
use config::model::{Config, Environment, GroupConfig};
use protocol::events::Event;
use protocol::faults::{Fault, FaultCode};
use protocol::states::DaemonState;
use tokio::sync::{mpsc, oneshot};

use super::closing::{OsSignal, Outcome};
use super::group::{Group, Member};
use super::messages::{AddGroup, RemoveGroup, Reread};
use crate::http::Judge;
use crate::process::children::breathe;
use crate::process::messages::AutoStart;
use crate::process::{Process, Services};
use crate::upgrade::{Gate, LastUpgrade, UpgradeRequest};

/// What a supervisor starts with.
pub struct Boot {
    /// The configuration in force.
    pub config: Config,
    /// The command line, for rereading.
    pub command_line: CommandLine,
    /// The daemon's own environment, for rereading.
    pub environment: Environment,
    /// What every process uses.
    pub services: Rc<Services>,
    /// Told how it ends.
    pub outcome: oneshot::Sender<Outcome>,
    /// Told when the daemon is to be replaced.
    pub upgrades: mpsc::UnboundedSender<UpgradeRequest>,
}

/// The supervisor.
pub struct Supervisor {
    /// The configuration most recently read.
    pub(super) config: Config,
    pub(super) command_line: CommandLine,
    pub(super) environment: Environment,
    pub(super) services: Rc<Services>,
    pub(super) identifier: Arc<str>,
    pub(super) state: DaemonState,
    /// Active groups in the order in which they became active.
    pub(super) groups: Vec<Group>,
    /// The number of the next group.
    next_order: u64,
    /// Positions (group, member) of all processes by (group name, process name).
    pub(super) by_name: Vec<(usize, usize)>,
    /// The configuration to go on with after a restart.
    pub(super) next: Option<Box<Config>>,
    pub(super) outcome: Option<oneshot::Sender<Outcome>>,
    /// It goes on where another daemon has stopped: nothing is made active or started.
    pub(super) goes_on: bool,
    /// That one had died without a word.
    pub(super) is_heir: bool,
    pub(super) upgrades: mpsc::UnboundedSender<UpgradeRequest>,
    /// The daemon is being replaced.
    pub(super) upgrading: bool,
    pub(super) last_upgrade: LastUpgrade,
    /// Signals that have come while all was to be at rest.
    pub(super) deferred: Vec<OsSignal>,
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    /// Makes all groups active and starts what is to be started, lower priorities first, waiting
    /// for nothing.
    fn started(&mut self, _: &mut Context<Self>) {
        self.keep_all();
        if self.goes_on && !self.is_heir {
            return;
        }
        if !self.is_heir {
            for group in self.config.groups.clone() {
                self.activate(group);
            }
        }
        self.services.bus.notify(Event::SupervisorRunning);
        // With an heir, those are left that had not had their turn.
        autostart(self.groups_by_priority().into_iter(), &self.services.gate);
    }
}

/// Starts what is to be started without a request, in order, waiting for nothing but letting
/// clients be served in between.
fn autostart<'a>(groups: impl Iterator<Item = &'a Group>, gate: &Gate) {
    let pass = gate.pass();
    let members: Vec<Addr<Process>> = groups
        .flat_map(|group| &group.members)
        .filter(|member| !member.status.was_started())
        .map(|member| member.addr.clone())
        .collect();
    actix::spawn(async move {
        for (count, member) in members.into_iter().enumerate() {
            member.do_send(AutoStart);
            breathe(count).await;
        }
        drop(pass);
    });
}

impl Supervisor {
    /// A supervisor that begins to work when it is started.
    pub fn new(boot: Boot) -> Self {
        Self {
            identifier: Arc::from(boot.config.daemon.identifier.as_str()),
            config: boot.config,
            command_line: boot.command_line,
            environment: boot.environment,
            services: boot.services,
            state: DaemonState::Running,
            groups: Vec::new(),
            next_order: 0,
            by_name: Vec::new(),
            next: None,
            outcome: Some(boot.outcome),
            goes_on: false,
            is_heir: false,
            upgrades: boot.upgrades,
            upgrading: false,
            last_upgrade: LastUpgrade::default(),
            deferred: Vec::new(),
        }
    }

    fn activate(&mut self, config: Arc<GroupConfig>) {
        let name = config.name.clone();
        let daemon = &self.config.daemon;
        let group = Group::activate(config, daemon, &self.identifier, &self.services);
        self.admit_group(group);
        self.index();
        self.services.bus.notify(Event::GroupAdded(name));
    }

    /// Takes a group behind all others, noted down before there is a process in it.
    pub(super) fn admit_group(&mut self, mut group: Group) {
        group.order = self.next_order;
        self.next_order += 1;
        self.keep_group(&group);
        self.groups.push(group);
    }

    /// Sorts all processes by name.
    pub(super) fn index(&mut self) {
        self.by_name.clear();
        for (g, group) in self.groups.iter().enumerate() {
            self.by_name
                .extend((0..group.members.len()).map(|m| (g, m)));
        }
        let groups = &self.groups;
        let key = |&(g, m): &(usize, usize)| {
            let group: &Group = &groups[g];
            (&group.config.name, &group.members[m].config.name)
        };
        self.by_name.sort_by(|a, b| key(a).cmp(&key(b)));
    }

    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.config.name == name)
    }

    /// Groups by ascending priority; of equals the older first.
    pub(super) fn groups_by_priority(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| group.config.priority);
        groups
    }

    /// All processes by ascending priority of the group, then of the process.
    pub(super) fn members_by_priority(&self) -> Vec<Member> {
        self.groups_by_priority()
            .into_iter()
            .flat_map(Group::by_priority)
            .collect()
    }

    /// What a reread changes: the groups that can be added, and the few settings of
    /// `[supervisord]` that act on groups added later. The rest waits for a restart.
    fn take_over(&mut self, new: Config) {
        self.identifier = Arc::from(new.daemon.identifier.as_str());
        self.services.strip_ansi.set(new.daemon.strip_ansi);
        let daemon = &mut self.config.daemon;
        daemon.identifier = new.daemon.identifier;
        daemon.childlogdir = new.daemon.childlogdir;
        daemon.strip_ansi = new.daemon.strip_ansi;
        self.config.groups = new.groups;
        self.keep_all();
    }

    /// Refuses what would start something while the daemon goes down.
    pub(super) fn admit(&self) -> Result<(), Fault> {
        match self.state {
            DaemonState::Running => Ok(()),
            _ => Err(FaultCode::ShutdownState.bare()),
        }
    }

    /// The configuration of a group that can be made active.
    fn addable(&self, name: &str) -> Result<Arc<GroupConfig>, Fault> {
        self.admit()?;
        let configured = self.config.groups.iter().find(|group| group.name == name);
        let config = configured.ok_or_else(|| FaultCode::BadName.about(name))?;
        match self.group(name) {
            Some(_) => Err(FaultCode::AlreadyAdded.about(name)),
            None => Ok(Arc::clone(config)),
        }
    }

    /// Reads the configuration again, without taking it over.
    pub(super) fn load(&self) -> Result<Config, Fault> {
        config::load_to_serve(&self.command_line, &self.environment, &Judge::Server)
            .map_err(|error| FaultCode::CantReread.about(error.to_string()))
    }
}

impl Handler<Reread> for Supervisor {
    type Result = Result<Changes, Fault>;

    fn handle(&mut self, _: Reread, _: &mut Context<Self>) -> Self::Result {
        let config = self.load()?;
        let active: Vec<_> = self
            .groups
            .iter()
            .map(|group| Arc::clone(&group.config))
            .collect();
        let changes = config::diff(&active, &config.groups);
        self.take_over(config);
        Ok(changes)
    }
}

impl Handler<AddGroup> for Supervisor {
    type Result = ResponseActFuture<Self, Result<(), Fault>>;

    fn handle(&mut self, AddGroup(name): AddGroup, _: &mut Context<Self>) -> Self::Result {
        let config = match self.addable(&name) {
            Ok(config) => config,
            Err(fault) => return Box::pin(fut::err(fault)),
        };
        let sockets = self.services.fcgi.clone();
        let hosts_known = async move { sockets.look_up(&config).await };
        Box::pin(hosts_known.into_actor(self).map(move |(), supervisor, _| {
            // Whatever may have happened meanwhile.
            let config = supervisor.addable(&name)?;
            supervisor.activate(config);
            if let Some(group) = supervisor.group(&name) {
                autostart(std::iter::once(group), &supervisor.services.gate);
            }
            Ok(())
        }))
    }
}

impl Handler<RemoveGroup> for Supervisor {
    type Result = Result<(), Fault>;

    fn handle(&mut self, RemoveGroup(name): RemoveGroup, _: &mut Context<Self>) -> Self::Result {
        let position = self
            .groups
            .iter()
            .position(|group| group.config.name == name);
        let Some(position) = position else {
            return Err(FaultCode::BadName.about(name));
        };
        if !self.groups[position].is_stopped() {
            return Err(FaultCode::StillRunning.about(name));
        }
        self.keep_no_group(&name);
        self.groups.remove(position).retire(&self.services);
        self.index();
        self.services.bus.notify(Event::GroupRemoved(name));
        Ok(())
    }
}
