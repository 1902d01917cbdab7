//! Children that have come to the keeper: reaped when their time has come, stopped or killed.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::super::wire::Ending;
use super::{Host, ending};
use crate::sys::wait::{self, ExitStatus, Glance};
use crate::sys::{clock, packets, parent, signal};

/// How long programs may take to stop.
const STOP: Duration = Duration::from_secs(10);

/// How long those may take to go that have been killed: the kernel may be busy with them.
const DIE: Duration = Duration::from_secs(10);

/// How often it is looked whether they have gone.
const LOOK: Duration = Duration::from_millis(10);

/// Children that a record is about and that a daemon has left, by pid.
#[derive(Debug, Default)]
pub(super) struct Adopted(BTreeMap<i32, Stage>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Alive,
    Ended { ending: Ending, is_told: bool },
}

impl Adopted {
    /// No record names it any more: if it has ended, its pid may go.
    pub(super) fn release(&mut self, pid: i32) {
        if self.0.remove(&pid).is_some() {
            wait::collect(Pid::from_raw(pid));
        }
    }

    /// There is an end that no daemon knows of.
    pub(super) fn has_untold(&self) -> bool {
        self.0
            .values()
            .any(|stage| matches!(stage, Stage::Ended { is_told: false, .. }))
    }

    /// A new daemon knows nothing.
    pub(super) fn all_untold(&mut self) {
        for stage in self.0.values_mut() {
            if let Stage::Ended { is_told, .. } = stage {
                *is_told = false;
            }
        }
    }

    /// Notes those down that have ended.
    fn look(&mut self) {
        for (pid, stage) in &mut self.0 {
            if *stage == Stage::Alive
                && let Glance::Ended(child) = wait::glance(Pid::from_raw(*pid))
            {
                *stage = Stage::ended(ending(&child));
            }
        }
    }
}

impl Stage {
    fn ended(ending: Ending) -> Self {
        Self::Ended {
            ending,
            is_told: false,
        }
    }
}

impl Host {
    /// Takes over the children of a daemon that has died.
    pub(super) fn adopt(&mut self) {
        for pid in self.store.pids() {
            let stage = match wait::glance(Pid::from_raw(pid)) {
                Glance::Alive => Stage::Alive,
                Glance::Ended(child) => Stage::ended(ending(&child)),
                // The daemon has reaped it, and may not have come to say how it ended.
                Glance::Stranger => Stage::ended(self.store.reaped(pid).unwrap_or(Ending {
                    pid,
                    status: ExitStatus::LOST.raw(),
                    peak_memory: 0,
                    cpu: Duration::ZERO,
                    at: clock::monotonic(),
                })),
            };
            self.adopted.0.entry(pid).or_insert(stage);
        }
    }

    /// Notes ends down, and reaps those whom no record is about.
    pub(super) fn look_after_children(&mut self) {
        self.adopted.look();
        while let Some(pid) = wait::any_ended() {
            let is_daemon = self.life.as_ref().is_some_and(|life| life.pid == pid);
            if is_daemon || self.store.names(pid.as_raw()) {
                // Looked at again when that one has gone.
                return;
            }
            wait::collect(pid);
        }
    }

    /// Tells the daemon of ends, as far as it takes them.
    pub(super) fn tell(&mut self) {
        let Some(life) = &self.life else { return };
        for stage in self.adopted.0.values_mut() {
            if let Stage::Ended { ending, is_told } = stage
                && !*is_told
            {
                match packets::send(life.line.as_fd(), &ending.tell(), &[]) {
                    Ok(()) => *is_told = true,
                    Err(_) => return,
                }
            }
        }
    }

    /// Stops the programs that records are about: SIGTERM, and SIGKILL for those that take too long.
    pub(super) fn stop_programs(&mut self) {
        self.adopt();
        self.signal_living(libc::SIGTERM);
        if !self.all_end_within(STOP) {
            self.signal_living(libc::SIGKILL);
            self.all_end_within(DIE);
        }
        while let Some(pid) = wait::any_ended() {
            wait::collect(pid);
        }
    }

    fn signal_living(&self, number: i32) {
        let living = self.adopted.0.iter();
        let living = living.filter(|(_, stage)| **stage == Stage::Alive);
        for (pid, _) in living {
            // It has not been reaped.
            let _ = signal::kill(Pid::from_raw(*pid), number);
        }
    }

    fn all_end_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            self.adopted.look();
            if !self.adopted.0.values().any(|it| *it == Stage::Alive) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(LOOK);
        }
    }

    /// Kills every descendant: who loses the parent comes here.
    pub(super) fn kill_everything(&self) {
        let deadline = Instant::now() + DIE;
        while Instant::now() < deadline {
            let recorded = self.store.pids().map(Pid::from_raw);
            let recorded = recorded.filter(|pid| wait::glance(*pid) != Glance::Stranger);
            let children: Vec<Pid> = parent::children().into_iter().chain(recorded).collect();
            if children.is_empty() {
                return;
            }
            for pid in &children {
                let _ = signal::kill(*pid, libc::SIGKILL);
            }
            thread::sleep(Duration::from_millis(1));
            wait::reap().for_each(drop);
        }
    }
}
