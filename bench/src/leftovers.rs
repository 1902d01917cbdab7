//! Directories that stay until everything is measured.
//!
//! ext4 gives no inode away again for half a minute after it was freed, and looks at every such inode of a group when it
//! needs a new one: deleting the 2,000 logs of one round makes the next one's creation ten times as slow.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// So many files are worth it.
const CROWD: usize = 50;

static LEFT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Has a directory with many files stay for now.
pub(crate) fn keep_crowded(dir: &mut TempDir) {
    let entries = fs::read_dir(dir.path()).map_or(0, Iterator::count);
    if entries < CROWD {
        return;
    }
    dir.disable_cleanup(true);
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    left.push(dir.path().to_owned());
}

/// Deletes what has been kept.
pub(crate) fn delete() {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    for dir in left.drain(..) {
        // Somebody else may have been faster.
        let _ = fs::remove_dir_all(dir);
    }
}
