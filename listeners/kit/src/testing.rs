//! Stand-ins for tests of listeners: a [`Daemon`] that sends events and sees the answers, events written by hand, and a
//! supervisor that is a list.

mod daemon;

pub use daemon::{Daemon, DaemonError};

use std::collections::HashMap;

use client::{CallError, ProcessInfo};
use protocol::listener::{EventHeader, payload_len};
use protocol::states::ProcessState;
use protocol::xmlrpc::FaultValue;

use crate::Supervisor;

/// An event as supervisord sends it.
pub fn envelope(eventname: &str, payload: &str) -> String {
    let header = EventHeader {
        server: "supervisor",
        serial: 1,
        pool: "listener",
        poolserial: 1,
        eventname,
        len: payload_len(payload),
    };
    format!("{header}\n{payload}")
}

/// A process of `group` in `state`, started 100 seconds ago; only a RUNNING one has a pid.
pub fn process(group: &str, name: &str, state: ProcessState, pid: i32) -> ProcessInfo {
    ProcessInfo {
        name: name.into(),
        group: group.into(),
        state: state.code(),
        statename: state.name().into(),
        start: 1_000,
        now: 1_100,
        pid,
        ..ProcessInfo::default()
    }
}

/// A supervisor that knows a list of processes and writes down what it was asked.
#[derive(Debug, Default)]
pub struct FakeSupervisor {
    /// What it reports; `None`: it cannot be reached.
    pub processes: Option<Vec<ProcessInfo>>,
    /// Calls it refuses, as `stop name` or `start name`, with the fault's text. The code is 70.
    pub refusals: HashMap<String, String>,
    /// The calls it got, as `list`, `stop name` and `start name`.
    pub calls: Vec<String>,
}

impl FakeSupervisor {
    /// A supervisor of these processes.
    pub fn of(processes: impl Into<Vec<ProcessInfo>>) -> Self {
        Self {
            processes: Some(processes.into()),
            ..Self::default()
        }
    }

    /// Makes it refuse a call.
    pub fn refusing(mut self, call: &str, text: &str) -> Self {
        self.refusals.insert(call.into(), text.into());
        self
    }

    fn answer(&mut self, call: String) -> Result<(), CallError> {
        let refusal = self.refusals.get(&call).cloned();
        self.calls.push(call);
        match refusal {
            Some(text) => Err(FaultValue { code: 70, text }.into()),
            None => Ok(()),
        }
    }
}

impl Supervisor for FakeSupervisor {
    fn processes(&mut self) -> Result<Vec<ProcessInfo>, CallError> {
        self.calls.push("list".into());
        self.processes.clone().ok_or(CallError::Refused)
    }

    fn stop(&mut self, name: &str) -> Result<(), CallError> {
        self.answer(format!("stop {name}"))
    }

    fn start(&mut self, name: &str) -> Result<(), CallError> {
        self.answer(format!("start {name}"))
    }
}
