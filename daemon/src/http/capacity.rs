//! How many connections there may be: descriptors are needed for programs as well.

use std::cell::Cell;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::rc::Rc;

use nix::sys::resource::{Resource, getrlimit};

/// Connections that are served however few descriptors there are: an operator must get in.
const ALWAYS: usize = 16;

/// Descriptors kept free for programs at least: enough to start several at once.
const RESERVE: u64 = 64;

/// Counts connections; clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Capacity(Rc<Cell<usize>>);

/// A connection that counts.
#[derive(Debug)]
pub(super) struct Place(Capacity);

impl Capacity {
    /// A place for a connection that was just accepted, if there is one. The system hands out the lowest free
    /// descriptor, so its number tells how many are in use.
    pub(super) fn admit(&self, connection: BorrowedFd<'_>) -> Option<Place> {
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        if !has_place(self.0.get(), connection.as_raw_fd(), limit) {
            return None;
        }
        Some(self.keep())
    }

    /// A place for a connection that has had one.
    pub(super) fn keep(&self) -> Place {
        self.0.set(self.0.get() + 1);
        Place(self.clone())
    }

    /// Connections at the moment.
    pub(super) fn taken(&self) -> usize {
        self.0.get()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let taken = &self.0.0;
        taken.set(taken.get().saturating_sub(1));
    }
}

fn has_place(taken: usize, descriptor: RawFd, limit: u64) -> bool {
    let reserve = RESERVE.max(limit / 8);
    let descriptor = u64::try_from(descriptor).unwrap_or(0);
    taken < ALWAYS || descriptor < limit.saturating_sub(reserve)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn descriptors_are_left_for_programs() {
        let rows = [
            (0, 5, 1024, true),
            (500, 895, 1024, true),
            (500, 896, 1024, false),
            (15, 1020, 1024, true),
            (16, 1020, 1024, false),
            (16, 200, 256, false),
            (16, 191, 256, true),
            (16, 5, 20, false),
            (100_000, 100_100, u64::MAX, true),
        ];
        for (taken, descriptor, limit, expected) in rows {
            assert_eq!(
                has_place(taken, descriptor, limit),
                expected,
                "{taken} {descriptor} of {limit}"
            );
        }
    }

    #[test]
    fn places_are_given_back() {
        let capacity = Capacity::default();
        let file = std::fs::File::open("/dev/null").unwrap();
        let place = capacity.admit(file.as_fd());
        assert_eq!((place.is_some(), capacity.taken()), (true, 1));
        drop(place);
        assert_eq!(capacity.taken(), 0);
    }
}
