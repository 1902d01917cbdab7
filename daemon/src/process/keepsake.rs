//! What of a process outlives the daemon: noted down at each change, before anything else happens.

use std::time::Duration;

use std::os::fd::RawFd;

use actix::Context;
use serde::{Deserialize, Serialize};

use super::actor::Process;
use super::lifecycle::{Input, Phase};
use super::snapshot::ProcessSnapshot;
use crate::keeper::Kept;
use crate::keeper::estate::process_key;
use crate::sys::clock;

/// A process as it was at some time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptProcess {
    /// On the monotonic clock.
    taken: Duration,
    #[serde(default)]
    is_listener: bool,
    process: ProcessSnapshot,
}

impl KeptProcess {
    /// The process at a later time, its descriptors by the numbers they have then.
    pub fn into_snapshot(self, descriptors: &[RawFd], now: Duration) -> ProcessSnapshot {
        let mut process = self.process;
        process.renumber(descriptors);
        process.grow_older(now.saturating_sub(self.taken));
        process.survive(self.is_listener);
        process
    }
}

impl Process {
    /// Has it noted down what the process is now.
    pub(super) fn keep(&mut self) {
        self.is_noted = true;
        if !self.services.keeper.keeps() {
            return;
        }
        let pid = self.machine.child().map_or(0, |child| child.pid);
        let kept = KeptProcess {
            taken: clock::monotonic(),
            is_listener: self.config.is_listener,
            process: self.keepsake(),
        };
        let descriptors: Vec<RawFd> = kept.process.descriptors().collect();
        let as_before = pid != 0 && self.kept_for == pid;
        self.kept_for = pid;
        // A path that is not UTF-8 cannot be written down; it does not come from a configuration.
        let Ok(body) = serde_json::to_vec(&kept) else {
            return;
        };
        self.services.keeper.put(&Kept {
            key: &self.key(),
            pid,
            body: &body,
            descriptors: (!as_before).then_some(&descriptors),
        });
    }

    /// The process exists no more.
    pub(super) fn keep_nothing(&self) {
        if self.services.keeper.keeps() {
            self.services.keeper.forget(&self.key());
        }
    }

    fn key(&self) -> Vec<u8> {
        process_key(&self.config.group, &self.config.name)
    }

    /// Does what was due when the daemon before this one died, or what its death makes necessary.
    pub(super) fn begin_again(&mut self, ctx: &mut Context<Self>) {
        if self.starts_again {
            match self.machine.phase {
                Phase::Stopped => self.start_if_due_again(ctx),
                _ => self.feed(Input::Stop, ctx),
            }
        }
    }

    /// Starts what was stopped to be started again.
    pub(super) fn start_if_due_again(&mut self, ctx: &mut Context<Self>) {
        if self.starts_again && self.machine.phase == Phase::Stopped {
            self.starts_again = false;
            self.feed(Input::Start, ctx);
        }
    }
}
