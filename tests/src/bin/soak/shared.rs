//! What all threads know.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use callboard_tests::random::Random;

use crate::judge::Invariant;
use crate::options::Options;
use crate::stage::Stage;
use crate::stream;

/// Complaints about one invariant that are kept; the others are counted.
const KEPT: usize = 8;

/// Things that are counted while it runs.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: AtomicU64,
    pub(crate) reconnects: AtomicU64,
    pub(crate) interrupted: AtomicU64,
    pub(crate) faults: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) followed: AtomicU64,
    pub(crate) streams: AtomicU64,
    pub(crate) echoed: AtomicU64,
    pub(crate) remote: AtomicU64,
    pub(crate) restarts: AtomicU64,
    pub(crate) kills: AtomicU64,
    pub(crate) freezes: AtomicU64,
    pub(crate) updates: AtomicU64,
    pub(crate) reopenings: AtomicU64,
    pub(crate) upgrades: AtomicU64,
    pub(crate) reloads: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Reads a counter.
pub(crate) fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Something that goes on now and then, and may be an excuse.
#[derive(Debug, Default)]
pub(crate) struct Phase(AtomicU64);

impl Phase {
    /// A number that is odd while it goes on, and greater afterwards.
    pub(crate) fn mark(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// It begins, or is over.
    pub(crate) fn turn(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether it went on at some time since a mark was read.
    pub(crate) fn was_since(&self, mark: u64) -> bool {
        !mark.is_multiple_of(2) || self.mark() != mark
    }
}

/// What was seen of an invariant that is broken.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    pub(crate) kept: Vec<String>,
    pub(crate) count: usize,
}

/// A soak under way.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) stage: Stage,
    pub(crate) counts: Counts,
    /// Milliseconds that calls took, and pauses of upgrades.
    pub(crate) latencies: Mutex<Vec<f32>>,
    pub(crate) pauses: Mutex<Vec<f32>>,
    /// The call that took longest: how long, and what it was.
    pub(crate) slowest: Mutex<(f32, String)>,
    /// Resident memory of the stretch without upgrades: seconds since the beginning, KiB.
    pub(crate) memory: Mutex<Vec<(f64, u64)>>,
    /// Held by those who cannot tell afterwards what became of something, and for writing during a reload.
    pub(crate) peace: RwLock<()>,
    pub(crate) reload: Phase,
    pub(crate) upgrade: Phase,
    over: AtomicBool,
    start: Instant,
    complaints: Mutex<BTreeMap<Invariant, Complaints>>,
}

impl Shared {
    pub(crate) fn new(options: Options, stage: Stage) -> Self {
        Self {
            options,
            stage,
            counts: Counts::default(),
            latencies: Mutex::default(),
            pauses: Mutex::default(),
            slowest: Mutex::default(),
            memory: Mutex::default(),
            peace: RwLock::default(),
            reload: Phase::default(),
            upgrade: Phase::default(),
            over: AtomicBool::new(false),
            start: Instant::now(),
            complaints: Mutex::default(),
        }
    }

    /// Time since the trouble began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The share of the time that has passed.
    pub(crate) fn progress(&self) -> f64 {
        self.elapsed().as_secs_f64() / self.options.time.as_secs_f64()
    }

    /// Whether everybody is to come to an end.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Has everybody come to an end.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Sleeps for a time between these, milliseconds; not beyond the end.
    pub(crate) fn pause(&self, random: &mut Random, least: u64, most: u64) {
        let end = Instant::now() + Duration::from_millis(least + random.below(most - least));
        while !self.is_over() && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            sleep(left.min(Duration::from_millis(100)));
        }
    }

    /// Chance for a thread.
    pub(crate) fn random(&self, name: &str) -> Random {
        let name = u64::from(stream::checksum(name));
        Random::new(self.options.seed ^ name << 16)
    }

    /// Notes that an invariant is broken.
    pub(crate) fn complain(&self, invariant: Invariant, text: String) {
        let mut all = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let complaints = all.entry(invariant).or_default();
        complaints.count += 1;
        if complaints.kept.len() < KEPT {
            let at = self.elapsed().as_secs_f64();
            complaints.kept.push(format!("{at:.1} s: {text}"));
        }
    }

    /// What is broken so far.
    pub(crate) fn complaints(&mut self) -> BTreeMap<Invariant, Complaints> {
        let all = self.complaints.get_mut();
        std::mem::take(all.unwrap_or_else(PoisonError::into_inner))
    }

    /// How many complaints there are.
    pub(crate) fn broken(&self) -> usize {
        let all = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.values().map(|complaints| complaints.count).sum()
    }

    /// Remembers a call if none took longer.
    pub(crate) fn note_slow(&self, took: f32, what: impl FnOnce() -> String) {
        let mut slowest = self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        if took > slowest.0 {
            *slowest = (took, what());
        }
    }

    /// Adds to a series.
    pub(crate) fn note<T>(series: &Mutex<Vec<T>>, value: T) {
        series
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(value);
    }
}
