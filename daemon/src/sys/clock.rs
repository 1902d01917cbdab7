//! The monotonic clock as a number that two processes agree on.

use std::time::{Duration, Instant};

/// Now, by the clock that timers go by: a test may stop it.
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The time since the start of the machine, without that in which it slept.
pub fn monotonic() -> Duration {
    time_of(libc::CLOCK_MONOTONIC)
}

/// The time since the start of the machine.
pub fn since_boot() -> Duration {
    time_of(libc::CLOCK_BOOTTIME)
}

fn time_of(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to the one place it is given.
    unsafe { libc::clock_gettime(clock, &mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The instant of such a time that is past.
pub fn instant_of(past: Duration) -> Instant {
    let now = Instant::now();
    let age = monotonic().saturating_sub(past);
    now.checked_sub(age).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_found_again() {
        let before = Instant::now();
        let time = monotonic();
        let found = instant_of(time);
        let near = Duration::from_millis(500);
        assert!(found + near > before && before + near > found);
        assert!(instant_of(time + near) <= Instant::now());
    }
}
