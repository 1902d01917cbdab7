//! What `getProcessInfo` tells about a process.

use protocol::namespec::canonical;
use protocol::states::ProcessState;
use protocol::xmlrpc::Value;

use crate::CallError;

/// A process, as `getProcessInfo` and `getAllProcessInfo` describe it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessInfo {
    /// Name within the group.
    pub name: String,
    /// Name of the group.
    pub group: String,
    /// When it was last started; Unix seconds, 0: never.
    pub start: i32,
    /// When it last ended; Unix seconds, 0: never.
    pub stop: i32,
    /// The server's clock; Unix seconds.
    pub now: i32,
    /// Code of the state. A number: a newer server may have states of its own.
    pub state: i32,
    /// Name of the state.
    pub statename: String,
    /// Why the last start failed; empty if it did not.
    pub spawnerr: String,
    /// Exit status of the last run; 0 if there was none, -1 after a signal.
    pub exitstatus: i32,
    /// Path of the stdout log; empty if there is none.
    pub stdout_logfile: String,
    /// Path of the stderr log; empty if there is none.
    pub stderr_logfile: String,
    /// Process id; 0 when it does not run.
    pub pid: i32,
    /// A sentence about the state, for people.
    pub description: String,
}

impl ProcessInfo {
    /// Reads a struct as `getProcessInfo` returns it. Members that are not known are passed over.
    ///
    /// # Errors
    /// When it is no struct, or lacks name, group or state.
    pub fn from_value(value: Value) -> Result<Self, CallError> {
        let unexpected = || CallError::unexpected("getProcessInfo");
        let Value::Struct(members) = value else {
            return Err(unexpected());
        };
        let mut info = Self::default();
        let mut found_state = false;
        for (name, value) in members {
            found_state |= name == "state";
            info.set(&name, value);
        }
        if info.name.is_empty() || info.group.is_empty() || !found_state {
            return Err(unexpected());
        }
        Ok(info)
    }

    /// Reads the array `getAllProcessInfo` returns.
    ///
    /// # Errors
    /// When it is no array of process infos.
    pub fn list_from_value(value: Value) -> Result<Vec<Self>, CallError> {
        match value {
            Value::Array(infos) => infos.into_iter().map(Self::from_value).collect(),
            _ => Err(CallError::unexpected("getAllProcessInfo")),
        }
    }

    /// The state, if it is a known one.
    pub fn process_state(&self) -> Option<ProcessState> {
        ProcessState::from_code(self.state)
    }

    /// The canonical name: `group:name`, or just the name where both are one.
    pub fn namespec(&self) -> String {
        canonical(&self.group, &self.name)
    }

    fn set(&mut self, member: &str, value: Value) {
        match (member, value) {
            ("name", Value::String(text)) => self.name = text,
            ("group", Value::String(text)) => self.group = text,
            ("statename", Value::String(text)) => self.statename = text,
            ("spawnerr", Value::String(text)) => self.spawnerr = text,
            ("stdout_logfile", Value::String(text)) => self.stdout_logfile = text,
            ("stderr_logfile", Value::String(text)) => self.stderr_logfile = text,
            ("description", Value::String(text)) => self.description = text,
            ("start", Value::Int(number)) => self.start = number,
            ("stop", Value::Int(number)) => self.stop = number,
            ("now", Value::Int(number)) => self.now = number,
            ("state", Value::Int(number)) => self.state = number,
            ("exitstatus", Value::Int(number)) => self.exitstatus = number,
            ("pid", Value::Int(number)) => self.pid = number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infos_are_read() {
        let value = Value::record([
            ("name", "cat_0".into()),
            ("group", "cats".into()),
            ("state", 20.into()),
            ("pid", 77.into()),
            ("novelty", true.into()),
        ]);
        let info = ProcessInfo::from_value(value.clone()).unwrap();
        assert_eq!(info.namespec(), "cats:cat_0");
        assert_eq!(info.process_state(), Some(ProcessState::Running));
        assert_eq!(info.pid, 77);

        let all = ProcessInfo::list_from_value(Value::Array(vec![value]));
        assert_eq!(all.unwrap(), [info]);
    }

    #[test]
    fn what_is_no_info_is_refused() {
        let nameless = Value::record([("state", 20.into())]);
        let stateless = Value::record([("name", "a".into()), ("group", "a".into())]);
        for value in [Value::Bool(true), nameless, stateless] {
            assert!(ProcessInfo::from_value(value).is_err());
        }
        assert!(ProcessInfo::list_from_value(Value::Nil).is_err());
    }
}
