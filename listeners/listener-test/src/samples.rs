//! An event of each type.

use protocol::events::{Channel, Event, EventSet, EventType, StateDetail};
use protocol::states::ProcessState;

/// An event to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Name of its type.
    pub(crate) name: &'static str,
    /// What follows the header.
    pub(crate) payload: String,
}

impl From<&Event> for Sample {
    fn from(event: &Event) -> Self {
        Self {
            name: event.event_type().name(),
            payload: event.payload(),
        }
    }
}

/// One event of each type in `wanted`, most of them from the life of one program.
pub(crate) fn all(wanted: EventSet) -> Vec<Sample> {
    let mut events = vec![Event::GroupAdded("web".into()), Event::SupervisorRunning];
    events.extend(life());
    events.extend(ticks());
    events.extend([
        with_text(0, "data\n"),
        with_text(1, "data\n"),
        with_text(2, ""),
    ]);
    events.extend([with_text(3, "output\n"), with_text(4, "half a line")]);
    events.extend([Event::SupervisorStopping, Event::GroupRemoved("web".into())]);
    let wanted = events
        .iter()
        .filter(|event| wanted.wants(event.event_type()));
    wanted.map(Sample::from).collect()
}

/// An event in `wanted` whose payload ends with `text`, if such a type is.
pub(crate) fn carrying(text: &str, wanted: EventSet) -> Option<Sample> {
    let mut events = (0..5).map(|which| with_text(which, text));
    let event = events.find(|event| wanted.wants(event.event_type()))?;
    Some(Sample::from(&event))
}

fn with_text(which: usize, text: &str) -> Event {
    let (process, group, pid) = ("web_0".to_owned(), "web".to_owned(), 4711);
    let data = text.to_owned();
    let channel = match which % 2 {
        0 => Channel::Stderr,
        _ => Channel::Stdout,
    };
    match which {
        0 => Event::RemoteCommunication {
            kind: "greeting".into(),
            data,
        },
        1 | 2 => Event::ProcessCommunication {
            process,
            group,
            pid,
            channel,
            data,
        },
        _ => Event::ProcessLog {
            process,
            group,
            pid,
            channel,
            data,
        },
    }
}

/// All states of a process.
fn life() -> impl Iterator<Item = Event> {
    use ProcessState::*;
    let exit = |expected| StateDetail::Exit {
        expected,
        pid: 4711,
    };
    let rows = [
        (Stopped, Starting, StateDetail::Tries(0)),
        (Starting, Backoff, StateDetail::Tries(1)),
        (Backoff, Starting, StateDetail::Tries(1)),
        (Starting, Running, StateDetail::Pid(4711)),
        (Running, Exited, exit(true)),
        (Running, Exited, exit(false)),
        (Running, Stopping, StateDetail::Pid(4711)),
        (Stopping, Stopped, StateDetail::Pid(4711)),
        (Backoff, Fatal, StateDetail::Nothing),
        (Stopping, Unknown, StateDetail::Nothing),
    ];
    rows.into_iter()
        .map(|(from, to, detail)| Event::ProcessState {
            process: "web_0".into(),
            group: "web".into(),
            from,
            to,
            detail,
        })
}

fn ticks() -> impl Iterator<Item = Event> {
    let periods = [EventType::Tick5, EventType::Tick60, EventType::Tick3600];
    periods.into_iter().map(|period| Event::Tick {
        period,
        when: 1_795_258_800,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_type_has_a_sample() {
        let parents: HashSet<_> = EventType::all().filter_map(EventType::parent).collect();
        let leaves: HashSet<_> = EventType::all()
            .filter(|event| !parents.contains(event))
            .map(EventType::name)
            .collect();
        let samples = all(EventSet::from_iter([EventType::Event]));
        let names: HashSet<_> = samples.iter().map(|sample| sample.name).collect();
        assert_eq!(names, leaves);
    }

    #[test]
    fn only_what_is_subscribed_to_is_sent() {
        let ticks = EventSet::from_iter([EventType::Tick60]);
        assert_eq!(all(ticks).len(), 1);
        assert_eq!(carrying("text", ticks), None);
        let logs = EventSet::from_iter([EventType::ProcessLogStdout]);
        let sample = carrying("text", logs).expect("a log");
        assert_eq!(
            (sample.name, sample.payload.as_str()),
            (
                "PROCESS_LOG_STDOUT",
                "processname:web_0 groupname:web pid:4711 channel:stdout\ntext"
            )
        );
    }
}
