//! An event as it is told to others.

use std::fmt::Write as _;

use listener_kit::Event;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How much of an event's data a summary shows, in characters.
const SUMMARY: usize = 200;

/// An event, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// Type of the event.
    pub(crate) eventname: String,
    /// Identifier of the supervisor.
    pub(crate) server: String,
    /// Number of the event, counted over the supervisor.
    pub(crate) serial: u64,
    /// Name of the listener's pool.
    pub(crate) pool: String,
    /// Number of the event, counted over the pool.
    pub(crate) poolserial: u64,
    /// When the listener got it, Unix seconds.
    pub(crate) received: i64,
    /// Fields of the payload's first line. `pid`, `tries` and `when` are numbers, `expected` is a truth value.
    pub(crate) fields: Map<String, Value>,
    /// The payload after its first line.
    pub(crate) data: String,
}

impl Notice {
    /// The event, received at `now`, Unix seconds.
    pub(crate) fn new(event: &Event<'_>, now: i64) -> Self {
        let header = &event.header;
        let fields = event.fields();
        Self {
            eventname: header.eventname.to_owned(),
            server: header.server.to_owned(),
            serial: header.serial,
            pool: header.pool.to_owned(),
            poolserial: header.poolserial,
            received: now,
            fields: fields
                .map(|(key, value)| (key.to_owned(), typed(key, value)))
                .collect(),
            data: event.data().to_owned(),
        }
    }

    /// A field of the payload as text; empty if it has none of this name.
    pub(crate) fn field(&self, key: &str) -> String {
        match self.fields.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The process, with its group in front unless both have the same name; the group, if no process is named.
    pub(crate) fn process(&self) -> String {
        let (group, process) = (self.field("groupname"), self.field("processname"));
        match (group.is_empty(), process.is_empty()) {
            (_, true) => group,
            (true, false) => process,
            _ if group == process => process,
            _ => format!("{group}:{process}"),
        }
    }

    /// The state a process entered; empty for other events.
    pub(crate) fn state(&self) -> &str {
        self.eventname.strip_prefix("PROCESS_STATE_").unwrap_or("")
    }

    /// One line for people: type, process, the other fields, the first line of the data.
    pub(crate) fn summary(&self) -> String {
        let mut line = self.eventname.clone();
        let process = self.process();
        if !process.is_empty() {
            line.push(' ');
            line.push_str(&process);
        }
        let others = self
            .fields
            .keys()
            .filter(|key| !matches!(key.as_str(), "processname" | "groupname"));
        for key in others {
            // Writing to a string cannot fail.
            let _ = write!(line, " {key}:{}", self.field(key));
        }
        let data = self.data.lines().next().unwrap_or_default();
        if !data.is_empty() {
            line.push_str(": ");
            line.extend(data.chars().take(SUMMARY));
        }
        line
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        /// What the smallest event takes.
        const LEAST: usize = 500;
        LEAST + self.data.len()
    }
}

/// The value of a field, as what it is.
fn typed(key: &str, value: &str) -> Value {
    let number = |value: &str| value.parse::<i64>().ok().map(Value::from);
    let value = match key {
        "pid" | "tries" | "when" => number(value).ok_or(value),
        "expected" => Ok(Value::Bool(value == "1")),
        _ => Err(value),
    };
    value.unwrap_or_else(Value::from)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use listener_kit::EventHeader;

    pub(crate) fn notice(eventname: &str, payload: &str) -> Notice {
        let line =
            format!("server:board serial:3 pool:hook poolserial:1 eventname:{eventname} len:0");
        let header = EventHeader::parse(&line).expect("a header");
        Notice::new(&Event { header, payload }, 1_795_258_800)
    }

    #[test]
    fn the_json_is_exact() {
        let notice = notice(
            "PROCESS_STATE_EXITED",
            "processname:p groupname:g from_state:RUNNING expected:0 pid:7",
        );
        let json = serde_json::to_string(&notice).expect("JSON");
        assert_eq!(
            json,
            r#"{"eventname":"PROCESS_STATE_EXITED","server":"board","serial":3,"pool":"hook","poolserial":1,"received":1795258800,"fields":{"expected":false,"from_state":"RUNNING","groupname":"g","pid":7,"processname":"p"},"data":""}"#
        );
        assert_eq!(
            serde_json::from_str::<Notice>(&json).expect("the same"),
            notice
        );
    }

    #[test]
    fn summaries_are_one_line() {
        let rows = [
            ("TICK_5", "when:5", "TICK_5 when:5"),
            (
                "SUPERVISOR_STATE_CHANGE_RUNNING",
                "",
                "SUPERVISOR_STATE_CHANGE_RUNNING",
            ),
            (
                "PROCESS_GROUP_ADDED",
                "groupname:g\n",
                "PROCESS_GROUP_ADDED g",
            ),
            (
                "PROCESS_STATE_FATAL",
                "processname:p groupname:g from_state:BACKOFF",
                "PROCESS_STATE_FATAL g:p from_state:BACKOFF",
            ),
            (
                "PROCESS_LOG_STDOUT",
                "processname:p groupname:p pid:x channel:stdout\nfirst\nsecond",
                "PROCESS_LOG_STDOUT p channel:stdout pid:x: first",
            ),
            (
                "REMOTE_COMMUNICATION",
                "type:typ\ndéta",
                "REMOTE_COMMUNICATION type:typ: déta",
            ),
        ];
        for (name, payload, want) in rows {
            assert_eq!(notice(name, payload).summary(), want);
        }
    }
}
