//! What was waiting in memory when its pool was removed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// How many events went with their pool, by its name: a pool that takes its place tells of them as
/// discarded. Clones share the numbers.
#[derive(Debug, Clone, Default)]
pub struct Abandoned(Rc<RefCell<HashMap<String, u64>>>);

impl Abandoned {
    /// So many more.
    pub(crate) fn note(&self, pool: &str, count: u64) {
        *self.0.borrow_mut().entry(pool.to_owned()).or_default() += count;
    }

    /// All the numbers, for another daemon.
    pub fn counts(&self) -> HashMap<String, u64> {
        self.0.borrow().clone()
    }

    /// Goes on with the numbers of another daemon.
    pub fn resume(&self, counts: HashMap<String, u64>) {
        *self.0.borrow_mut() = counts;
    }

    /// All of them, of pools of this name.
    pub(crate) fn of(&self, pool: &str) -> u64 {
        self.0.borrow().get(pool).copied().unwrap_or(0)
    }
}
