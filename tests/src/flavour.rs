//! Which implementation a fixture runs.

use std::env;
use std::path::PathBuf;

use crate::{originals, workspace};

/// The original or ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Supervisor 4.3.0 and superlance 2.0.0.
    Original,
    /// The binaries of this workspace.
    Ours,
}

impl Flavour {
    /// The implementation the suites hold to their expectations: ours, unless `CALLBOARD_FLAVOUR` is `original`.
    pub fn under_test() -> Self {
        match env::var("CALLBOARD_FLAVOUR").as_deref() {
            Ok("original") => Self::Original,
            _ => Self::Ours,
        }
    }

    /// The path of `supervisord`, `supervisorctl`, `memmon`, `httpok` or `crashmail`.
    pub fn command(self, name: &str) -> PathBuf {
        match self {
            Self::Original => originals::command(name),
            Self::Ours => workspace::binary(name),
        }
    }
}
