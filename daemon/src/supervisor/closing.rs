//! Shutting down and restarting: groups one after another, the highest priority number first.

use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{ActorContext, AsyncContext, Context, Handler, Message};
use config::model::Config;
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use protocol::events::Event;
use protocol::faults::Fault;
use protocol::states::DaemonState;
use tokio::time::timeout;

use super::actor::Supervisor;
use super::messages::{Restart, Shutdown};
use crate::pool::Finish;
use crate::process::messages::{Close, Freeze, ReopenLogs};

/// How often the log names those who are still waited for.
const REPORT: Duration = Duration::from_secs(3);

/// How long listeners that are to be stopped may take for the events they still have, the shutdown
/// itself among them.
const LAST_EVENTS: Duration = Duration::from_secs(1);

/// How a supervisor ended.
#[derive(Debug)]
pub enum Outcome {
    /// The daemon is to exit.
    Exit,
    /// The daemon is to begin again with this configuration.
    Restart(Box<Config>),
}

/// A signal to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum OsSignal {
    /// SIGTERM, SIGINT or SIGQUIT, by name: exit.
    Exit(&'static str),
    /// SIGHUP: restart.
    Hangup,
    /// SIGUSR1: go on as the program that is installed now.
    Upgrade,
    /// SIGUSR2: reopen logs.
    ReopenLogs,
    /// SIGCHLD: reap.
    Child,
}

impl OsSignal {
    /// Its number.
    pub fn number(self) -> i32 {
        let signal = match self {
            Self::Exit("SIGINT") => Signal::SIGINT,
            Self::Exit("SIGQUIT") => Signal::SIGQUIT,
            Self::Exit(_) => Signal::SIGTERM,
            Self::Hangup => Signal::SIGHUP,
            Self::Upgrade => Signal::SIGUSR1,
            Self::ReopenLogs => Signal::SIGUSR2,
            Self::Child => Signal::SIGCHLD,
        };
        signal as i32
    }
}

impl Supervisor {
    /// Goes down with this state in mind. A shutdown during a restart turns it into a shutdown.
    fn close(&mut self, state: DaemonState, ctx: &mut Context<Self>) {
        let closing_already = self.state != DaemonState::Running;
        if closing_already {
            if state == DaemonState::Shutdown {
                self.state = state;
                self.services.keeper.is_closing(false);
            }
            return;
        }
        self.state = state;
        let restarts = state == DaemonState::Restarting;
        self.services.keeper.is_closing(restarts);
        self.services.bus.notify(Event::SupervisorStopping);
        for group in &self.groups {
            group
                .members
                .iter()
                .for_each(|member| member.addr.do_send(Freeze));
        }
        self.report_unstopped();
        ctx.run_interval(REPORT, |supervisor, _| supervisor.report_unstopped());
        let closed = wrap_future::<_, Self>(self.close_groups());
        ctx.spawn(closed.map(|(), supervisor, ctx| {
            supervisor.finish();
            ctx.stop();
        }));
    }

    fn close_groups(&self) -> impl Future<Output = ()> + 'static {
        let groups = self.groups_by_priority().into_iter().rev();
        let groups: Vec<_> = groups
            .map(|group| (group.pool.clone(), group.by_priority()))
            .collect();
        async move {
            for (pool, members) in groups {
                if let Some(pool) = pool {
                    // Whether it has finished or not, its time is up.
                    let _ = timeout(LAST_EVENTS, pool.send(Finish)).await;
                }
                let closing = members.iter().rev().map(|member| member.addr.send(Close));
                join_all(closing).await;
            }
        }
    }

    fn report_unstopped(&self) {
        let unstopped: Vec<&str> = self
            .groups
            .iter()
            .flat_map(|group| &group.members)
            .filter(|member| !member.status.state().is_stopped())
            .map(|member| member.config.name.as_str())
            .collect();
        if !unstopped.is_empty() {
            let names = unstopped.join(", ");
            let log = &self.services.log;
            log.info(format_args!("waiting for {names} to die"));
        }
    }

    fn finish(&mut self) {
        let outcome = match (self.state, self.next.take()) {
            (DaemonState::Restarting, Some(config)) => Outcome::Restart(config),
            _ => Outcome::Exit,
        };
        if let Some(sender) = self.outcome.take() {
            // The receiver is the daemon's main future; without it there is nothing left to end.
            let _ = sender.send(outcome);
        }
    }

    /// Restarts if the configuration can be read; otherwise everything goes on as it is.
    fn restart(&mut self, ctx: &mut Context<Self>) -> Result<(), Fault> {
        if self.state == DaemonState::Running {
            let config = self.load().inspect_err(|fault| {
                let log = &self.services.log;
                log.error(format_args!(
                    "not restarting, the configuration is invalid: {fault}"
                ));
            })?;
            self.next = Some(Box::new(config));
        }
        self.close(DaemonState::Restarting, ctx);
        Ok(())
    }

    fn hangup(&mut self, ctx: &mut Context<Self>) {
        let log = &self.services.log;
        if self.state == DaemonState::Shutdown {
            return log.warn("ignored SIGHUP indicating restart request (shutdown in progress)");
        }
        log.warn("received SIGHUP indicating restart request");
        // Refused: said in the log, and there is nobody else to tell.
        let _ = self.restart(ctx);
    }

    fn reopen_logs(&self) {
        let log = &self.services.log;
        log.info("received SIGUSR2 indicating log reopen request");
        log.info("supervisord logreopen");
        if let Err(error) = log.reopen() {
            log.critical(format_args!("cannot reopen the activity log: {error}"));
        }
        for member in self.groups.iter().flat_map(|group| &group.members) {
            member.addr.do_send(ReopenLogs);
        }
    }
}

impl Handler<Shutdown> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: Shutdown, ctx: &mut Context<Self>) {
        self.close(DaemonState::Shutdown, ctx);
    }
}

impl Handler<Restart> for Supervisor {
    type Result = Result<(), Fault>;

    fn handle(&mut self, _: Restart, ctx: &mut Context<Self>) -> Self::Result {
        self.restart(ctx)
    }
}

impl Handler<OsSignal> for Supervisor {
    type Result = ();

    fn handle(&mut self, signal: OsSignal, ctx: &mut Context<Self>) {
        if self.services.gate.is_closed() {
            self.deferred.push(signal);
            return;
        }
        let log = &self.services.log;
        match signal {
            OsSignal::Exit(name) => {
                log.warn(format_args!("received {name} indicating exit request"));
                self.close(DaemonState::Shutdown, ctx);
            }
            OsSignal::Hangup => self.hangup(ctx),
            OsSignal::Upgrade => {
                log.info("received SIGUSR1 indicating upgrade request");
                self.request_upgrade();
            }
            OsSignal::ReopenLogs => self.reopen_logs(),
            OsSignal::Child => {
                log.debug("received SIGCHLD indicating a child quit");
                let dead = self.services.children.reap(log);
                let pass = self.services.gate.pass();
                actix::spawn(async move {
                    dead.tell().await;
                    drop(pass);
                });
            }
        }
    }
}
