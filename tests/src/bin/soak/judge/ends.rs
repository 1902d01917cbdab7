//! Whether every start and every end was told.

use std::collections::BTreeMap;

use super::records::Record;
use super::verdict::{Figures, Invariant};
use crate::ledger;
use crate::shared::Shared;

/// A program and its process.
type Life = (String, u64);

/// What was told of processes.
#[derive(Debug, Default)]
struct Lives {
    begun: BTreeMap<Life, usize>,
    ended: BTreeMap<Life, usize>,
    /// Those that ended by themselves: whether that was expected.
    expected: BTreeMap<Life, Vec<bool>>,
}

/// Programs that never are RUNNING, and those that run at the end.
const EXEMPT: [&str; 1] = ["failing"];
const ALIVE: [&str; 6] = ["echo", "idle", "deaf", "durable", "mortal", "slow"];

/// Holds the events to each other and to the ledgers.
pub(super) fn judge(shared: &Shared, figures: &mut Figures, record: &Record) {
    let lives = read(record);
    for (life, begun) in &lives.begun {
        let ended = lives.ended.get(life).copied().unwrap_or(0);
        let is_alive = is_one_of(&ALIVE, &life.0) && begun - ended.min(*begun) == 1;
        if *begun != ended && !is_alive {
            let text = format!("{life:?}: RUNNING {begun} times, ended {ended} times");
            shared.complain(Invariant::Ends, text);
        }
    }
    for life in lives
        .ended
        .keys()
        .filter(|life| !lives.begun.contains_key(life))
    {
        if !is_one_of(&EXEMPT, &life.0) {
            shared.complain(Invariant::Ends, format!("{life:?} ended, never RUNNING"));
        }
    }
    let checked = hold_to_ledgers(shared, &lives);
    let ends: usize = lives.ended.values().sum();
    figures.insert(
        Invariant::Ends,
        format!("{ends} ends, {checked} with the status the program tells"),
    );
}

fn read(record: &Record) -> Lives {
    let mut lives = Lives::default();
    for told in record.events.values() {
        let Some(state) = told.name.strip_prefix("PROCESS_STATE_") else {
            continue;
        };
        let life = || -> Option<Life> {
            let name = field(&told.payload, "processname")?.to_owned();
            Some((name, field(&told.payload, "pid")?.parse().ok()?))
        };
        let Some(life) = life() else { continue };
        match state {
            "RUNNING" => *lives.begun.entry(life).or_default() += 1,
            "EXITED" => {
                let expected = field(&told.payload, "expected") == Some("1");
                lives
                    .expected
                    .entry(life.clone())
                    .or_default()
                    .push(expected);
                *lives.ended.entry(life).or_default() += 1;
            }
            "STOPPED" => *lives.ended.entry(life).or_default() += 1,
            _ => {}
        }
    }
    lives
}

/// Each run that says what it exits with must have been told so, unless it was being stopped; answers how many were.
fn hold_to_ledgers(shared: &Shared, lives: &Lives) -> usize {
    let directory = shared.stage.daemon.path(ledger::DIRECTORY);
    let mut checked = 0;
    for name in ledger::names(&directory) {
        if is_one_of(&EXEMPT, &name) {
            continue;
        }
        let mut runs: BTreeMap<u64, Vec<Option<u64>>> = BTreeMap::new();
        for run in ledger::read(&directory, &name) {
            runs.entry(run.pid).or_default().push(run.code);
        }
        for (pid, codes) in runs {
            let life = (name.clone(), pid);
            let begun = lives.begun.get(&life).copied().unwrap_or(0);
            if begun < codes.len() {
                let text = format!("{life:?} ran {} times, RUNNING {begun} times", codes.len());
                shared.complain(Invariant::Ends, text);
            }
            // A number that was given twice tells nothing more.
            if let ([Some(code)], Some([expected])) =
                (&codes[..], lives.expected.get(&life).map(Vec::as_slice))
            {
                checked += 1;
                if is_expected(&name, *code) != *expected {
                    let text = format!("{life:?} exited with {code}, expected: {expected}");
                    shared.complain(Invariant::Ends, text);
                }
            }
        }
    }
    checked
}

/// Whether the configuration lists a status.
fn is_expected(name: &str, code: u64) -> bool {
    code == 0 || (name.starts_with("brief") && code == 3)
}

/// Whether a process is of one of these kinds.
fn is_one_of(kinds: &[&str], name: &str) -> bool {
    kinds.iter().any(|kind| name.starts_with(kind))
}

fn field<'a>(payload: &'a str, key: &str) -> Option<&'a str> {
    let mut tokens = payload.split([' ', '|']);
    tokens.find_map(|token| token.strip_prefix(key)?.strip_prefix(':'))
}
