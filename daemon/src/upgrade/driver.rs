//! The way from a request to execve(2), and back if that fails.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix::Addr;
use futures_util::future::{Either, join_all, select};
use nix::errno::Errno;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use super::state::State;
use super::{Continue, Ping, Program, TakeSnapshot, UpgradeRequest, examination, handover};
use crate::http::{Resting, Servers, Socket};
use crate::process::Services;
use crate::supervisor::Supervisor;
use crate::supervisor::snapshot::{Crew, Muster, TakeSignals, UpgradeFailed};
use crate::sys::handover::memory_file;
use crate::sys::signal;

/// How long calls that are under way may take to come to their end.
const CALLS: Duration = Duration::from_secs(10);

/// How long it may take to tell owners of the end of their children, and the like.
const CHORES: Duration = Duration::from_secs(5);

/// An event that goes from one listener to the next because each has closed its input takes a round
/// each; so many are waited for.
const MOST_ROUNDS: usize = 8;

/// Why the daemon goes on as it is.
#[derive(Debug, Error)]
pub enum UpgradeError {
    /// There is something that cannot be written down.
    #[error("the state cannot be written down: {0}")]
    State(#[from] serde_json::Error),
    /// No memory, descriptor or process is left.
    #[error("out of resources: {0}")]
    Resources(io::Error),
    /// The new program cannot go on, or is none.
    #[error("{program} refuses: {reason}")]
    Refused {
        /// Its path.
        program: String,
        /// What it said.
        reason: String,
    },
    /// It goes down.
    #[error("a shutdown is under way")]
    GoingDown,
    /// There is always something under way.
    #[error("the daemon does not come to rest")]
    Restless,
    /// The last step.
    #[error("cannot execute {program}: {errno}")]
    Execute {
        /// The new program's path.
        program: String,
        /// Why not.
        errno: Errno,
    },
}

impl UpgradeError {
    pub(super) fn refused(program: &Program, reason: &str) -> Self {
        Self::Refused {
            program: program.path.display().to_string(),
            reason: reason.to_owned(),
        }
    }
}

/// Replaces the daemon.
pub struct Driver {
    /// What all processes use.
    pub services: Rc<Services>,
    /// Who has the groups.
    pub supervisor: Addr<Supervisor>,
    /// What to become.
    pub program: Program,
    /// What relative paths mean.
    pub start_dir: PathBuf,
    /// The pidfile is ours.
    pub pidfile: bool,
}

impl Driver {
    /// Waits for the end of the supervisor, and meanwhile does as those wish who ask for an upgrade.
    pub async fn serve_wishes<T>(
        &self,
        mut wishes: mpsc::UnboundedReceiver<UpgradeRequest>,
        mut outcome: oneshot::Receiver<T>,
        mut servers: Servers,
        again: impl Fn(Vec<Socket>, Vec<Resting>) -> io::Result<Servers>,
    ) -> (Result<T, oneshot::error::RecvError>, Servers) {
        loop {
            let wish = match select(&mut outcome, pin!(wishes.recv())).await {
                Either::Left((outcome, _)) => return (outcome, servers),
                Either::Right((None, _)) => return (outcome.await, servers),
                Either::Right((Some(wish), _)) => wish,
            };
            let error = match self.preflight(&servers).await {
                Ok(_) => {
                    // Nobody may be waiting for it.
                    let _ = wish.send(Ok(()));
                    let error = self.replace(&mut servers).await;
                    servers = self.serve_again(servers, &again);
                    error
                }
                Err(error) => {
                    let _ = wish.send(Err(error.to_string()));
                    error
                }
            };
            self.give_up(&error).await;
        }
    }

    fn serve_again(
        &self,
        servers: Servers,
        again: impl Fn(Vec<Socket>, Vec<Resting>) -> io::Result<Servers>,
    ) -> Servers {
        let (sockets, connections) = servers.into_parts();
        let served = again(sockets, connections);
        served.unwrap_or_else(|error| {
            let log = &self.services.log;
            log.critical(format_args!("cannot serve any more: {error}"));
            Servers::default()
        })
    }

    /// Lets the new program look at the state as it is now. Nothing is stopped; its version.
    ///
    /// # Errors
    /// It cannot go on with this state, or is no such program.
    async fn preflight(&self, servers: &Servers) -> Result<String, UpgradeError> {
        let document = self.state(servers, unix_now(), false).await?.write()?;
        examination::ask(&self.program, &document, &self.services.children).await
    }

    /// Brings everything to rest and becomes the new program. Returns only if that fails; then all
    /// goes on, but `servers`, which rest.
    async fn replace(&self, servers: &mut Servers) -> UpgradeError {
        let path = self.program.path.display();
        let log = &self.services.log;
        log.info(format_args!("upgrading in place: going on as {path}"));
        servers.rest(&self.services.gate, CALLS).await;
        let Err(error) = self.try_to_replace(servers).await;
        error
    }

    /// What failed is told, and whoever rests goes on.
    async fn give_up(&self, error: &UpgradeError) {
        let Services { log, gate, bus, .. } = &*self.services;
        log.critical(format_args!("not upgraded, the daemon goes on: {error}"));
        gate.close(false);
        // It cannot fail in a way that it did not when they were held.
        let _ = signal::let_go();
        bus.carry_on();
        if let Ok(Some(crew)) = self.supervisor.send(Muster).await {
            crew.processes.iter().for_each(|it| it.do_send(Continue));
            crew.pools.iter().for_each(|it| it.do_send(Continue));
        }
        self.supervisor.do_send(UpgradeFailed(error.to_string()));
    }

    async fn try_to_replace(
        &self,
        servers: &Servers,
    ) -> Result<std::convert::Infallible, UpgradeError> {
        self.close_gate().await?;
        let begun = unix_now();
        signal::hold().map_err(|errno| UpgradeError::Resources(errno.into()))?;
        let crew = self.supervisor.send(Muster).await.ok().flatten();
        let crew = crew.ok_or(UpgradeError::GoingDown)?;
        self.settle(&crew).await;
        let state = self.state(servers, begun, true).await?;
        let document = state.write()?;
        let file = memory_file(&document).map_err(UpgradeError::Resources)?;
        handover::pass_on(&self.program, &file, &state.descriptors())
    }

    /// Lets nothing begin by itself any more, in a moment when nothing is under way.
    async fn close_gate(&self) -> Result<(), UpgradeError> {
        let gate = &self.services.gate;
        for _ in 0..MOST_ROUNDS {
            let at_rest = gate.idle(CHORES).await;
            if at_rest && gate.close_if_idle() {
                return Ok(());
            }
        }
        Err(UpgradeError::Restless)
    }

    /// Waits until every mailbox is empty, and signals that have come are noted down.
    async fn settle(&self, crew: &Crew) {
        let bus = &self.services.bus;
        bus.snapshot(true).await;
        for _ in 0..2 + crew.largest_pool.min(MOST_ROUNDS) {
            // Whoever is not there any more has nothing in the mailbox.
            join_all(crew.processes.iter().map(|it| it.send(Ping))).await;
            bus.settle().await;
            join_all(crew.pools.iter().map(|it| it.send(Ping))).await;
        }
        // The event loop looks for signals every 61 turns at the latest.
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
    }

    async fn state(
        &self,
        servers: &Servers,
        begun: Duration,
        is_last: bool,
    ) -> Result<State, UpgradeError> {
        let Services {
            log,
            bus,
            fcgi,
            abandoned,
            ..
        } = &*self.services;
        let gone = |_| UpgradeError::GoingDown;
        let supervisor = self.supervisor.send(TakeSnapshot::new(is_last)).await;
        let signals = self.supervisor.send(TakeSignals).await.map_err(gone)?;
        let last = self
            .supervisor
            .send(crate::supervisor::messages::GetLastUpgrade);
        Ok(State {
            program: self.program.path.clone(),
            start_dir: self.start_dir.clone(),
            begun,
            upgrades: last.await.map_err(gone)?.number,
            supervisor: supervisor.map_err(gone)?,
            bus: bus.snapshot(is_last).await,
            log: log.unsent(),
            servers: servers.snapshot(),
            connections: servers.connections(),
            hosts: fcgi.hosts(),
            abandoned: abandoned.counts(),
            signals,
            pidfile: self.pidfile,
            keeper: self.services.keeper.descriptor(),
        })
    }
}

/// The time since the epoch, which only labels.
pub(super) fn unix_now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}
