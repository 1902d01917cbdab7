//! The configuration changes, logs are moved away, the daemon is upgraded and reloaded.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use callboard_tests::random::Random;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::judge::Invariant;
use crate::plan::{CHANGING, EXTRAS};
use crate::shared::{Shared, count, value};
use crate::watch::UNTOUCHED;
use crate::workload::{Habit, RECORDS};

/// The shares of the time at which everything is restarted.
const RELOADS: [f64; 2] = [0.4, 0.93];

/// Does one thing after the other until the time is over.
pub(super) fn administer(shared: &Shared) {
    let mut random = shared.random("admin");
    let mut reloads = RELOADS.into_iter().peekable();
    // A four-hundredth of the time, from a quarter of a second to five seconds.
    let pause =
        (shared.options.time / 400).clamp(Duration::from_millis(250), Duration::from_secs(5));
    let pause = pause.as_millis() as u64;
    while !shared.is_over() {
        if reloads.next_if(|at| shared.progress() > *at).is_some() {
            reload(shared);
        }
        match random.below(9) {
            0..4 => update(shared, &mut random),
            4..7 => reopen_logs(shared),
            _ if UNTOUCHED.contains(&shared.progress()) => reopen_logs(shared),
            7 => upgrade_by_command(shared),
            _ => upgrade_by_signal(shared),
        }
        shared.pause(&mut random, pause / 2, pause * 3 / 2);
    }
}

/// Programs are added, removed and changed.
fn update(shared: &Shared, random: &mut Random) {
    let mut plan = shared.stage.plan().clone();
    for _ in 0..1 + random.below(4) {
        if random.once_in(2) {
            plan.revisions[random.below(CHANGING as u64) as usize] += 1;
        } else {
            let extra = random.below(EXTRAS as u64) as usize;
            if !plan.extras.remove(&extra) {
                plan.extras.insert(extra);
            }
        }
    }
    shared.stage.write(&plan);
    *shared.stage.plan() = plan;
    if random.once_in(2) {
        command(shared, &["reread"]);
    }
    command(shared, &["update"]);
    count(&shared.counts.updates);
    expect_groups(shared);
}

/// Exactly the groups of the configuration are there.
fn expect_groups(shared: &Shared) {
    let mut wanted = shared.stage.plan().groups();
    wanted.extend(Habit::ALL.map(|habit| habit.pool().to_owned()));
    let states = shared.stage.states();
    let groups: BTreeSet<String> = states
        .keys()
        .filter_map(|name| Some(name.split_once(':')?.0.to_owned()))
        .collect();
    if groups != wanted {
        let differ: Vec<_> = groups.symmetric_difference(&wanted).collect();
        shared.complain(Invariant::Updates, format!("after an update: {differ:?}"));
    }
}

/// Runs supervisorctl and expects it to do well.
fn command(shared: &Shared, words: &[&str]) -> String {
    let output = shared.stage.ctl(words);
    if output.code == 0 && !output.stdout.contains("ERROR") && output.stderr.is_empty() {
        count(&shared.counts.commands);
    } else {
        shared.complain(Invariant::Commands, format!("{words:?}: {output:?}"));
    }
    output.stdout
}

/// Somebody rotates those logs that the daemon does not rotate.
fn reopen_logs(shared: &Shared) {
    let number = value(&shared.counts.reopenings);
    let daemon = &shared.stage.daemon;
    for name in shared.stage.plan().processes("loose") {
        let (_, name) = name.split_once(':').unwrap_or_default();
        for suffix in ["out", "err"] {
            let log = daemon.path(&format!("out/{name}.{suffix}"));
            let moved = daemon.path(&format!("out/{name}.{suffix}.moved-{number:05}"));
            // Programs that have not written yet have one nonetheless, unless it was moved just now.
            let _ = fs::rename(&log, moved);
        }
    }
    daemon.signal(Signal::SIGUSR2);
    count(&shared.counts.reopenings);
    let first = daemon.path("out/loose_00.out");
    if !shared.stage.wait_for("a new log", || first.exists()) {
        shared.complain(Invariant::Bytes, format!("{first:?} was not made anew"));
    }
}

fn upgrade_by_command(shared: &Shared) {
    shared.upgrade.turn();
    let said = command(shared, &["upgrade"]);
    shared.upgrade.turn();
    if said.starts_with("Upgraded supervisord from ") {
        note_upgrade(shared, &last_upgrade(shared));
    } else {
        shared.complain(
            Invariant::Upgrades,
            format!("supervisorctl upgrade: {said:?}"),
        );
    }
}

fn upgrade_by_signal(shared: &Shared) {
    let before = last_upgrade(shared)["number"].clone();
    shared.upgrade.turn();
    shared.stage.daemon.signal(Signal::SIGUSR1);
    let mut last = Value::Null;
    let is_done = shared.stage.wait_for("an upgrade", || {
        last = last_upgrade(shared);
        !last.is_null() && last["number"] != before
    });
    shared.upgrade.turn();
    if is_done && last["failure"] == "" {
        note_upgrade(shared, &last);
    } else {
        shared.complain(Invariant::Upgrades, format!("SIGUSR1: {last}"));
    }
}

fn last_upgrade(shared: &Shared) -> Value {
    let answer = shared.stage.call("callboard.getLastUpgrade", &json!([]));
    answer.ok().and_then(Result::ok).unwrap_or_default()
}

fn note_upgrade(shared: &Shared, last: &Value) {
    count(&shared.counts.upgrades);
    if let Some(pause) = last["pause"].as_f64() {
        Shared::note(&shared.pauses, pause as f32);
    }
}

/// Everything is stopped and started anew, with records of its own for each listener.
fn reload(shared: &Shared) {
    let _peace = shared.peace.write();
    shared.reload.turn();
    let mut plan = shared.stage.plan().clone();
    plan.epoch += 1;
    shared.stage.write(&plan);
    let record = format!("{RECORDS}/durable.{}.durable_00", plan.epoch);
    *shared.stage.plan() = plan;
    shared.stage.daemon.signal(Signal::SIGHUP);
    let record = shared.stage.daemon.path(&record);
    shared
        .stage
        .wait_for("the listeners of the new configuration", || record.exists());
    shared.stage.wait_running();
    shared.reload.turn();
    count(&shared.counts.reloads);
}

/// Goes back to the first set of programs.
pub(crate) fn settle(shared: &Shared) {
    let mut plan = shared.stage.plan().clone();
    plan.extras.clear();
    shared.stage.write(&plan);
    *shared.stage.plan() = plan;
    command(shared, &["update"]);
    expect_groups(shared);
}
