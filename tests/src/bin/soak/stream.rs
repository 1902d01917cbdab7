//! The bytes a program writes: a function of its name, of how often it has been started before, and of the channel.
//! Whoever knows these can tell each byte of a log, and each line tells by itself whether it is sound.
//!
//! A run begins with a header, `=== name run`. No other line has a `=`, so the end of one run is told from the beginning of
//! the next even where a kill has torn a line.

use callboard_tests::random::Random;

/// What begins a header.
pub(crate) const HEADER: &str = "=== ";

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Out,
    Err,
}

impl Channel {
    pub(crate) const ALL: [Self; 2] = [Self::Out, Self::Err];

    /// The extension of log files.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Err => "err",
        }
    }
}

/// The first line of a run.
pub(crate) fn header(name: &str, run: u64) -> String {
    format!("{HEADER}{name} {run}\n")
}

/// A line of a run, counted from 0; 30 to 180 bytes.
pub(crate) fn line(name: &str, channel: Channel, run: u64, number: u64) -> String {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz, all work and no play makes a dull log; ABCDEFGHIJKLMNOPQRSTUVWXYZ. and so it goes on and on and on ";
    let suffix = channel.suffix();
    let mut random = Random::new(u64::from(checksum(name)) << 32 ^ run << 20 ^ number);
    let length = random.below(LETTERS.len() as u64) as usize;
    sealed(format!(
        "{name} {suffix} {run} {number} {}",
        &LETTERS[..length]
    )) + "\n"
}

/// A text with its checksum behind it.
pub(crate) fn sealed(text: String) -> String {
    let checksum = checksum(&text);
    format!("{text} {checksum:08x}")
}

/// Whether a text without its line feed is a header, or one with the right checksum.
pub(crate) fn is_sound(text: &str) -> bool {
    // A kill may tear a line; the next run's header follows at once.
    text.contains(HEADER)
        || text
            .rsplit_once(' ')
            .is_some_and(|(text, sum)| sum == format!("{:08x}", checksum(text)))
}

/// FNV-1a.
pub(crate) fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sound_and_differ() {
        let mut seen = std::collections::BTreeSet::new();
        for (run, number) in [(0, 0), (0, 1), (1, 0), (7, 12345)] {
            for channel in Channel::ALL {
                let text = line("a_01", channel, run, number);
                assert!(is_sound(text.trim_end()), "{text}");
                assert!(!is_sound(&text[1..text.len() - 1]), "{text}");
                assert!(!text.contains('='), "{text}");
                assert_eq!(text, line("a_01", channel, run, number), "repeatable");
                assert!(seen.insert(text));
            }
        }
        assert!(is_sound(header("a", 3).trim_end()));
    }
}
