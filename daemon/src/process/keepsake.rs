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
    /// When a launch was under way, if one was: there may be a child that nobody has noted down.
    pub fn launched(&self) -> Option<Duration> {
        self.process.is_being_launched().then_some(self.taken)
    }

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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn aged(phase: &Value, is_listener: bool) -> Value {
        let mut process = serde_json::to_value(ProcessSnapshot::default()).unwrap();
        process["phase"] = phase.clone();
        process["timer"] = json!({"secs": 3, "nanos": 0});
        let kept = json!({
            "taken": {"secs": 10, "nanos": 0}, "is_listener": is_listener, "process": process, "invented later": 1
        });
        let kept: KeptProcess = serde_json::from_value(kept).unwrap();
        serde_json::to_value(kept.into_snapshot(&[], Duration::from_secs(12))).unwrap()
    }

    #[test]
    fn time_goes_by_in_the_absence_of_the_daemon() {
        let child = |seconds: u64| json!({"pid": 7, "age": {"secs": seconds, "nanos": 0}});
        let rows = [
            (json!({"running": child(5)}), json!({"running": child(7)})),
            (json!({"starting": child(0)}), json!({"starting": child(2)})),
            (json!({"stopping": child(5)}), json!({"stopping": child(7)})),
            (
                json!({"unknown": {"child": child(5), "stopping": true}}),
                json!({"unknown": {"child": child(7), "stopping": true}}),
            ),
            (json!("backoff"), json!("backoff")),
            (json!("fatal"), json!("fatal")),
            (
                json!({"exited": {"restarts": true}}),
                json!({"exited": {"restarts": true}}),
            ),
            (json!({"starting": null}), json!("stopped")),
        ];
        for (phase, expected) in rows {
            let snapshot = aged(&phase, false);
            assert_eq!(snapshot["phase"], expected);
            assert_eq!(snapshot["timer"], json!({"secs": 1, "nanos": 0}));
        }
    }
}
