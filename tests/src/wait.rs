//! Waiting for a condition.

use std::fmt::Debug;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a condition may take on a loaded machine before the test fails.
pub const DEADLINE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(15);

/// Probes until the condition holds and returns its value.
///
/// The probe answers `Ok` once the condition holds, else `Err` with what it saw; the last sight is shown
/// when the [`DEADLINE`] passes.
pub fn until<T, S: Debug>(what: &str, mut probe: impl FnMut() -> Result<T, S>) -> T {
    let start = Instant::now();
    loop {
        match probe() {
            Ok(value) => return value,
            Err(seen) if start.elapsed() > DEADLINE => {
                panic!("gave up waiting for {what} after {DEADLINE:?}; last seen: {seen:#?}")
            }
            Err(_) => sleep(PAUSE),
        }
    }
}

/// Like [`until`], for conditions with nothing to show but the observed value.
pub fn until_true<S: Debug>(what: &str, mut probe: impl FnMut() -> (bool, S)) {
    until(what, || match probe() {
        (true, _) => Ok(()),
        (false, seen) => Err(seen),
    });
}
