//! Which events are crashes, and what to write about one.

use jiff::Zoned;
use listener_kit::{Event, Mail, log_stamp};

/// A process that exited with a status its `exitcodes` do not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crash<'a> {
    /// Name of the process.
    pub(crate) process: &'a str,
    /// Name of its group.
    pub(crate) group: &'a str,
    pid: &'a str,
    from_state: &'a str,
}

impl<'a> Crash<'a> {
    /// The crash an event tells of, if it does.
    ///
    /// A process that ends before it was up for `startsecs` never exits, in Supervisor's terms: it goes on to BACKOFF
    /// and FATAL, and is none of crashmail's business.
    pub(crate) fn of(event: &Event<'a>) -> Option<Self> {
        if event.header.eventname != "PROCESS_STATE_EXITED" {
            return None;
        }
        let fields = event.fields();
        if fields.get("expected")? != "0" {
            return None;
        }
        Some(Self {
            process: fields.get("processname")?,
            group: fields.get("groupname")?,
            pid: fields.get("pid")?,
            from_state: fields.get("from_state")?,
        })
    }

    /// The message about it. The subject starts with a blank unless it has a prefix.
    pub(crate) fn mail(&self, to: &str, prefix: Option<&str>, now: &Zoned) -> Mail {
        let prefix = prefix.map_or_else(String::new, |prefix| format!("{prefix}:"));
        Mail {
            to: to.to_owned(),
            subject: format!("{prefix} {} crashed at {}", self.process, log_stamp(now)),
            body: format!(
                "Process {} in group {} exited unexpectedly (pid {}) from state {}",
                self.process, self.group, self.pid, self.from_state
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use protocol::listener::EventHeader;

    const EXITED: &str = "eventname:PROCESS_STATE_EXITED len:1";
    const PAYLOAD: &str = "processname:p groupname:g from_state:RUNNING expected:0 pid:7";

    fn event<'a>(header: &'a str, payload: &'a str) -> Event<'a> {
        Event {
            header: EventHeader::parse(header).expect("a header"),
            payload,
        }
    }

    #[test]
    fn only_unexpected_exits_are_crashes() {
        let expected = PAYLOAD.replace("expected:0", "expected:1");
        let short = PAYLOAD.replace("pid:7", "");
        let rows = [
            (EXITED, PAYLOAD, true),
            (EXITED, &expected, false),
            (EXITED, &short, false),
            (EXITED, "", false),
            ("eventname:PROCESS_STATE_FATAL len:1", PAYLOAD, false),
            ("eventname:TICK_5 len:1", "when:5", false),
        ];
        for (header, payload, want) in rows {
            let event = event(header, payload);
            assert_eq!(Crash::of(&event).is_some(), want, "{header} {payload}");
        }
    }

    #[test]
    fn the_message_is_exact() {
        let event = event(EXITED, PAYLOAD);
        let crash = Crash::of(&event).expect("a crash");
        let now = date(2026, 11, 21).at(11, 25, 22, 42_000_000);
        let now = now.to_zoned(TimeZone::UTC).expect("a time");
        let rows = [
            (None, " p crashed at 2026-11-21 11:25:22,042"),
            (Some("host"), "host: p crashed at 2026-11-21 11:25:22,042"),
        ];
        for (prefix, subject) in rows {
            let want = Mail {
                to: "x@y".into(),
                subject: subject.into(),
                body: "Process p in group g exited unexpectedly (pid 7) from state RUNNING".into(),
            };
            assert_eq!(crash.mail("x@y", prefix, &now), want);
        }
    }
}
