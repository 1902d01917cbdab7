//! End-to-end suites: real daemons, real programs, real listeners.
//!
//! One executable, one module per subject. `differential` holds the comparisons with the original; the other
//! suites state what is expected in so many words.

mod harness;
