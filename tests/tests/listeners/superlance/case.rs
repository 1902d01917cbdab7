//! A case: a listener, its options, the processes there are, and what happens.

use callboard_tests::{Flavour, scenario};

use super::deliberate::DELIBERATE;
use super::listener::transcript;
use super::stage::Stage;
use super::supervisor::{Process, RUNNING, STOPPED, process};

/// Whether supervisord's address is in the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    Supervised,
    Alone,
}

/// A case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) tool: &'static str,
    /// The command line. `{mail}`, `{dir}`, `{url}` and `{smtp}` are filled in.
    pub(crate) words: &'static [&'static str],
    pub(crate) world: &'static [Process],
    /// Types and payloads.
    pub(crate) events: &'static [(&'static str, &'static str)],
    pub(crate) home: Home,
    pub(crate) zone: &'static str,
}

/// Processes of which some run.
pub(crate) const WORLD: &[Process] = &[
    process("web", "web", RUNNING),
    process("workers", "a", RUNNING),
    process("workers", "b", STOPPED),
    process("größe", "wörker", RUNNING),
];

/// One tick.
pub(crate) const TICK: &[(&str, &str)] = &[("TICK_60", "when:1795260300")];

impl Case {
    /// A tick for a listener.
    pub(crate) const fn new(tool: &'static str, words: &'static [&'static str]) -> Self {
        Self {
            tool,
            words,
            world: WORLD,
            events: TICK,
            home: Home::Supervised,
            zone: "UTC",
        }
    }

    pub(crate) const fn world(mut self, world: &'static [Process]) -> Self {
        self.world = world;
        self
    }

    pub(crate) const fn events(mut self, events: &'static [(&'static str, &'static str)]) -> Self {
        self.events = events;
        self
    }

    pub(crate) const fn alone(mut self) -> Self {
        self.home = Home::Alone;
        self
    }

    pub(crate) const fn zone(mut self, zone: &'static str) -> Self {
        self.zone = zone;
        self
    }

    /// What deliberate differences call it.
    fn name(&self) -> String {
        let words: Vec<_> = self
            .words
            .iter()
            .map(|word| word.replace('\n', " "))
            .collect();
        let mut name = format!("{} {}", self.tool, words.join(" "));
        if self.world != WORLD {
            let names: Vec<_> = self.world.iter().map(|process| process.name).collect();
            name.push_str(&format!(" among [{}]", names.join(" ")));
        }
        if self.home == Home::Alone {
            name.push_str(", alone");
        }
        name
    }

    /// How the original and ours differ.
    fn differences(&self) -> Result<(), String> {
        let stage = Stage::set();
        let original = transcript(self, &stage, Flavour::Original);
        let ours = transcript(self, &stage, Flavour::Ours);
        scenario::judge(self.name().trim_end(), &original, &ours, DELIBERATE)
    }
}

/// Checks cases, several at a time: they mostly wait.
pub(crate) fn check(cases: &[Case]) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut report = String::new();
        loop {
            let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            match cases.get(index).map(Case::differences) {
                None => return report,
                Some(Ok(())) => {}
                Some(Err(difference)) => report.push_str(&difference),
            }
        }
    };
    let report: String = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    assert!(report.is_empty(), "{report}");
}
