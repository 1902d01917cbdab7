//! What the samples of processes and pools are.

use protocol::listener::ListenerState;
use protocol::states::ProcessState;

use super::families::{Family, Id};
use super::text::{Text, labels};
use crate::supervisor::messages::{PoolInfo, ProcessInfo};
use crate::vitals::{Detail, Pace, Units, Usage, usage_of};

/// A process, its labels ready.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) info: ProcessInfo,
    usage: Option<Usage>,
    labels: String,
}

/// Looks at every process.
pub(super) async fn rows(infos: Vec<ProcessInfo>, detail: Detail, pace: &mut Pace) -> Vec<Row> {
    let units = Units::of_this_machine();
    let mut rows = Vec::with_capacity(infos.len());
    for info in infos {
        let (group, name) = (&info.config.group, &info.config.name);
        rows.push(Row {
            labels: labels(&[("group", group), ("name", name)]),
            usage: (info.pid != 0)
                .then(|| usage_of(info.pid, units, detail).ok())
                .flatten(),
            info,
        });
        pace.breathe().await;
    }
    rows
}

impl Row {
    /// Writes what a family has of the process, at Unix time `now`.
    pub(super) fn write(&self, text: &mut Text, family: &Family, now: i64) {
        let Self {
            info,
            usage,
            labels,
        } = self;
        let record = &info.record;
        let mut one = |value: &dyn std::fmt::Display| text.sample(family, labels, value);
        match family.id {
            Id::Up => one(&u8::from(info.state == ProcessState::Running)),
            Id::ProcessState => one(&info.state.code()),
            Id::ProcessStart if info.start > 0 => one(&info.start),
            Id::Uptime => one(&match info.pid {
                0 => 0,
                _ => now.saturating_sub(info.start).max(0),
            }),
            Id::ExitStatus => one(&info.exitstatus),
            Id::Starts => one(&record.starts),
            Id::Restarts => one(&record.starts.saturating_sub(1)),
            Id::FailedStarts => one(&record.failed_starts),
            Id::Exits => {
                for (cause, count) in record.ends() {
                    let labels = self.labels_and("cause", cause.name());
                    text.sample(family, &labels, count);
                }
            }
            Id::LastExit => record.last_end.iter().for_each(|end| one(&end.at)),
            Id::PeakMemory => record.last_end.iter().for_each(|end| one(&end.peak_memory)),
            Id::LogBytes => {
                let (stdout, stderr) = info.logged;
                for (channel, bytes) in [("stdout", stdout), ("stderr", stderr)] {
                    text.sample(family, &self.labels_and("channel", channel), bytes);
                }
            }
            Id::Memory => usage.iter().for_each(|usage| one(&usage.memory)),
            Id::Cpu => usage.iter().for_each(|usage| one(&usage.cpu.as_secs_f64())),
            Id::Descriptors => {
                let count = usage.and_then(|usage| usage.descriptors);
                count.iter().for_each(|count| one(count));
            }
            // A process that was never started, and what is not about processes.
            _ => {}
        }
    }

    /// Its labels and one more.
    fn labels_and(&self, name: &str, value: &str) -> String {
        let labels = self.labels.strip_suffix('}').unwrap_or(&self.labels);
        format!("{labels},{name}=\"{value}\"}}")
    }
}

/// Writes what a family has of a pool.
pub(super) fn write_pool(text: &mut Text, family: &Family, pool: &PoolInfo) {
    let name = ("pool", pool.name.as_str());
    let value = match family.id {
        Id::Backlog => pool.buffered,
        Id::BacklogBytes => pool.bytes,
        Id::Oldest => pool.oldest,
        Id::Resting => pool.resting,
        Id::InFlight => pool.in_flight,
        Id::Delivered => pool.tally.delivered,
        Id::Rejected => pool.tally.rejected,
        Id::Discarded => pool.tally.discarded,
        Id::DiskFailed => pool.disk_failed.into(),
        Id::Handling => {
            let labels = labels(&[name]);
            let handling = pool.handling;
            text.suffixed(family, "_sum", &labels, handling.time.as_secs_f64());
            text.suffixed(family, "_count", &labels, handling.count);
            return;
        }
        Id::Listeners => {
            for state in LISTENER_STATES {
                let listeners = pool.listeners.iter();
                let count = listeners.filter(|listener| listener.state == state).count();
                text.sample(family, &labels(&[name, ("state", state.name())]), count);
            }
            return;
        }
        // About something else.
        _ => return,
    };
    text.sample(family, &labels(&[name]), value);
}

const LISTENER_STATES: [ListenerState; 4] = [
    ListenerState::Ready,
    ListenerState::Busy,
    ListenerState::Acknowledged,
    ListenerState::Unknown,
];
