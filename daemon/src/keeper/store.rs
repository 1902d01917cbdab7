//! What the keeper has been told: records by key, each with the descriptors that belong to it.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use super::wire::{Ending, LeftBody, LeftRecord, Put};

/// All records.
#[derive(Debug, Default)]
pub(super) struct Store {
    records: BTreeMap<Vec<u8>, Record>,
    /// How many records name each pid.
    named: BTreeMap<i32, usize>,
    /// Named ones that the daemon has reaped.
    reaped: BTreeMap<i32, Ending>,
}

#[derive(Debug)]
struct Record {
    pid: i32,
    body: Body,
    descriptors: Box<[OwnedFd]>,
}

#[derive(Debug)]
enum Body {
    Bytes(Box<[u8]>),
    File(OwnedFd),
}

impl Store {
    /// Takes a record in place of the one of this key; answers the pid that nobody names any more.
    pub(super) fn put(&mut self, put: &Put<'_>, descriptors: Vec<OwnedFd>) -> Option<i32> {
        let mut descriptors = descriptors.into_iter();
        let file = put.in_file.then(|| descriptors.next()).flatten();
        let before = self.records.remove(put.key);
        *self.named.entry(put.pid).or_default() += 1;
        let released = before.as_ref().and_then(|it| self.release(it.pid));
        let descriptors = match before {
            Some(before) if put.as_before => before.descriptors,
            _ => descriptors.collect(),
        };
        let record = Record {
            pid: put.pid,
            body: file.map_or_else(|| Body::Bytes(put.body.into()), Body::File),
            descriptors,
        };
        self.records.insert(put.key.into(), record);
        released
    }

    /// Drops a record; answers the pid that nobody names any more.
    pub(super) fn forget(&mut self, key: &[u8]) -> Option<i32> {
        let record = self.records.remove(key)?;
        self.release(record.pid)
    }

    /// Drops all records; answers the pids that were named.
    pub(super) fn clear(&mut self) -> Vec<i32> {
        let pids = self.pids().collect();
        *self = Self::default();
        pids
    }

    /// The daemon has reaped a child.
    pub(super) fn note(&mut self, ending: Ending) {
        if self.names(ending.pid) {
            self.reaped.insert(ending.pid, ending);
        }
    }

    /// How a pid that is named has ended, if the daemon has reaped it.
    pub(super) fn reaped(&self, pid: i32) -> Option<Ending> {
        self.reaped.get(&pid).copied()
    }

    /// Whether there is nothing to know.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether a record is about this child.
    pub(super) fn names(&self, pid: i32) -> bool {
        self.named.contains_key(&pid)
    }

    /// The children that records are about.
    pub(super) fn pids(&self) -> impl Iterator<Item = i32> {
        self.named.keys().copied().filter(|pid| *pid > 0)
    }

    /// The records for a successor.
    pub(super) fn left(&self) -> Vec<LeftRecord> {
        let records = self.records.iter();
        let left = |(key, record): (_, &Record)| LeftRecord {
            key: Vec::clone(key),
            body: match &record.body {
                Body::Bytes(body) => LeftBody::Bytes(body.to_vec()),
                Body::File(file) => LeftBody::File(file.as_raw_fd()),
            },
            descriptors: record.descriptors.iter().map(OwnedFd::as_raw_fd).collect(),
        };
        records.map(left).collect()
    }

    /// The descriptors of all records, bodies in files included.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        let of = |record: &Record| {
            let file = match &record.body {
                Body::File(file) => Some(file.as_raw_fd()),
                Body::Bytes(_) => None,
            };
            let own = record.descriptors.iter().map(OwnedFd::as_raw_fd);
            own.chain(file).collect::<Vec<_>>()
        };
        self.records.values().flat_map(of).collect()
    }

    fn release(&mut self, pid: i32) -> Option<i32> {
        let count = self.named.get_mut(&pid)?;
        *count -= 1;
        if *count > 0 {
            return None;
        }
        self.named.remove(&pid);
        self.reaped.remove(&pid);
        (pid > 0).then_some(pid)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;
    use crate::sys::handover::is_open;

    fn put(key: &[u8], pid: i32) -> Put<'_> {
        Put {
            key,
            pid,
            as_before: false,
            in_file: false,
            body: b"body",
        }
    }

    fn open() -> OwnedFd {
        File::open("/dev/null").unwrap().into()
    }

    fn ending(pid: i32) -> Ending {
        Ending {
            pid,
            status: 0,
            peak_memory: 0,
            cpu: Duration::ZERO,
            at: Duration::ZERO,
        }
    }

    #[test]
    fn a_pid_is_named_until_the_last_record_lets_go_of_it() {
        let mut store = Store::default();
        assert_eq!(store.put(&put(b"a", 7), Vec::new()), None);
        assert_eq!(store.put(&put(b"a", 7), Vec::new()), None);
        assert_eq!(store.put(&put(b"b", 7), Vec::new()), None);
        assert!(store.names(7) && !store.names(8));
        assert_eq!(store.put(&put(b"a", 0), Vec::new()), None);
        assert_eq!(store.put(&put(b"b", 8), Vec::new()), Some(7));
        assert_eq!(store.pids().collect::<Vec<_>>(), [8]);
        assert_eq!(store.forget(b"a"), None);
        assert_eq!(store.forget(b"b"), Some(8));
        assert_eq!(store.forget(b"b"), None);
        assert!(store.is_empty());
        store.put(&put(b"a", 9), Vec::new());
        assert_eq!(store.clear(), [9]);
        assert!(store.is_empty() && !store.names(9));
    }

    #[test]
    fn only_ends_that_matter_are_noted() {
        let mut store = Store::default();
        store.note(ending(7));
        assert_eq!(store.reaped(7), None);
        store.put(&put(b"a", 7), Vec::new());
        store.note(ending(7));
        assert_eq!(store.reaped(7), Some(ending(7)));
        store.put(&put(b"a", 0), Vec::new());
        store.put(&put(b"a", 7), Vec::new());
        assert_eq!(store.reaped(7), None, "another one with this pid");
    }

    #[test]
    fn descriptors_stay_or_are_replaced() {
        let mut store = Store::default();
        let (first, file) = (open(), open());
        let numbers = [first.as_raw_fd(), file.as_raw_fd()];
        store.put(&put(b"a", 7), vec![first]);
        let again = Put {
            as_before: true,
            body: b"newer",
            ..put(b"a", 7)
        };
        store.put(&again, Vec::new());
        let left = store.left();
        assert_eq!(left[0].descriptors, numbers[..1]);
        assert_eq!(left[0].body, LeftBody::Bytes(b"newer".to_vec()));
        let in_file = Put {
            in_file: true,
            body: b"",
            ..put(b"a", 7)
        };
        store.put(&in_file, vec![file]);
        assert!(!is_open(numbers[0]));
        assert_eq!(store.left()[0].body, LeftBody::File(numbers[1]));
        assert_eq!(store.descriptors(), numbers[1..]);
        store.forget(b"a");
        assert!(!is_open(numbers[1]));
    }
}
