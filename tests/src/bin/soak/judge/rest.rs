//! What the daemon holds at the end, what it has said, and how it ends.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use callboard_tests::procfs;
use nix::sys::signal::Signal;
use serde_json::json;

use super::verdict::{Figures, Invariant};
use crate::shared::{Counts, Shared, value};
use crate::stage::Rest;

/// How much the daemon may grow while it is not upgraded, KiB.
const MORE: u64 = 2048;

/// How much more it may hold at rest than before: code that had not run then is resident now, KiB.
const MORE_AT_REST: u64 = 4096;

/// A shorter run tells nothing about memory and latency: both are still warming up.
const LONG: Duration = Duration::from_secs(60);

/// Within which 99 of 100 calls are answered, on a busy machine, ms.
const PROMPT: f32 = 500.0;

/// The longest life of a child that was left behind.
const ORPHANS: Duration = Duration::from_secs(10);

/// What is wanted, though the log complains of it.
const WANTED: [&str; 2] = [
    "running without any HTTP authentication checking",
    "Supervisor is running as root.",
];

/// Compares the rest after with the rest before.
pub(super) fn judge(shared: &Shared, figures: &mut Figures, before: &Rest, after: &Rest) {
    for (kind, count) in &after.descriptors {
        let earlier = before.descriptors.get(kind).copied().unwrap_or(0);
        if *count > earlier {
            shared.complain(
                Invariant::Descriptors,
                format!("{kind}: {earlier}, then {count}"),
            );
        }
    }
    let total = |rest: &Rest| rest.descriptors.values().sum::<usize>();
    let figure = format!("{}, then {}", total(before), total(after));
    figures.insert(Invariant::Descriptors, figure);
    let figure = format!("{} KiB, then {} KiB", before.resident, after.resident);
    if is_long(shared) && after.resident > before.resident + MORE_AT_REST {
        shared.complain(Invariant::Resident, figure.clone());
    }
    figures.insert(Invariant::Resident, figure);
    let zombies = procfs::zombies_of(shared.stage.daemon.pid());
    for row in &zombies {
        shared.complain(Invariant::Zombies, format!("at the end: {row:?}"));
    }
    figures.insert(Invariant::Zombies, zombies.len().to_string());
    judge_children(shared, figures);
    judge_log(shared, figures);
}

/// The daemon's children are those it knows.
fn judge_children(shared: &Shared, figures: &mut Figures) {
    let answer = shared.stage.call("getAllProcessInfo", &json!([]));
    let infos = answer.ok().and_then(Result::ok).unwrap_or_default();
    let infos = infos.as_array().into_iter().flatten();
    let known: BTreeSet<i64> = infos.filter_map(|info| info["pid"].as_i64()).collect();
    let daemon = shared.stage.daemon.pid();
    let children = procfs::processes();
    let children: Vec<_> = children.iter().filter(|row| row.parent == daemon).collect();
    for row in &children {
        if !known.contains(&row.pid.into()) && row.state != 'Z' {
            shared.complain(Invariant::Strangers, format!("{row:?}"));
        }
    }
    figures.insert(Invariant::Strangers, format!("{} children", children.len()));
}

/// Nothing worse than what is wanted is in the log.
fn judge_log(shared: &Shared, figures: &mut Figures) {
    let log = shared.stage.daemon.log();
    let mut lines = 0;
    for line in log.lines() {
        lines += 1;
        let is_bad = line.contains(" CRIT ") || line.contains(" ERRO ");
        if is_bad && !WANTED.iter().any(|text| line.contains(text)) {
            shared.complain(Invariant::Log, line.to_owned());
        }
    }
    figures.insert(Invariant::Log, format!("{lines} lines"));
}

/// What was counted while it ran.
pub(super) fn sum_up(shared: &Shared, figures: &mut Figures) {
    let Counts {
        calls,
        reconnects,
        interrupted,
        faults,
        commands,
        followed,
        streams,
        restarts,
        kills,
        freezes,
        updates,
        reopenings,
        upgrades,
        reloads,
        ..
    } = &shared.counts;
    let rows = [
        (
            Invariant::Alive,
            format!("pid {}", shared.stage.daemon.pid()),
        ),
        (
            Invariant::Calls,
            format!(
                "{} calls; {} connections anew, {} cut by reloads and upgrades, {} faults of races",
                value(calls),
                value(reconnects),
                value(interrupted),
                value(faults)
            ),
        ),
        (
            Invariant::Streams,
            format!("{} streams, {} lines", value(streams), value(followed)),
        ),
        (Invariant::Commands, format!("{} runs", value(commands))),
        (
            Invariant::Updates,
            format!("{} updates, {} reloads", value(updates), value(reloads)),
        ),
        (
            Invariant::Harness,
            format!(
                "{} restarts, {} kills, {} freezes, {} times logs moved away",
                value(restarts),
                value(kills),
                value(freezes),
                value(reopenings)
            ),
        ),
        (
            Invariant::Upgrades,
            format!(
                "{} upgrades, pause {}",
                value(upgrades),
                spread(&series(&shared.pauses))
            ),
        ),
    ];
    figures.extend(rows);
    judge_latency(shared, figures);
    judge_growth(shared, figures);
}

fn series<T: Copy + PartialOrd>(series: &std::sync::Mutex<Vec<T>>) -> Vec<T> {
    let mut sorted = series
        .lock()
        .map(|series| series.clone())
        .unwrap_or_default();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    sorted
}

fn quantile(sorted: &[f32], hundredths: usize) -> f32 {
    let at = sorted.len().saturating_sub(1) * hundredths / 100;
    sorted.get(at).copied().unwrap_or(0.0)
}

fn spread(sorted: &[f32]) -> String {
    let at = |hundredths| quantile(sorted, hundredths);
    format!(
        "p50 {:.1} ms, p99 {:.1} ms, longest {:.0} ms",
        at(50),
        at(99),
        at(100)
    )
}

fn is_long(shared: &Shared) -> bool {
    shared.options.time >= LONG
}

fn judge_latency(shared: &Shared, figures: &mut Figures) {
    let latencies = series(&shared.latencies);
    let slowest = shared.slowest.lock();
    let slowest = slowest.map(|slowest| slowest.1.clone()).unwrap_or_default();
    let figure = format!("{} ({slowest})", spread(&latencies));
    if is_long(shared) && quantile(&latencies, 99) > PROMPT {
        shared.complain(Invariant::Latency, figure.clone());
    }
    figures.insert(Invariant::Latency, figure);
}

/// The middle of the last fifth of the untouched stretch against that of the first fifth.
fn judge_growth(shared: &Shared, figures: &mut Figures) {
    let samples = shared
        .memory
        .lock()
        .map(|memory| memory.clone())
        .unwrap_or_default();
    let fifth = samples.len() / 5;
    let middle = |samples: &[(f64, u64)]| {
        let mut sizes: Vec<u64> = samples.iter().map(|(_, size)| *size).collect();
        sizes.sort_unstable();
        sizes.get(sizes.len() / 2).copied().unwrap_or(0)
    };
    let (first, last) = (
        middle(&samples[..fifth]),
        middle(&samples[samples.len() - fifth..]),
    );
    let time = match (samples.first(), samples.last()) {
        (Some((begin, _)), Some((end, _))) => end - begin,
        _ => 0.0,
    };
    let figure = format!("{first} KiB, then {last} KiB in {time:.0} s");
    if is_long(shared) && last > first + MORE {
        shared.complain(Invariant::Growth, figure.clone());
    }
    figures.insert(Invariant::Growth, figure);
    let peak = samples.iter().map(|(_, size)| *size).max().unwrap_or(0);
    figures.insert(Invariant::Peak, format!("{peak} KiB without upgrades"));
}

/// Ends the daemon; everything it has started must go, too.
pub(super) fn shut_down(shared: &mut Shared, figures: &mut Figures) {
    let start = Instant::now();
    shared.stage.daemon.signal(Signal::SIGTERM);
    let status = shared.stage.daemon.wait_exit();
    let took = start.elapsed().as_secs_f64();
    if status.code() != Some(0) {
        shared.complain(Invariant::Shutdown, status.to_string());
    }
    let left = loop {
        let left = shared.stage.daemon.processes();
        if left.is_empty() || start.elapsed() > ORPHANS {
            break left;
        }
        sleep(Duration::from_millis(50));
    };
    for row in left {
        shared.complain(Invariant::Shutdown, format!("left: {row:?}"));
    }
    figures.insert(Invariant::Shutdown, format!("{took:.2} s"));
}
