//! Event types, their family tree, and the exact payload of each.
//!
//! Supervisor's event notification protocol, version 3.0: <http://supervisord.org/events.html>.

use std::fmt::{self, Write as _};

use crate::states::ProcessState;

/// A type an event can have or a listener can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the wire names, in Rust's spelling
#[repr(u8)]
pub enum EventType {
    Event,
    ProcessState,
    ProcessStateStopped,
    ProcessStateStarting,
    ProcessStateRunning,
    ProcessStateBackoff,
    ProcessStateStopping,
    ProcessStateExited,
    ProcessStateFatal,
    ProcessStateUnknown,
    ProcessLog,
    ProcessLogStdout,
    ProcessLogStderr,
    ProcessCommunication,
    ProcessCommunicationStdout,
    ProcessCommunicationStderr,
    RemoteCommunication,
    SupervisorStateChange,
    SupervisorStateChangeRunning,
    SupervisorStateChangeStopping,
    Tick,
    Tick5,
    Tick60,
    Tick3600,
    ProcessGroup,
    ProcessGroupAdded,
    ProcessGroupRemoved,
}

/// One row per type: the type, its wire name, its parent.
const TREE: [(EventType, &str, Option<EventType>); EventType::COUNT] = {
    use EventType::*;
    [
        (Event, "EVENT", None),
        (ProcessState, "PROCESS_STATE", Some(Event)),
        (
            ProcessStateStopped,
            "PROCESS_STATE_STOPPED",
            Some(ProcessState),
        ),
        (
            ProcessStateStarting,
            "PROCESS_STATE_STARTING",
            Some(ProcessState),
        ),
        (
            ProcessStateRunning,
            "PROCESS_STATE_RUNNING",
            Some(ProcessState),
        ),
        (
            ProcessStateBackoff,
            "PROCESS_STATE_BACKOFF",
            Some(ProcessState),
        ),
        (
            ProcessStateStopping,
            "PROCESS_STATE_STOPPING",
            Some(ProcessState),
        ),
        (
            ProcessStateExited,
            "PROCESS_STATE_EXITED",
            Some(ProcessState),
        ),
        (ProcessStateFatal, "PROCESS_STATE_FATAL", Some(ProcessState)),
        (
            ProcessStateUnknown,
            "PROCESS_STATE_UNKNOWN",
            Some(ProcessState),
        ),
        (ProcessLog, "PROCESS_LOG", Some(Event)),
        (ProcessLogStdout, "PROCESS_LOG_STDOUT", Some(ProcessLog)),
        (ProcessLogStderr, "PROCESS_LOG_STDERR", Some(ProcessLog)),
        (ProcessCommunication, "PROCESS_COMMUNICATION", Some(Event)),
        (
            ProcessCommunicationStdout,
            "PROCESS_COMMUNICATION_STDOUT",
            Some(ProcessCommunication),
        ),
        (
            ProcessCommunicationStderr,
            "PROCESS_COMMUNICATION_STDERR",
            Some(ProcessCommunication),
        ),
        (RemoteCommunication, "REMOTE_COMMUNICATION", Some(Event)),
        (
            SupervisorStateChange,
            "SUPERVISOR_STATE_CHANGE",
            Some(Event),
        ),
        (
            SupervisorStateChangeRunning,
            "SUPERVISOR_STATE_CHANGE_RUNNING",
            Some(SupervisorStateChange),
        ),
        (
            SupervisorStateChangeStopping,
            "SUPERVISOR_STATE_CHANGE_STOPPING",
            Some(SupervisorStateChange),
        ),
        (Tick, "TICK", Some(Event)),
        (Tick5, "TICK_5", Some(Tick)),
        (Tick60, "TICK_60", Some(Tick)),
        (Tick3600, "TICK_3600", Some(Tick)),
        (ProcessGroup, "PROCESS_GROUP", Some(Event)),
        (ProcessGroupAdded, "PROCESS_GROUP_ADDED", Some(ProcessGroup)),
        (
            ProcessGroupRemoved,
            "PROCESS_GROUP_REMOVED",
            Some(ProcessGroup),
        ),
    ]
};

impl EventType {
    /// How many types there are.
    pub const COUNT: usize = 27;

    /// Every type, parents before children.
    pub fn all() -> impl Iterator<Item = Self> {
        TREE.iter().map(|row| row.0)
    }

    /// The name in `events=` and in `eventname:`.
    pub const fn name(self) -> &'static str {
        TREE[self as usize].1
    }

    /// The type this one is a kind of.
    pub const fn parent(self) -> Option<Self> {
        TREE[self as usize].2
    }

    /// The type of this name, in capitals as on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|event| event.name() == name)
    }

    /// The event a process raises on entering `state`.
    pub const fn entering(state: ProcessState) -> Self {
        match state {
            ProcessState::Stopped => Self::ProcessStateStopped,
            ProcessState::Starting => Self::ProcessStateStarting,
            ProcessState::Running => Self::ProcessStateRunning,
            ProcessState::Backoff => Self::ProcessStateBackoff,
            ProcessState::Stopping => Self::ProcessStateStopping,
            ProcessState::Exited => Self::ProcessStateExited,
            ProcessState::Fatal => Self::ProcessStateFatal,
            ProcessState::Unknown => Self::ProcessStateUnknown,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of event types; holding a type means holding its whole branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventSet(u32);

impl EventSet {
    /// Adds a type. Overlapping subscriptions are one subscription.
    pub fn insert(&mut self, event: EventType) {
        self.0 |= 1 << event as u8;
    }

    /// Whether an event of this type is wanted, by its own name or an ancestor's.
    pub fn wants(self, event: EventType) -> bool {
        let mut next = Some(event);
        while let Some(this) = next {
            if self.0 & (1 << this as u8) != 0 {
                return true;
            }
            next = this.parent();
        }
        false
    }

    /// Everything in either set.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<EventType> for EventSet {
    fn from_iter<I: IntoIterator<Item = EventType>>(events: I) -> Self {
        let mut set = Self::default();
        for event in events {
            set.insert(event);
        }
        set
    }
}

/// An output channel of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Channel {
    /// `stdout` or `stderr`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a state event says besides the two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateDetail {
    /// STARTING and BACKOFF: failed starts so far.
    Tries(u32),
    /// RUNNING, STOPPING and STOPPED: the pid, 0 if there was none.
    Pid(i32),
    /// EXITED: whether `exitcodes` lists the status, and the pid that ended.
    Exit {
        /// The status is one of `exitcodes`.
        expected: bool,
        /// The pid that ended.
        pid: i32,
    },
    /// FATAL and UNKNOWN: nothing.
    Nothing,
}

/// An event as it happened, before any pool has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A process changed state.
    ProcessState {
        /// Process name.
        process: String,
        /// Group name.
        group: String,
        /// State left.
        from: ProcessState,
        /// State entered.
        to: ProcessState,
        /// What else there is to say.
        detail: StateDetail,
    },
    /// A process wrote to a channel with `*_events_enabled`.
    ProcessLog {
        /// Process name.
        process: String,
        /// Group name.
        group: String,
        /// Its pid.
        pid: i32,
        /// Where it wrote.
        channel: Channel,
        /// What it wrote.
        data: String,
    },
    /// A process sent a tagged message in capture mode.
    ProcessCommunication {
        /// Process name.
        process: String,
        /// Group name.
        group: String,
        /// Its pid.
        pid: i32,
        /// Where it wrote.
        channel: Channel,
        /// The text between the tags.
        data: String,
    },
    /// Somebody called `sendRemoteCommEvent`.
    RemoteCommunication {
        /// The type given.
        kind: String,
        /// The data given.
        data: String,
    },
    /// The daemon is about to start its programs.
    SupervisorRunning,
    /// The daemon is about to stop or restart.
    SupervisorStopping,
    /// A period of wall-clock time began.
    Tick {
        /// [`EventType::Tick5`], [`EventType::Tick60`] or [`EventType::Tick3600`].
        period: EventType,
        /// Start of the period, Unix seconds.
        when: i64,
    },
    /// A group became active.
    GroupAdded(String),
    /// A group was removed.
    GroupRemoved(String),
}

impl Event {
    /// The concrete type.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::ProcessState { to, .. } => EventType::entering(*to),
            Self::ProcessLog { channel, .. } => match channel {
                Channel::Stdout => EventType::ProcessLogStdout,
                Channel::Stderr => EventType::ProcessLogStderr,
            },
            Self::ProcessCommunication { channel, .. } => match channel {
                Channel::Stdout => EventType::ProcessCommunicationStdout,
                Channel::Stderr => EventType::ProcessCommunicationStderr,
            },
            Self::RemoteCommunication { .. } => EventType::RemoteCommunication,
            Self::SupervisorRunning => EventType::SupervisorStateChangeRunning,
            Self::SupervisorStopping => EventType::SupervisorStateChangeStopping,
            Self::Tick { period, .. } => *period,
            Self::GroupAdded(_) => EventType::ProcessGroupAdded,
            Self::GroupRemoved(_) => EventType::ProcessGroupRemoved,
        }
    }

    /// The payload, exactly as it follows the header line.
    pub fn payload(&self) -> String {
        match self {
            Self::ProcessState {
                process,
                group,
                from,
                detail,
                ..
            } => state_payload(process, group, *from, *detail),
            Self::ProcessLog {
                process,
                group,
                pid,
                channel,
                data,
            } => format!(
                "processname:{process} groupname:{group} pid:{pid} channel:{channel}\n{data}"
            ),
            Self::ProcessCommunication {
                process,
                group,
                pid,
                data,
                ..
            } => format!("processname:{process} groupname:{group} pid:{pid}\n{data}"),
            Self::RemoteCommunication { kind, data } => format!("type:{kind}\n{data}"),
            Self::SupervisorRunning | Self::SupervisorStopping => String::new(),
            Self::Tick { when, .. } => format!("when:{when}"),
            Self::GroupAdded(group) | Self::GroupRemoved(group) => format!("groupname:{group}\n"),
        }
    }
}

fn state_payload(process: &str, group: &str, from: ProcessState, detail: StateDetail) -> String {
    let mut text = format!("processname:{process} groupname:{group} from_state:{from}");
    let written = match detail {
        StateDetail::Tries(tries) => write!(text, " tries:{tries}"),
        StateDetail::Pid(pid) => write!(text, " pid:{pid}"),
        StateDetail::Exit { expected, pid } => {
            write!(text, " expected:{} pid:{pid}", u8::from(expected))
        }
        StateDetail::Nothing => Ok(()),
    };
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_indexed_by_the_type() {
        for (index, row) in TREE.iter().enumerate() {
            assert_eq!(row.0 as usize, index);
            assert_eq!(EventType::from_name(row.1), Some(row.0));
        }
        assert_eq!(EventType::from_name("PROCESS_STATE_CHANGE"), None);
        assert_eq!(EventType::from_name(""), None);
    }

    #[test]
    fn a_parent_stands_for_its_branch() {
        let set: EventSet = [EventType::ProcessState, EventType::Tick60]
            .into_iter()
            .collect();
        assert!(set.wants(EventType::ProcessStateFatal));
        assert!(set.wants(EventType::Tick60));
        assert!(!set.wants(EventType::Tick5));
        assert!(!set.wants(EventType::ProcessLogStdout));
        let all: EventSet = [EventType::Event].into_iter().collect();
        assert!(EventType::all().all(|event| all.wants(event)));
    }

    fn state(to: ProcessState, detail: StateDetail) -> Event {
        Event::ProcessState {
            process: "p".into(),
            group: "g".into(),
            from: ProcessState::Starting,
            to,
            detail,
        }
    }

    #[test]
    fn payloads_are_exact() {
        let talk = Event::ProcessCommunication {
            process: "p".into(),
            group: "g".into(),
            pid: 7,
            channel: Channel::Stderr,
            data: "x\n".into(),
        };
        let log = Event::ProcessLog {
            process: "p".into(),
            group: "g".into(),
            pid: 7,
            channel: Channel::Stdout,
            data: "hi\n".into(),
        };
        let rows = [
            (
                state(ProcessState::Backoff, StateDetail::Tries(2)),
                "PROCESS_STATE_BACKOFF",
                "processname:p groupname:g from_state:STARTING tries:2",
            ),
            (
                state(ProcessState::Running, StateDetail::Pid(9)),
                "PROCESS_STATE_RUNNING",
                "processname:p groupname:g from_state:STARTING pid:9",
            ),
            (
                state(
                    ProcessState::Exited,
                    StateDetail::Exit {
                        expected: false,
                        pid: 9,
                    },
                ),
                "PROCESS_STATE_EXITED",
                "processname:p groupname:g from_state:STARTING expected:0 pid:9",
            ),
            (
                state(ProcessState::Fatal, StateDetail::Nothing),
                "PROCESS_STATE_FATAL",
                "processname:p groupname:g from_state:STARTING",
            ),
            (
                talk,
                "PROCESS_COMMUNICATION_STDERR",
                "processname:p groupname:g pid:7\nx\n",
            ),
            (
                log,
                "PROCESS_LOG_STDOUT",
                "processname:p groupname:g pid:7 channel:stdout\nhi\n",
            ),
            (
                Event::RemoteCommunication {
                    kind: "t".into(),
                    data: "d".into(),
                },
                "REMOTE_COMMUNICATION",
                "type:t\nd",
            ),
            (
                Event::SupervisorRunning,
                "SUPERVISOR_STATE_CHANGE_RUNNING",
                "",
            ),
            (
                Event::SupervisorStopping,
                "SUPERVISOR_STATE_CHANGE_STOPPING",
                "",
            ),
            (
                Event::Tick {
                    period: EventType::Tick5,
                    when: 1_795_260_000,
                },
                "TICK_5",
                "when:1795260000",
            ),
            (
                Event::GroupAdded("g".into()),
                "PROCESS_GROUP_ADDED",
                "groupname:g\n",
            ),
            (
                Event::GroupRemoved("g".into()),
                "PROCESS_GROUP_REMOVED",
                "groupname:g\n",
            ),
        ];
        for (event, name, payload) in rows {
            assert_eq!(event.event_type().name(), name);
            assert_eq!(event.payload(), payload);
        }
    }
}
