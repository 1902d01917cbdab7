//! One line of `/proc/PID/stat`.

/// The fields that are of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// Field 14.
    pub(super) user_ticks: u64,
    /// Field 15.
    pub(super) system_ticks: u64,
    /// Field 24.
    pub(super) resident_pages: u64,
}

impl Stat {
    /// Reads the line. The command, field 2, is in parentheses and may hold blanks and parentheses itself.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        /// The number of the first field after the command.
        const FIRST: usize = 3;
        let command = memchr::memrchr(b')', line)?;
        let rest = std::str::from_utf8(&line[command + 1..]).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let mut passed = FIRST;
        let mut field = |number: usize| -> Option<u64> {
            let text = fields.nth(number - passed)?;
            passed = number + 1;
            text.parse().ok()
        };
        Some(Self {
            user_ticks: field(14)?,
            system_ticks: field(15)?,
            resident_pages: field(24)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_may_hold_anything() {
        let rest =
            "S 1 2 3 0 -1 4194560 9 8 7 6 50 25 0 0 20 0 1 0 99 8192 321 18446744073709551615";
        for command in ["sleep", "a b", "x) R 1 (y", ""] {
            assert_eq!(
                Stat::parse(format!("42 ({command}) {rest}\n").as_bytes()),
                Some(Stat {
                    user_ticks: 50,
                    system_ticks: 25,
                    resident_pages: 321,
                }),
                "{command}"
            );
        }
    }

    #[test]
    fn half_a_line_is_none() {
        assert_eq!(Stat::parse(b""), None);
        assert_eq!(Stat::parse(b"1 (a) S 1 2 3"), None);
    }
}
