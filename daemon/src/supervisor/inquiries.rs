//! Questions that change nothing, and the events that clients raise.

use std::sync::Arc;

use actix::{Context, Handler, MessageResult, ResponseFuture};
use config::model::ActivityLog;
use futures_util::future::join_all;
use protocol::events::{Channel, Event};
use protocol::faults::{Fault, FaultCode};
use protocol::listener::ListenerState;
use protocol::states::ProcessState;

use super::actor::Supervisor;
use super::group::Member;
use super::messages::{
    ClearMainLog, ConfigInfo, DaemonInfo, GetAllConfig, GetAllInfo, GetAllPools, GetDaemon,
    GetInfo, GetPool, LocateLog, LocateMainLog, LogLocation, PoolInfo, ProcessInfo,
    SendRemoteEvent,
};
use crate::pool::{Inquire, SharedListenerState};
use crate::process::unix_now;

impl Supervisor {
    fn info(&self, member: &Member, now: i64) -> ProcessInfo {
        let status = member.status.get();
        let mut description = status.description(&member.config.name, now);
        let listener = member.listener.as_ref().map(SharedListenerState::get);
        if status.state == ProcessState::Running && listener == Some(ListenerState::Unknown) {
            description.push_str(", listener UNKNOWN");
        }
        ProcessInfo {
            description,
            config: Arc::clone(&member.config),
            state: status.state,
            pid: status.pid,
            start: status.start,
            stop: status.stop,
            now,
            spawnerr: status.spawnerr,
            exitstatus: status.exitstatus,
            record: status.record,
            logged: (
                member.logs.stdout_changes.written(),
                member.logs.stderr_changes.written(),
            ),
            stdout_logfile: member.logs.stdout.clone(),
            stderr_logfile: member.logs.stderr.clone(),
        }
    }

    fn logfile(&self) -> Option<Arc<std::path::PathBuf>> {
        match &self.config.daemon.logfile {
            ActivityLog::File(path) => Some(Arc::new(path.clone())),
            ActivityLog::Syslog => None,
        }
    }
}

impl Handler<GetInfo> for Supervisor {
    type Result = Result<ProcessInfo, Fault>;

    fn handle(&mut self, GetInfo(name): GetInfo, _: &mut Context<Self>) -> Self::Result {
        let member = self.find(&name)?;
        Ok(self.info(member, unix_now()))
    }
}

impl Handler<GetAllInfo> for Supervisor {
    type Result = MessageResult<GetAllInfo>;

    fn handle(&mut self, _: GetAllInfo, _: &mut Context<Self>) -> Self::Result {
        let now = unix_now();
        let member = |&(g, m): &(usize, usize)| self.groups.get(g)?.members.get(m);
        let members = self.by_name.iter().filter_map(member);
        MessageResult(members.map(|member| self.info(member, now)).collect())
    }
}

impl Handler<GetPool> for Supervisor {
    type Result = ResponseFuture<Result<PoolInfo, Fault>>;

    fn handle(&mut self, GetPool(name): GetPool, _: &mut Context<Self>) -> Self::Result {
        let pool = self.group(&name).and_then(|group| group.pool.clone());
        Box::pin(async move {
            let pool = pool.ok_or_else(|| FaultCode::BadName.about(&name))?;
            // A pool that has gone was removed this very moment.
            let info = pool.send(Inquire).await;
            info.map_err(|_| FaultCode::BadName.about(name))
        })
    }
}

impl Handler<GetAllPools> for Supervisor {
    type Result = ResponseFuture<Vec<PoolInfo>>;

    fn handle(&mut self, _: GetAllPools, _: &mut Context<Self>) -> Self::Result {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by(|a, b| a.config.name.cmp(&b.config.name));
        let pools = groups.into_iter().filter_map(|group| group.pool.as_ref());
        let infos = join_all(pools.map(|pool| pool.send(Inquire)));
        Box::pin(async { infos.await.into_iter().flatten().collect() })
    }
}

impl Handler<GetAllConfig> for Supervisor {
    type Result = MessageResult<GetAllConfig>;

    fn handle(&mut self, _: GetAllConfig, _: &mut Context<Self>) -> Self::Result {
        let mut infos = Vec::new();
        for group in &self.config.groups {
            let active = self.group(&group.name);
            for process in &group.processes {
                // A log path is known once this very configuration has become active.
                let member = active
                    .and_then(|active| active.member(&process.name))
                    .filter(|member| Arc::ptr_eq(&member.config, process));
                infos.push(ConfigInfo {
                    config: Arc::clone(process),
                    group_priority: group.priority,
                    inuse: active.is_some(),
                    stdout_logfile: member.and_then(|member| member.logs.stdout.clone()),
                    stderr_logfile: member.and_then(|member| member.logs.stderr.clone()),
                });
            }
        }
        infos.sort_by(|a, b| a.config.name.cmp(&b.config.name));
        MessageResult(infos)
    }
}

impl Handler<GetDaemon> for Supervisor {
    type Result = MessageResult<GetDaemon>;

    fn handle(&mut self, _: GetDaemon, _: &mut Context<Self>) -> Self::Result {
        MessageResult(DaemonInfo {
            state: self.state,
            pid: std::process::id().cast_signed(),
            identifier: Arc::clone(&self.identifier),
            logfile: self.logfile(),
        })
    }
}

impl Handler<SendRemoteEvent> for Supervisor {
    type Result = ();

    fn handle(&mut self, request: SendRemoteEvent, _: &mut Context<Self>) {
        let SendRemoteEvent { kind, data } = request;
        let event = Event::RemoteCommunication { kind, data };
        self.services.bus.notify(event);
    }
}

impl Handler<LocateLog> for Supervisor {
    type Result = Result<LogLocation, Fault>;

    fn handle(&mut self, request: LocateLog, _: &mut Context<Self>) -> Self::Result {
        let logs = &self.find(&request.name)?.logs;
        let (path, changes) = match request.channel {
            Channel::Stdout => (&logs.stdout, &logs.stdout_changes),
            Channel::Stderr => (&logs.stderr, &logs.stderr_changes),
        };
        Ok(LogLocation {
            path: path.clone(),
            changed: changes.subscribe(),
        })
    }
}

impl Handler<LocateMainLog> for Supervisor {
    type Result = MessageResult<LocateMainLog>;

    fn handle(&mut self, _: LocateMainLog, _: &mut Context<Self>) -> Self::Result {
        MessageResult(LogLocation {
            path: self.logfile(),
            changed: self.services.log.subscribe(),
        })
    }
}

impl Handler<ClearMainLog> for Supervisor {
    type Result = Result<(), Fault>;

    fn handle(&mut self, _: ClearMainLog, _: &mut Context<Self>) -> Self::Result {
        let exists = self.logfile().is_some_and(|path| path.exists());
        if !exists {
            return Err(FaultCode::NoFile.bare());
        }
        let log = &self.services.log;
        // Said to the log that goes, as in Supervisor 4.3.0: the new one is empty.
        log.info("reopening log file");
        log.clear().map_err(|_| FaultCode::Failed.bare())
    }
}
