//! The table at the end.

use std::collections::BTreeMap;
use std::fmt;

use crate::shared::Complaints;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Invariant {
    Alive,
    Descriptors,
    Resident,
    Growth,
    Peak,
    Zombies,
    Strangers,
    Bytes,
    Echo,
    Durable,
    Mortal,
    Slow,
    Alike,
    Messages,
    Remote,
    Ends,
    Losses,
    Calls,
    Latency,
    Streams,
    Commands,
    Updates,
    Upgrades,
    Log,
    Shutdown,
    Harness,
}

impl Invariant {
    const ALL: [Self; 26] = [
        Self::Alive,
        Self::Descriptors,
        Self::Resident,
        Self::Growth,
        Self::Peak,
        Self::Zombies,
        Self::Strangers,
        Self::Bytes,
        Self::Echo,
        Self::Durable,
        Self::Mortal,
        Self::Slow,
        Self::Alike,
        Self::Messages,
        Self::Remote,
        Self::Ends,
        Self::Losses,
        Self::Calls,
        Self::Latency,
        Self::Streams,
        Self::Commands,
        Self::Updates,
        Self::Upgrades,
        Self::Log,
        Self::Shutdown,
        Self::Harness,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Alive => "the same process all the time",
            Self::Descriptors => "descriptors at rest, as before",
            Self::Resident => "memory at rest, as before",
            Self::Growth => "memory does not grow without upgrades",
            Self::Peak => "memory never beyond 64 MiB",
            Self::Zombies => "no zombie",
            Self::Strangers => "no child that is not known",
            Self::Bytes => "every byte in the logs exactly once",
            Self::Echo => "every line of standard input once, in order",
            Self::Durable => "durable pool: no gap, one content for a number",
            Self::Mortal => "mortal pool: likewise between reloads",
            Self::Slow => "slow pool: likewise between reloads",
            Self::Alike => "all pools are told the same events",
            Self::Messages => "every PROCESS_COMMUNICATION once",
            Self::Remote => "every REMOTE_COMMUNICATION once",
            Self::Ends => "every end is told, once, and whether it was expected",
            Self::Losses => "no pool counts an event as discarded",
            Self::Calls => "every call is answered",
            Self::Latency => "99 of 100 calls within 500 ms",
            Self::Streams => "log streams: no line torn or missing",
            Self::Commands => "supervisorctl does well",
            Self::Updates => "the groups are those of the configuration",
            Self::Upgrades => "upgrades succeed",
            Self::Log => "no complaint in the daemon's log",
            Self::Shutdown => "it ends, with everything it has started",
            Self::Harness => "nothing of the soak itself has failed",
        }
    }
}

/// What was counted for each invariant.
pub(crate) type Figures = BTreeMap<Invariant, String>;

/// All figures and complaints.
#[derive(Debug)]
pub(crate) struct Verdict {
    figures: Figures,
    complaints: BTreeMap<Invariant, Complaints>,
}

impl Verdict {
    pub(super) const fn new(figures: Figures, complaints: BTreeMap<Invariant, Complaints>) -> Self {
        Self {
            figures,
            complaints,
        }
    }

    /// Whether an invariant is broken.
    pub(crate) fn is_broken(&self) -> bool {
        !self.complaints.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n| | seen | |\n|---|---|---|")?;
        for invariant in Invariant::ALL {
            let figure = self.figures.get(&invariant).map_or("", String::as_str);
            let state = match self.complaints.get(&invariant) {
                Some(complaints) => format!("**broken** × {}", complaints.count),
                None => "ok".to_owned(),
            };
            writeln!(out, "| {} | {figure} | {state} |", invariant.label())?;
        }
        for (invariant, complaints) in &self.complaints {
            writeln!(out, "\n{}:", invariant.label())?;
            for text in &complaints.kept {
                writeln!(out, "  {text}")?;
            }
        }
        Ok(())
    }
}
