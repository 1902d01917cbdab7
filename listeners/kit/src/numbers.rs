//! Numbers on command lines, as Supervisor reads them.

use std::time::Duration;

/// Factors for sizes in bytes.
const SIZES: &[(&str, i64)] = &[("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)];

/// Factors for times in seconds.
const TIMES: &[(&str, i64)] = &[("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];

/// Reads a size in bytes: an integer, perhaps with `KB`, `MB` or `GB` in any case. `None`: it is none.
pub fn byte_size(text: &str) -> Option<i64> {
    with_suffix(text, SIZES)
}

/// Reads a time in seconds: an integer, perhaps with `s`, `m`, `h` or `d` in any case. `None`: it is none.
pub fn seconds(text: &str) -> Option<i64> {
    with_suffix(text, TIMES)
}

/// Reads an integer as Python's `int` does: blanks around it, a sign, single underscores between digits.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    match text.contains('_') {
        true => text.replace('_', "").parse().ok(),
        false => text.parse().ok(),
    }
}

/// Reads a time in seconds that may have a fraction, like `0.5`. `None`: it is none, or negative.
pub fn duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn with_suffix(text: &str, suffixes: &[(&str, i64)]) -> Option<i64> {
    let lower = text.to_lowercase();
    for (suffix, factor) in suffixes {
        if let Some(number) = lower.strip_suffix(suffix) {
            return integer(number)?.checked_mul(*factor);
        }
    }
    integer(&lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let rows = [
            ("10000", Some(10000)),
            (" 10 ", Some(10)),
            ("2KB", Some(2048)),
            ("2kb", Some(2048)),
            ("3 Mb", Some(3 << 20)),
            ("1GB", Some(1 << 30)),
            ("1_000", Some(1000)),
            ("+5", Some(5)),
            ("-1KB", Some(-1024)),
            ("0", Some(0)),
            ("1.5GB", None),
            ("10M", None),
            ("10k", None),
            ("1GB ", None),
            ("GB", None),
            ("", None),
            ("foo", None),
            ("1__0", None),
            ("_1", None),
            ("- 1", None),
            ("99999999999GB", None),
        ];
        for (text, want) in rows {
            assert_eq!(byte_size(text), want, "{text:?}");
        }
    }

    #[test]
    fn times() {
        let rows = [
            ("90", Some(90)),
            ("5s", Some(5)),
            ("2m", Some(120)),
            ("2M", Some(120)),
            ("1h", Some(3600)),
            ("2D", Some(172_800)),
            ("1w", None),
            ("m", None),
            ("1.5h", None),
        ];
        for (text, want) in rows {
            assert_eq!(seconds(text), want, "{text:?}");
        }
    }

    #[test]
    fn times_may_have_fractions() {
        let rows = [
            ("0.25", Some(Duration::from_millis(250))),
            (" 3 ", Some(Duration::from_secs(3))),
            ("-1", None),
            ("inf", None),
            ("NaN", None),
            ("", None),
        ];
        for (text, want) in rows {
            assert_eq!(duration(text), want, "{text:?}");
        }
    }
}
