//! The differences from the original that are wanted.
//!
//! Each entry excuses lines of one scenario; an entry that excuses nothing is out of date and fails it.

/// Whose line an entry excuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A line only the original has.
    Original,
    /// A line only ours has.
    Ours,
}

/// A wanted difference.
#[derive(Debug, Clone, Copy)]
pub struct Deliberate {
    /// The scenario's name.
    pub scenario: &'static str,
    /// Whose line.
    pub side: Side,
    /// A part of the line.
    pub pattern: &'static str,
    /// Why the difference is better than sameness.
    pub reason: &'static str,
}

/// All wanted differences.
pub const DELIBERATE: &[Deliberate] = &[];
