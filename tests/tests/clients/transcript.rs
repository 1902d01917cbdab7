//! What clients print, with what varies masked; the same programs against both daemons.

use std::panic;
use std::thread;

use callboard_tests::normalise::Run;
use callboard_tests::{CtlOutput, Daemon, Flavour};
use serde_json::Value;

/// The same with the original and with ours, at the same time.
pub(crate) fn both<T: Send>(trial: impl Fn(Flavour) -> T + Sync) -> [T; 2] {
    thread::scope(|scope| {
        let trial = &trial;
        let handles = [Flavour::Original, Flavour::under_test()]
            .map(|flavour| scope.spawn(move || trial(flavour)));
        handles.map(|handle| {
            handle
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
        })
    })
}

/// Fails unless both give the same lines, and some.
pub(crate) fn both_agree(trial: impl Fn(Flavour) -> Vec<String> + Sync) {
    let [original, ours] = both(trial);
    assert!(!original.is_empty());
    if let Err(report) = callboard_tests::scenario::judge("clients", &original, &ours, &[]) {
        panic!("{report}");
    }
}

/// The lines of a client's output, JSON or plain.
pub(crate) fn masked(daemon: &Daemon, output: &CtlOutput) -> Vec<String> {
    let run = Run {
        dir: daemon.dir(),
        port: daemon.port(),
    };
    assert!(output.code == 0, "{output:#?}\n{}", daemon.log());
    let line = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(value) => run.value(&value).to_string(),
        Err(_) => run.text(line),
    };
    output.stdout.lines().map(line).collect()
}
