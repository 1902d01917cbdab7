//! Local time as log lines carry it.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Formats the current local time; the text of the current second is kept.
#[derive(Debug)]
pub(super) struct Stamp {
    zone: TimeZone,
    format: &'static str,
    second: Option<i64>,
    text: String,
}

impl Stamp {
    /// With a strftime format that shows nothing finer than seconds.
    pub(super) fn new(format: &'static str) -> Self {
        Self {
            zone: TimeZone::system(),
            format,
            second: None,
            text: String::new(),
        }
    }

    /// Now: the formatted second and the milliseconds into it, truncated.
    pub(super) fn now(&mut self) -> (&str, u32) {
        self.at(SystemTime::now())
    }

    fn at(&mut self, time: SystemTime) -> (&str, u32) {
        // A clock before 1970 is not worth more than the epoch.
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        if self.second != Some(second) {
            self.second = Some(second);
            let timestamp = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
            self.text = timestamp
                .to_zoned(self.zone.clone())
                .strftime(self.format)
                .to_string();
        }
        (&self.text, since.subsec_millis())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn milliseconds_are_truncated_and_seconds_follow_the_clock() {
        let mut stamp = Stamp::new("%Y-%m-%d %H:%M:%S");
        stamp.zone = TimeZone::fixed(jiff::tz::offset(1));
        let rows = [
            (1_795_256_365, 374_999_999, "2026-11-21 11:19:25", 374),
            (1_795_256_365, 375_000_000, "2026-11-21 11:19:25", 375),
            (1_795_256_366, 0, "2026-11-21 11:19:26", 0),
            (1_795_256_365, 999_999_999, "2026-11-21 11:19:25", 999),
        ];
        for (second, nanos, text, millis) in rows {
            let time = UNIX_EPOCH + Duration::new(second, nanos);
            assert_eq!(stamp.at(time), (text, millis));
        }
    }
}
