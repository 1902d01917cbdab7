//! Tests by chance that can be repeated: each run has a seed, and one that fails names it.
//!
//! `CALLBOARD_SEED=n` repeats a run; `CALLBOARD_SEEDS=n` has so many instead of as many as usual.

use std::env;
use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

#[path = "../../tests/src/random.rs"]
#[allow(unreachable_pub, dead_code)] // the end-to-end tests have it as well, and need more of it
mod random;

pub(crate) use random::Random;

/// So much of what happened before a failure is shown.
const SHOWN: usize = 60;

/// One run of a test.
pub(crate) struct Run {
    seed: u64,
    /// Where everything in it that is left to chance comes from.
    pub(crate) random: Random,
    history: Vec<String>,
}

impl Run {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            random: Random::new(seed),
            history: Vec::new(),
        }
    }

    /// Remembers what happens, for the case that it leads to a failure.
    pub(crate) fn note(&mut self, what: impl Display) {
        self.history.push(what.to_string());
    }

    /// A number from 0 to `bound`, exclusively.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    /// A place among so many.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        self.random.below(count as u64) as usize
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.random.once_in(times)
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        *self.random.pick(items)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let from = self.history.len().saturating_sub(SHOWN);
            self.history[from..]
                .iter()
                .for_each(|line| eprintln!("{line}"));
            eprintln!("CALLBOARD_SEED={} repeats this", self.seed);
        }
    }
}

/// The runs of a test: `usual` many with seeds that nobody has chosen, unless the environment says otherwise.
pub(crate) fn runs(usual: u64) -> impl Iterator<Item = Run> {
    let (first, count) = match number("CALLBOARD_SEED") {
        Some(seed) => (seed, 1),
        None => (by_time(), number("CALLBOARD_SEEDS").unwrap_or(usual)),
    };
    (first..first + count).map(Run::new)
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

fn by_time() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is later").subsec_nanos().into()
}
