//! Looking at the daemon from outside while it runs.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use callboard_tests::procfs;

use crate::judge::Invariant;
use crate::shared::{Shared, value};

const STEP: Duration = Duration::from_millis(500);
const ZOMBIES: Duration = Duration::from_secs(5);
const REPORT: Duration = Duration::from_secs(60);

/// What the daemon may have resident at any time, KiB.
const MOST: u64 = 64 * 1024;

/// The share of the time in which the daemon is not upgraded, so that its memory can be watched.
pub(crate) const UNTOUCHED: std::ops::Range<f64> = 0.45..0.9;

/// Watches until the time is over or the daemon has gone.
pub(crate) fn watch(shared: &Shared) {
    let mut zombies = BTreeSet::new();
    let (mut looked, mut reported) = (Instant::now(), Instant::now());
    while shared.elapsed() < shared.options.time {
        sleep(STEP);
        if !shared.stage.is_alive() {
            shared.complain(Invariant::Alive, "the daemon has gone".to_owned());
            return;
        }
        sample_memory(shared);
        if looked.elapsed() > ZOMBIES {
            looked = Instant::now();
            look_for_zombies(shared, &mut zombies);
        }
        if reported.elapsed() > REPORT {
            reported = Instant::now();
            report(shared);
        }
    }
}

fn sample_memory(shared: &Shared) {
    let resident = shared.stage.resident();
    if resident > MOST {
        shared.complain(Invariant::Peak, format!("{resident} KiB"));
    }
    if UNTOUCHED.contains(&shared.progress()) {
        Shared::note(&shared.memory, (shared.elapsed().as_secs_f64(), resident));
    }
}

/// Who is a zombie twice in a row has been forgotten.
fn look_for_zombies(shared: &Shared, before: &mut BTreeSet<i32>) {
    let zombies = procfs::zombies_of(shared.stage.daemon.pid());
    let now: BTreeSet<i32> = zombies.iter().map(|row| row.pid).collect();
    for pid in now.intersection(before) {
        shared.complain(Invariant::Zombies, format!("process {pid}"));
    }
    *before = now;
}

fn report(shared: &Shared) {
    let counts = &shared.counts;
    println!(
        "{:>5.1} min: {} KiB, {} descriptors, {} calls, {} upgrades, {} updates, {} restarts, {} kills, {} broken",
        shared.elapsed().as_secs_f64() / 60.0,
        shared.stage.resident(),
        shared.stage.descriptors().values().sum::<usize>(),
        value(&counts.calls),
        value(&counts.upgrades),
        value(&counts.updates),
        value(&counts.restarts),
        value(&counts.kills),
        shared.broken(),
    );
}
