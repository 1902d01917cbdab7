//! Line differences, for people to read.

use std::fmt;

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// In both.
    Both(String),
    /// Only the original has it.
    Original(String),
    /// Only ours has it.
    Ours(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Both(text) => write!(f, "  {text}"),
            Self::Original(text) => write!(f, "- {text}"),
            Self::Ours(text) => write!(f, "+ {text}"),
        }
    }
}

/// Compares by the longest common subsequence.
pub fn compare(original: &[String], ours: &[String]) -> Vec<Line> {
    let lengths = common_lengths(original, ours);
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < original.len() || j < ours.len() {
        if i < original.len() && j < ours.len() && original[i] == ours[j] {
            lines.push(Line::Both(original[i].clone()));
            (i, j) = (i + 1, j + 1);
        } else if j == ours.len() || (i < original.len() && lengths[i + 1][j] >= lengths[i][j + 1])
        {
            lines.push(Line::Original(original[i].clone()));
            i += 1;
        } else {
            lines.push(Line::Ours(ours[j].clone()));
            j += 1;
        }
    }
    lines
}

/// For each pair of tails, the length of their longest common subsequence.
fn common_lengths(a: &[String], b: &[String]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] = if a[i] == b[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_keep_their_place() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let shown: Vec<_> = compare(&lines("a b c d"), &lines("a x c d e"))
            .iter()
            .map(Line::to_string)
            .collect();
        assert_eq!(shown, ["  a", "- b", "+ x", "  c", "  d", "+ e"]);
    }
}
