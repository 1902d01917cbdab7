//! What the start has to do with the keeper.

use std::rc::Rc;

use actix::Addr;
use config::model::{Config, DaemonConfig, ProgramsOnDeath};

use super::{Instance, Prepared, StartupError};
use crate::http::{BoundServer, Servers};
use crate::keeper::estate::{DAEMON, KeptDaemon};
use crate::keeper::{Keeper, Kept, Side, split};
use crate::process::Services;
use crate::supervisor::Supervisor;
use crate::supervisor::messages::{GetLastUpgrade, Shutdown};

impl Instance {
    /// The line to the keeper, if there is one.
    pub(super) fn keeper(&self) -> Keeper {
        self.keeper.borrow().clone()
    }

    /// Puts a keeper above the daemon, if that is wanted. Does not return in the keeper.
    pub(super) fn split(
        &self,
        config: Config,
        prepared: Prepared,
    ) -> Result<(Config, Prepared), StartupError> {
        let mode = config.daemon.programs_on_death;
        if mode == ProgramsOnDeath::Leave {
            return Ok((config, prepared));
        }
        let start_dir = &self.command_line.start_dir;
        match split(mode, &self.program, start_dir).map_err(StartupError::Fork)? {
            Side::Daemon(keeper) => {
                self.keeper.replace(keeper);
                Ok((config, prepared))
            }
            Side::Keeper(host) => {
                // It needs nothing of all this, and there is one daemon to whom it belongs.
                let servers = prepared.servers.into_iter();
                servers.for_each(BoundServer::abandon);
                drop(config);
                host.run()
            }
        }
    }

    /// A round begins: nothing of the one before it counts, unless it goes on.
    pub(super) fn begin_to_keep(&self, daemon: &DaemonConfig, goes_on: bool) {
        let (mode, keeper) = (daemon.programs_on_death, self.keeper());
        keeper.set_mode(mode);
        if !goes_on {
            keeper.clear();
        }
        if !keeper.is_there() && mode != ProgramsOnDeath::Leave {
            self.log.warn(
                "programs_on_death needs a daemon that is started with it: it has no effect until then",
            );
        }
    }

    /// The daemon works: what it is is noted down, and its death has consequences.
    pub(super) async fn keep_daemon(
        &self,
        servers: &Servers,
        services: &Services,
        supervisor: &Addr<Supervisor>,
    ) {
        let keeper = &services.keeper;
        if keeper.keeps() {
            let upgrades = supervisor.send(GetLastUpgrade).await;
            let upgrades = upgrades.map_or(0, |last| last.number);
            let (servers, hosts) = (servers.snapshot(), services.fcgi.hosts());
            let kept = KeptDaemon::new(self.program.path.clone(), upgrades, servers, hosts);
            // A path that is not UTF-8 cannot be written down: such a daemon begins anew.
            if let Ok(body) = serde_json::to_vec(&kept) {
                keeper.put(&Kept {
                    key: DAEMON,
                    pid: 0,
                    body: &body,
                    descriptors: Some(&kept.descriptors()),
                });
            }
        }
        keeper.is_up();
    }
}

/// Hears what the keeper tells, and does without it when it has gone.
pub(super) async fn attend(services: Rc<Services>, supervisor: Addr<Supervisor>) {
    let Services {
        keeper,
        children,
        gate,
        log,
        ..
    } = &*services;
    keeper.attend(children, gate).await;
    match keeper.mode() {
        ProgramsOnDeath::Leave => {}
        ProgramsOnDeath::Keep => log.critical(
            "the keeper was killed: from now on programs are left alone if the daemon dies",
        ),
        ProgramsOnDeath::Kill => {
            log.critical("the keeper was killed: shutting down");
            supervisor.do_send(Shutdown);
        }
    }
    children.watch_strangers();
}
