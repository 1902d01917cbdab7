//! Clocks, counters of the kernel, and what to make of a series.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::error::{About, Error};

/// Nanoseconds of the clock that all processes share and nobody sets.
pub(crate) fn now_ns() -> Result<u64, Error> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).about("read the clock")?;
    Ok(now.tv_sec().unsigned_abs() * 1_000_000_000 + now.tv_nsec().unsigned_abs())
}

/// CPU time of a process, all threads, in seconds.
pub(crate) fn cpu(pid: u32) -> Result<f64, Error> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).about("list threads")?;
    let mut nanoseconds = 0.0;
    for task in tasks.flatten() {
        // A thread may end between the listing and the reading.
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        nanoseconds += first_number(&text);
    }
    Ok(nanoseconds / 1e9)
}

/// A field of `/proc/PID/status`: kibibytes (`VmRSS`, `VmHWM`) or a count.
pub(crate) fn status(pid: u32, field: &str) -> Result<f64, Error> {
    let text =
        fs::read_to_string(format!("/proc/{pid}/status")).about("read a process's status")?;
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = value.ok_or_else(|| Error::Answer(format!("no {field} in the status")))?;
    Ok(first_number(value))
}

/// Megabytes (10^6) of a field in kibibytes.
pub(crate) fn megabytes(pid: u32, field: &str) -> Result<f64, Error> {
    Ok(status(pid, field)? * 1024.0 / 1e6)
}

/// How often a process went to sleep so far, and so was woken.
pub(crate) fn sleeps(pid: u32) -> Result<f64, Error> {
    status(pid, "voluntary_ctxt_switches")
}

fn first_number(text: &str) -> f64 {
    let first = text.split_whitespace().next();
    first.and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Probes until there is an answer; pauses in between.
pub(crate) fn wait<T>(
    what: &str,
    limit: Duration,
    pause: Duration,
    mut probe: impl FnMut() -> Option<T>,
) -> Result<T, Error> {
    let start = Instant::now();
    loop {
        if let Some(value) = probe() {
            return Ok(value);
        }
        if start.elapsed() > limit {
            let what = what.to_owned();
            return Err(Error::Late { what, limit });
        }
        sleep(pause);
    }
}

/// The value that a share of the series does not exceed, by nearest rank; NaN of nothing.
pub(crate) fn quantile(series: &[f64], share: f64) -> f64 {
    let mut sorted = series.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let at = rank.max(1) - 1;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// The middle of a series; of two middles the mean.
pub(crate) fn median(series: &[f64]) -> f64 {
    let mut sorted = series.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => f64::NAN,
        Some(upper) if sorted.len().is_multiple_of(2) => (sorted[middle - 1] + upper) / 2.0,
        Some(only) => *only,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_up() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.5), 50.0);
        assert_eq!(quantile(&hundred, 0.99), 99.0);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn our_own_counters_can_be_read() {
        let me = std::process::id();
        assert!(cpu(me).unwrap() >= 0.0);
        assert!(megabytes(me, "VmRSS").unwrap() > 0.5);
        assert!(sleeps(me).unwrap() >= 0.0);
    }
}
