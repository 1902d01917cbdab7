//! Whether listeners were told everything.

use std::collections::BTreeMap;

use super::records::{self, Record, Told};
use super::verdict::{Figures, Invariant};
use crate::ledger;
use crate::shared::{Shared, value};
use crate::stream;
use crate::workload::{Habit, RECORDS};

/// Holds all pools to their numbers and to each other; answers what the durable one was told.
pub(super) fn judge(shared: &Shared, figures: &mut Figures) -> Record {
    let directory = shared.stage.daemon.path(RECORDS);
    let durable = records::join(records::read(&directory, Habit::Careful.pool()));
    hold(shared, Invariant::Durable, &durable);
    figures.insert(Invariant::Durable, sum(&[&durable]));
    let serials: BTreeMap<u64, &Told> = durable
        .events
        .values()
        .map(|told| (told.serial, told))
        .collect();
    let mut alike = 0;
    for (habit, invariant) in [
        (Habit::Mortal, Invariant::Mortal),
        (Habit::Slow, Invariant::Slow),
    ] {
        let epochs = records::read(&directory, habit.pool());
        for record in epochs.values() {
            hold(shared, invariant, record);
            alike += compare(shared, habit, record, &serials);
        }
        figures.insert(invariant, sum(&epochs.values().collect::<Vec<_>>()));
    }
    figures.insert(Invariant::Alike, format!("{alike} compared"));
    judge_messages(shared, figures, &durable);
    judge_remote(shared, figures, &durable);
    durable
}

fn hold(shared: &Shared, invariant: Invariant, record: &Record) {
    for (first, last) in record.gaps() {
        shared.complain(invariant, format!("no event {first} to {last}"));
    }
    for text in record.contradictions.iter().chain(&record.disorder()) {
        shared.complain(invariant, text.clone());
    }
}

fn sum(records: &[&Record]) -> String {
    let events: usize = records.iter().map(|record| record.events.len()).sum();
    let repeated: usize = records.iter().map(|record| record.repeated).sum();
    format!("{events} events, {repeated} told again")
}

/// Whether a pool was told of an event.
fn wants(habit: Habit, name: &str) -> bool {
    match habit {
        Habit::Careful => true,
        Habit::Mortal => {
            name != "TICK_60"
                && name != "TICK_3600"
                && [
                    "PROCESS_STATE_",
                    "PROCESS_COMMUNICATION",
                    "REMOTE_",
                    "TICK_5",
                ]
                .iter()
                .any(|start| name.starts_with(start))
        }
        Habit::Slow => ["EXITED", "FATAL", "STOPPED"]
            .iter()
            .any(|state| name == format!("PROCESS_STATE_{state}")),
    }
}

/// Holds what a pool was told between its first and its last event to what the durable one was told; answers how many
/// events that were.
fn compare(
    shared: &Shared,
    habit: Habit,
    record: &Record,
    durable: &BTreeMap<u64, &Told>,
) -> usize {
    let told: BTreeMap<u64, &Told> = record
        .events
        .values()
        .map(|told| (told.serial, told))
        .collect();
    let (Some((first, _)), Some((last, _))) = (told.first_key_value(), told.last_key_value())
    else {
        return 0;
    };
    for (serial, event) in &told {
        if durable.get(serial) != Some(event) {
            let other = durable.get(serial);
            let text = format!("{} {event:?}, durable {other:?}", habit.pool());
            shared.complain(Invariant::Alike, text);
        }
    }
    for (serial, event) in durable.range(*first..=*last) {
        if wants(habit, &event.name) && !told.contains_key(serial) {
            let text = format!("{} has not been told {event:?}", habit.pool());
            shared.complain(Invariant::Alike, text);
        }
    }
    told.len()
}

/// Holds the messages of each run to its ledger.
fn judge_messages(shared: &Shared, figures: &mut Figures, durable: &Record) {
    let mut seen: BTreeMap<(String, u64), Vec<u64>> = BTreeMap::new();
    let events = durable.events.values();
    for told in events.filter(|told| told.name == "PROCESS_COMMUNICATION_STDOUT") {
        match message(&told.payload) {
            Some((name, run, number)) => seen.entry((name, run)).or_default().push(number),
            None => shared.complain(Invariant::Messages, format!("{told:?}")),
        }
    }
    let directory = shared.stage.daemon.path(ledger::DIRECTORY);
    let mut sent = 0;
    for name in ledger::names(&directory) {
        for (number, run) in ledger::read(&directory, &name).iter().enumerate() {
            let seen = seen
                .remove(&(name.clone(), number as u64))
                .unwrap_or_default();
            let count = seen.len() as u64;
            sent += count;
            let in_order = seen.iter().copied().eq(0..count);
            // It may have been killed between writing and counting.
            if !in_order || !(run.messages..=run.messages + 1).contains(&count) {
                let text = format!("{name}, run {number}: {run:?}, told {seen:?}");
                shared.complain(Invariant::Messages, text);
            }
        }
    }
    for (run, numbers) in seen {
        shared.complain(Invariant::Messages, format!("unknown: {run:?} {numbers:?}"));
    }
    figures.insert(Invariant::Messages, format!("{sent} sent and told"));
}

/// Who sent a message, in which run, and which one.
fn message(payload: &str) -> Option<(String, u64, u64)> {
    let (_, text) = payload.split_once('|')?;
    let mut fields = text.split(' ');
    let name = fields.next()?.to_owned();
    let run = fields.next()?.parse().ok()?;
    let number = fields.next()?.parse().ok()?;
    stream::is_sound(text).then_some((name, run, number))
}

fn judge_remote(shared: &Shared, figures: &mut Figures, durable: &Record) {
    let events = durable.events.values();
    let told: Vec<&str> = events
        .filter(|told| told.name == "REMOTE_COMMUNICATION")
        .map(|told| told.payload.as_str())
        .collect();
    let sent = value(&shared.counts.remote);
    for number in 0..sent {
        let text = stream::sealed(format!("remote {number}"));
        let expected = format!("type:soak|{text}");
        let got = told.get(number as usize);
        if got != Some(&expected.as_str()) {
            shared.complain(Invariant::Remote, format!("{expected:?}, told {got:?}"));
            break;
        }
    }
    if told.len() as u64 != sent {
        let text = format!("{sent} sent, {} told", told.len());
        shared.complain(Invariant::Remote, text);
    }
    figures.insert(
        Invariant::Remote,
        format!("{sent} sent, {} told", told.len()),
    );
}

/// What the pools themselves count as lost.
pub(super) fn judge_losses(shared: &Shared, figures: &mut Figures) {
    let pools = shared.stage.pools();
    let mut discarded = Vec::new();
    for pool in &pools {
        let count = pool["discarded"].as_i64().unwrap_or(-1);
        discarded.push(format!(
            "{} {count}",
            pool["name"].as_str().unwrap_or_default()
        ));
        if count != 0 || pool["disk_failed"] != false {
            shared.complain(Invariant::Losses, pool.to_string());
        }
    }
    if pools.len() != Habit::ALL.len() {
        shared.complain(Invariant::Losses, format!("{} pools", pools.len()));
    }
    figures.insert(Invariant::Losses, discarded.join(", "));
}
