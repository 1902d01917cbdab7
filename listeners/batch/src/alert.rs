//! What is worth a line, and what the line says.

use jiff::Zoned;
use listener_kit::{Event, Fields, log_stamp};

/// A kind of alert: one per program of this crate.
#[derive(Debug)]
pub struct Alert {
    /// Name of the program.
    pub(crate) tool: &'static str,
    /// What it does, for its help.
    pub(crate) purpose: &'static str,
    /// Subject unless another is given.
    pub(crate) subject: Option<&'static str>,
    event: &'static str,
    write: fn(&Process<'_>, &str) -> String,
}

/// crashmailbatch: processes that exited unexpectedly.
pub const CRASH_MAIL: Alert = Alert {
    tool: "crashmailbatch",
    purpose: "Mails which processes exited unexpectedly.",
    subject: Some("Crash alert from supervisord"),
    event: "PROCESS_STATE_EXITED",
    write: |process, stamp| {
        format!(
            "{stamp} -- Process {}:{} (pid {}) died unexpectedly",
            process.group, process.name, process.pid
        )
    },
};

/// fatalmailbatch: processes that could not be started.
pub const FATAL_MAIL: Alert = Alert {
    tool: "fatalmailbatch",
    purpose: "Mails which processes could not be started.",
    subject: Some("Fatal start alert from supervisord"),
    event: "PROCESS_STATE_FATAL",
    write: |process, stamp| {
        format!(
            "{stamp} -- Process {}:{} failed to start too many times",
            process.group, process.name
        )
    },
};

/// crashsms: processes that exited unexpectedly, told in short.
pub const CRASH_SMS: Alert = Alert {
    tool: "crashsms",
    purpose: "Mails in few words which processes exited unexpectedly.",
    subject: None,
    event: "PROCESS_STATE_EXITED",
    write: |process, stamp| {
        format!(
            "[{}:{}]({}) exited unexpectedly {stamp}",
            process.group, process.name, process.pid
        )
    },
};

struct Process<'a> {
    group: &'a str,
    name: &'a str,
    pid: &'a str,
}

impl Alert {
    /// The line about an event, if it is worth one. An expected exit is not.
    pub(crate) fn line(&self, event: &Event<'_>, now: &Zoned) -> Option<String> {
        let fields = event.fields();
        let expected = fields
            .get("expected")
            .is_some_and(|expected| expected != "0");
        if event.header.eventname != self.event || expected {
            return None;
        }
        Some((self.write)(&Process::of(&fields)?, &log_stamp(now)))
    }
}

impl<'a> Process<'a> {
    fn of(fields: &Fields<'a>) -> Option<Self> {
        Some(Self {
            group: fields.get("groupname")?,
            name: fields.get("processname")?,
            pid: fields.get("pid").unwrap_or("0"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use protocol::listener::EventHeader;

    #[test]
    fn lines_are_exact() {
        let crash = "processname:p groupname:g from_state:RUNNING expected:0 pid:7";
        let expected = "processname:p groupname:g from_state:RUNNING expected:1 pid:7";
        let fatal = "processname:p groupname:g from_state:BACKOFF";
        let stamp = "2026-11-21 11:25:22,042";
        let (exited, gave_up) = ("PROCESS_STATE_EXITED", "PROCESS_STATE_FATAL");
        let rows = [
            (
                &CRASH_MAIL,
                exited,
                crash,
                Some(format!("{stamp} -- Process g:p (pid 7) died unexpectedly")),
            ),
            (&CRASH_MAIL, exited, expected, None),
            (&CRASH_MAIL, exited, "", None),
            (&CRASH_MAIL, gave_up, fatal, None),
            (
                &FATAL_MAIL,
                gave_up,
                fatal,
                Some(format!(
                    "{stamp} -- Process g:p failed to start too many times"
                )),
            ),
            (&FATAL_MAIL, exited, crash, None),
            (
                &CRASH_SMS,
                exited,
                crash,
                Some(format!("[g:p](7) exited unexpectedly {stamp}")),
            ),
            (&CRASH_SMS, exited, expected, None),
            (&CRASH_SMS, "TICK_60", "when:60", None),
        ];
        let now = date(2026, 11, 21).at(11, 25, 22, 42_000_000);
        let now = now.to_zoned(TimeZone::UTC).expect("a time");
        for (alert, name, payload, want) in rows {
            let header = format!("eventname:{name} len:0");
            let event = Event {
                header: EventHeader::parse(&header).expect("a header"),
                payload,
            };
            assert_eq!(
                alert.line(&event, &now),
                want,
                "{} {name} {payload}",
                alert.tool
            );
        }
    }
}
