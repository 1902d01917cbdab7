//! The checks.

use std::fmt::Write as _;
use std::time::Duration;

use crate::conversation::{Answer, Conversation};
use crate::fault::{Fault, Kind};
use crate::options::Options;
use crate::rig::{Count, Rig};
use crate::samples::Sample;

/// How long a listener that must be silent is watched.
const WATCH: Duration = Duration::from_millis(300);

/// The pause after each piece of an event.
const PAUSE: Duration = Duration::from_millis(60);

/// How many events are sent in a row.
const MANY: usize = 50;

/// Text for a payload. Whoever reads a line of it only takes the next for a header.
const LINES: &str = "one line\nand another\n";

/// How often an event is sent to a listener that answers FAIL.
const TRIES: usize = 4;

/// How many faults of one check are looked for.
const ENOUGH: usize = 3;

/// Size of the big payload, in characters. The output of a process comes in events of up to 128 KiB; what a process sends
/// in capture mode, or somebody by a call, may be larger.
const BIG: usize = 1 << 20;

/// One thing to check, on a listener started for it.
pub(crate) struct Case {
    /// What to call it on the command line.
    pub(crate) name: &'static str,
    /// What a good listener does.
    pub(crate) what: &'static str,
    check: fn(&Rig) -> Verdict,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What the listener did wrong; nothing, if all is well.
    Checked(Vec<Fault>),
    /// The listener gets no events for this check.
    NoEvents,
}

/// All checks, in their order. The first is the condition of all others.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "start",
        what: "says READY, and then nothing",
        check: start,
    },
    Case {
        name: "types",
        what: "answers events of every type",
        check: types,
    },
    Case {
        name: "several",
        what: "answers many events in a row",
        check: several,
    },
    Case {
        name: "late",
        what: "waits in silence for late events",
        check: late,
    },
    Case {
        name: "empty",
        what: "takes an empty payload for one",
        check: empty,
    },
    Case {
        name: "non-ascii",
        what: "finds the end of a payload that is not ASCII",
        check: non_ascii,
    },
    Case {
        name: "wide",
        what: "counts characters beyond U+FFFF",
        check: wide,
    },
    Case {
        name: "pieces",
        what: "puts an event together from pieces",
        check: pieces,
    },
    Case {
        name: "big",
        what: "reads a payload of a million characters",
        check: big,
    },
    Case {
        name: "again",
        what: "answers an event that is sent twice",
        check: again,
    },
    Case {
        name: "colon",
        what: "reads a header with a colon in a token",
        check: colon,
    },
    Case {
        name: "eof",
        what: "ends when its input ends",
        check: eof,
    },
    Case {
        name: "cut",
        what: "ends when its input ends within an event",
        check: cut,
    },
    Case {
        name: "term",
        what: "ends on SIGTERM",
        check: term,
    },
];

impl Case {
    /// Makes the check.
    pub(crate) fn run(&self, rig: &Rig) -> Verdict {
        (self.check)(rig)
    }
}

/// The checks the options name.
pub(crate) fn chosen(options: &Options) -> impl Iterator<Item = &'static Case> {
    let names = options.checks.clone();
    CASES
        .iter()
        .filter(move |case| names.is_empty() || names.iter().any(|name| name == case.name))
}

/// The checks, for people.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for case in CASES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<10} {}", case.name, case.what);
    }
    text
}

impl From<Result<(), Fault>> for Verdict {
    fn from(result: Result<(), Fault>) -> Self {
        Self::Checked(result.err().into_iter().collect())
    }
}

/// Checks with a listener just started.
fn with(rig: &Rig, check: impl FnOnce(&mut Conversation) -> Result<(), Fault>) -> Verdict {
    rig.start()
        .and_then(|mut listener| check(&mut listener))
        .into()
}

/// Checks with a listener just started and an event it gets; best one that carries `text`.
fn with_event(
    rig: &Rig,
    text: &str,
    check: impl FnOnce(&mut Conversation, &Sample) -> Result<(), Fault>,
) -> Verdict {
    let sample = rig.carrying(text);
    match sample.as_ref().or_else(|| rig.samples.first()) {
        Some(sample) => with(rig, |listener| check(listener, sample)),
        None => Verdict::NoEvents,
    }
}

/// Sends an event until it is not refused; whether that helps.
fn deliver(listener: &mut Conversation, sample: &Sample) -> Result<Answer, Fault> {
    let mut answer = Answer::Again;
    for _ in 0..TRIES {
        answer = listener.send(sample)?;
        if answer == Answer::Done {
            break;
        }
    }
    listener.acknowledge();
    Ok(answer)
}

fn start(rig: &Rig) -> Verdict {
    with(rig, |listener| {
        listener.ready()?;
        watch_ready(listener)
    })
}

/// Watches a listener that is READY and must wait.
fn watch_ready(listener: &mut Conversation) -> Result<(), Fault> {
    listener.ready()?;
    listener.silent(WATCH)
}

/// Goes on with a new listener after a fault, so that one bad type does not hide the next.
fn types(rig: &Rig) -> Verdict {
    let mut faults: Vec<Fault> = Vec::new();
    let mut listener = None;
    for sample in &rig.samples {
        let refused = faults.iter().any(|fault| fault.kind == Kind::AlwaysFails);
        match send_to(&mut listener, rig, sample) {
            Ok(Answer::Done) => {}
            Ok(Answer::Again) if refused => {}
            Ok(Answer::Again) => {
                let mut fault = Fault::new(Kind::AlwaysFails);
                fault.event = Some(sample.name);
                faults.push(fault);
            }
            Err(fault) => {
                listener = None;
                faults.push(fault);
            }
        }
        if faults.len() >= ENOUGH {
            break;
        }
    }
    Verdict::Checked(faults)
}

fn send_to(
    listener: &mut Option<Conversation>,
    rig: &Rig,
    sample: &Sample,
) -> Result<Answer, Fault> {
    let mut running = match listener.take() {
        Some(running) => running,
        None => rig.start()?,
    };
    let answer = deliver(&mut running, sample)?;
    running.ready()?;
    *listener = Some(running);
    Ok(answer)
}

fn several(rig: &Rig) -> Verdict {
    with(rig, |listener| {
        for sample in rig.samples.iter().cycle().take(MANY) {
            deliver(listener, sample)?;
        }
        watch_ready(listener)
    })
}

fn late(rig: &Rig) -> Verdict {
    with_event(rig, LINES, |listener, sample| {
        for _ in 0..2 {
            watch_ready(listener)?;
            deliver(listener, sample)?;
        }
        watch_ready(listener)
    })
}

fn empty(rig: &Rig) -> Verdict {
    let Some(sample) = rig.samples.iter().find(|sample| sample.payload.is_empty()) else {
        return Verdict::NoEvents;
    };
    with(rig, |listener| {
        for _ in 0..2 {
            deliver(listener, sample)?;
        }
        watch_ready(listener)
    })
}

/// Sends a payload that ends with `text`, then another event. A listener that takes the length for something else finds
/// the rest of the payload where the next header should be; each line of it is one more chance to stumble.
fn counted(rig: &Rig, text: &str, count: Count) -> Result<(), Fault> {
    let samples = [rig.carrying(text), rig.carrying("plain")];
    let mut listener = rig.start_counting(count)?;
    for sample in samples.iter().flatten() {
        deliver(&mut listener, sample)?;
    }
    watch_ready(&mut listener)
}

/// Checks how a listener counts; if it fails, whether it would pass with other lengths.
fn check_count(rig: &Rig, text: &str, others: &[(Count, Kind)]) -> Verdict {
    if rig.carrying(text).is_none() {
        return Verdict::NoEvents;
    }
    let Err(fault) = counted(rig, text, rig.count) else {
        return Verdict::Checked(Vec::new());
    };
    let mut others = others.iter().filter(|(count, _)| *count != rig.count);
    let meant = others.find(|(count, _)| counted(rig, text, *count).is_ok());
    Verdict::Checked(vec![match meant {
        Some((_, kind)) => fault.turns_out(*kind),
        None => fault,
    }])
}

fn non_ascii(rig: &Rig) -> Verdict {
    let others = [
        (Count::Bytes, Kind::CountsBytes),
        (Count::Characters, Kind::CountsCharacters),
    ];
    check_count(rig, &"é\n".repeat(64), &others)
}

fn wide(rig: &Rig) -> Verdict {
    let others = [
        (Count::Units, Kind::CountsUnits),
        (Count::Bytes, Kind::CountsBytes),
        (Count::Characters, Kind::CountsCharacters),
    ];
    check_count(rig, &"𝄞\n".repeat(64), &others)
}

fn pieces(rig: &Rig) -> Verdict {
    with_event(rig, "aé€𝄞z", |listener, sample| {
        let event = listener.compose(sample);
        let header = event.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        // Within the header, around its end, within and after each wide character.
        let end = event.len();
        let cuts = [
            10,
            header,
            header + 1,
            header + 4,
            end - 9,
            end - 6,
            end - 3,
            end - 1,
        ];
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < end).collect();
        cuts.sort_unstable();
        cuts.dedup();
        listener.ready()?;
        match listener.send_in_pieces(sample, &cuts, PAUSE) {
            Ok(_) => deliver(listener, sample).map(|_| ()),
            Err(fault) if matches!(fault.kind, Kind::Died | Kind::NoResult) => {
                Err(fault.turns_out(Kind::LosesPieces))
            }
            Err(fault) => Err(fault),
        }
    })
}

fn big(rig: &Rig) -> Verdict {
    let line = "all work and no play makes a dull log\n";
    let text: String = line.chars().cycle().take(BIG).collect();
    let Some(sample) = rig.carrying(&text) else {
        return Verdict::NoEvents;
    };
    with(rig, |listener| {
        deliver(listener, &sample)?;
        watch_ready(listener)
    })
}

fn again(rig: &Rig) -> Verdict {
    with_event(rig, LINES, |listener, sample| {
        listener.send(sample)?;
        listener.send(sample)?;
        watch_ready(listener)
    })
}

fn colon(rig: &Rig) -> Verdict {
    with_event(rig, LINES, |listener, sample| {
        listener.server = "host:9001";
        let answered = deliver(listener, sample).map(|_| ());
        answered.map_err(|fault| fault.turns_out(Kind::SplitsAtColons))
    })
}

fn eof(rig: &Rig) -> Verdict {
    with(rig, |listener| {
        listener.ready()?;
        listener.expect_end(Kind::TalksAfterEof)
    })
}

fn cut(rig: &Rig) -> Verdict {
    let Some(sample) = rig.samples.iter().find(|sample| !sample.payload.is_empty()) else {
        return Verdict::NoEvents;
    };
    with(rig, |listener| {
        let end = listener.compose(sample).len() - 3;
        listener.cut_short(sample, end)
    })
}

fn term(rig: &Rig) -> Verdict {
    with(rig, |listener| {
        listener.ready()?;
        listener.stop()
    })
}
