//! Local time, as Supervisor's listeners write it.

use jiff::Zoned;

/// C's `asctime` without the line feed: `Sat Nov  7 11:25:22 2026`.
pub fn asctime(time: &Zoned) -> String {
    time.strftime("%a %b %e %H:%M:%S %Y").to_string()
}

/// The abbreviation of the time zone: `UTC`, `CEST`.
pub fn zone_name(time: &Zoned) -> String {
    time.strftime("%Z").to_string()
}

/// As in Supervisor's logs: `2026-11-21 11:25:22,042`.
pub fn log_stamp(time: &Zoned) -> String {
    let date = time.strftime("%Y-%m-%d %H:%M:%S");
    format!("{date},{:03}", time.millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    #[test]
    fn times_are_written_exactly() {
        let time = date(2026, 11, 7).at(1, 5, 2, 42_999_999);
        let time = time.to_zoned(TimeZone::UTC).expect("a time");
        assert_eq!(asctime(&time), "Sat Nov  7 01:05:02 2026");
        assert_eq!(zone_name(&time), "UTC");
        assert_eq!(log_stamp(&time), "2026-11-07 01:05:02,042");
    }

    #[test]
    fn the_zone_has_its_short_name() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let time = date(2026, 7, 1)
            .at(12, 0, 0, 0)
            .to_zoned(zone)
            .expect("a time");
        assert_eq!(zone_name(&time), "CEST");
    }
}
