//! What the keeper has not taken yet, in order.
//!
//! A keeper takes what it is told within microseconds, unless somebody has stopped it. Then newer
//! records replace older ones that wait, so that what waits is bounded by what there is.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use super::wire::{Put, Told};

/// Messages that wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Letter>,
    /// The last message about each key, by its number.
    latest: HashMap<Vec<u8>, u64>,
    /// The number of the first message that waits.
    first: u64,
}

/// A message that waits.
#[derive(Debug)]
pub(super) enum Letter {
    /// A record.
    Put(Record),
    /// Anything else.
    Packet(Vec<u8>),
}

/// A record that waits, with descriptors of its own.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) key: Vec<u8>,
    pub(super) pid: i32,
    pub(super) as_before: bool,
    pub(super) in_file: bool,
    pub(super) body: Vec<u8>,
    pub(super) descriptors: Vec<OwnedFd>,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Puts a record behind all others, or in place of an older one that waits.
    pub(super) fn put(&mut self, mut record: Record) {
        let waiting = self.latest.get(&record.key).and_then(|number| {
            let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
            self.queue.get_mut(place)
        });
        match waiting {
            Some(Letter::Put(older)) if !older.in_file => {
                if record.as_before {
                    record.as_before = older.as_before;
                    let own = std::mem::take(&mut older.descriptors);
                    // Its own, if there is one, is the body.
                    record.descriptors.extend(own);
                }
                *older = record;
            }
            _ => {
                let key = record.key.clone();
                let number = self.push(Letter::Put(record));
                self.latest.insert(key, number);
            }
        }
    }

    /// Puts another message behind all others. A record of `key` that comes later does not go before it.
    pub(super) fn tell(&mut self, packet: Vec<u8>, key: Option<&[u8]>) {
        let number = self.push(Letter::Packet(packet));
        if let Some(key) = key {
            self.latest.insert(key.to_vec(), number);
        }
    }

    /// Forgets all records that wait: they are out of date.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Offers messages in order until one is not taken.
    pub(super) fn offer<E>(
        &mut self,
        mut take: impl FnMut(&Letter) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(letter) = self.queue.front() {
            take(letter)?;
            self.queue.pop_front();
            self.first += 1;
        }
        *self = Self::default();
        Ok(())
    }

    fn push(&mut self, letter: Letter) -> u64 {
        let number = self.first + self.queue.len() as u64;
        self.queue.push_back(letter);
        number
    }
}

impl Letter {
    /// The packet, and what goes with it.
    pub(super) fn write(&self) -> (Vec<u8>, Vec<RawFd>) {
        match self {
            Self::Packet(packet) => (packet.clone(), Vec::new()),
            Self::Put(record) => {
                let put = Told::Put(Put {
                    key: &record.key,
                    pid: record.pid,
                    as_before: record.as_before,
                    in_file: record.in_file,
                    body: &record.body,
                });
                let descriptors = record.descriptors.iter();
                (put.write(), descriptors.map(OwnedFd::as_raw_fd).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn record(key: &[u8], body: &[u8]) -> Record {
        Record {
            key: key.to_vec(),
            pid: 7,
            as_before: false,
            in_file: false,
            body: body.to_vec(),
            descriptors: Vec::new(),
        }
    }

    fn all(outbox: &mut Outbox) -> Vec<(Vec<u8>, usize)> {
        let mut taken = Vec::new();
        let offered = outbox.offer(|letter| {
            let (packet, descriptors) = letter.write();
            taken.push((packet, descriptors.len()));
            Ok::<_, ()>(())
        });
        assert_eq!(offered, Ok(()));
        assert!(outbox.is_empty());
        taken
    }

    fn packet(record: &Record) -> Vec<u8> {
        let put = Put {
            key: &record.key,
            pid: record.pid,
            as_before: record.as_before,
            in_file: record.in_file,
            body: &record.body,
        };
        Told::Put(put).write()
    }

    #[test]
    fn newer_records_replace_older_ones_in_their_place() {
        let mut outbox = Outbox::default();
        outbox.put(record(b"a", b"1"));
        outbox.put(record(b"b", b"2"));
        outbox.put(record(b"a", b"3"));
        let expected = [record(b"a", b"3"), record(b"b", b"2")];
        let expected: Vec<_> = expected.iter().map(|it| (packet(it), 0)).collect();
        assert_eq!(all(&mut outbox), expected);
    }

    #[test]
    fn descriptors_of_the_record_before_are_not_lost() {
        let mut outbox = Outbox::default();
        let open = || OwnedFd::from(File::open("/dev/null").unwrap());
        outbox.put(Record {
            descriptors: vec![open(), open()],
            ..record(b"a", b"1")
        });
        let again = Record {
            as_before: true,
            ..record(b"a", b"2")
        };
        outbox.put(again);
        assert_eq!(all(&mut outbox), [(packet(&record(b"a", b"2")), 2)]);
    }

    #[test]
    fn nothing_overtakes() {
        let mut outbox = Outbox::default();
        outbox.put(record(b"a", b"1"));
        outbox.tell(b"forget".to_vec(), Some(b"a"));
        outbox.put(record(b"a", b"2"));
        let expected = [
            (packet(&record(b"a", b"1")), 0),
            (b"forget".to_vec(), 0),
            (packet(&record(b"a", b"2")), 0),
        ];
        assert_eq!(all(&mut outbox), expected);
        outbox.put(record(b"a", b"1"));
        outbox.clear();
        assert!(all(&mut outbox).is_empty());
    }

    #[test]
    fn what_is_not_taken_waits() {
        let mut outbox = Outbox::default();
        outbox.put(record(b"a", b"1"));
        outbox.put(record(b"b", b"1"));
        let mut count = 0;
        let offered = outbox.offer(|_| {
            count += 1;
            if count == 2 { Err(()) } else { Ok(()) }
        });
        assert_eq!(offered, Err(()));
        outbox.put(record(b"b", b"2"));
        assert_eq!(all(&mut outbox), [(packet(&record(b"b", b"2")), 0)]);
    }
}
