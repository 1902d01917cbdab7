//! What listeners have written down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// An event as a listener was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) serial: u64,
    pub(super) name: String,
    /// Line feeds are written as `|`.
    pub(super) payload: String,
}

/// What a pool was told between two reloads, by the pool's own number.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) events: BTreeMap<u64, Told>,
    /// How often an event was told again.
    pub(super) repeated: usize,
    /// What does not fit together.
    pub(super) contradictions: Vec<String>,
}

impl Record {
    /// Adds the lines of a listener's file.
    fn take(&mut self, text: &str) {
        for line in text.lines() {
            let Some((number, told)) = parse(line) else {
                self.contradictions.push(format!("no record: {line:?}"));
                continue;
            };
            match self.events.insert(number, told) {
                None => {}
                Some(earlier) if earlier == self.events[&number] => self.repeated += 1,
                Some(earlier) => {
                    let later = &self.events[&number];
                    let text = format!("{number} is {earlier:?} and {later:?}");
                    self.contradictions.push(text);
                }
            }
        }
    }

    /// The ranges of numbers that are missing between the first and the last.
    pub(super) fn gaps(&self) -> Vec<(u64, u64)> {
        let numbers: Vec<u64> = self.events.keys().copied().collect();
        let first = numbers.first().filter(|first| **first > 0);
        let before = first.map(|first| (0, first - 1));
        let between = numbers
            .windows(2)
            .filter(|pair| pair[1] != pair[0] + 1)
            .map(|pair| (pair[0] + 1, pair[1] - 1));
        before.into_iter().chain(between).collect()
    }

    /// A later event of the bus with an earlier number of the pool.
    pub(super) fn disorder(&self) -> Option<String> {
        let events: Vec<_> = self.events.iter().collect();
        let pair = events
            .windows(2)
            .find(|pair| pair[0].1.serial >= pair[1].1.serial)?;
        Some(format!("{pair:?}"))
    }
}

fn parse(line: &str) -> Option<(u64, Told)> {
    let mut fields = line.splitn(4, ' ');
    let number = fields.next()?.parse().ok()?;
    let serial = fields.next()?.parse().ok()?;
    let name = fields.next()?.to_owned();
    let payload = fields.next()?.to_owned();
    Some((
        number,
        Told {
            serial,
            name,
            payload,
        },
    ))
}

/// The records of a pool by reload.
pub(super) fn read(directory: &Path, pool: &str) -> BTreeMap<u64, Record> {
    let mut records: BTreeMap<u64, Record> = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let mut parts = name.split('.');
        if parts.next() != Some(pool) {
            continue;
        }
        let Some(Ok(epoch)) = parts.next().map(str::parse) else {
            continue;
        };
        let text = fs::read(entry.path()).unwrap_or_default();
        let record = records.entry(epoch).or_default();
        record.take(&String::from_utf8_lossy(&text));
    }
    records
}

/// Puts the records of all reloads together.
pub(super) fn join(records: BTreeMap<u64, Record>) -> Record {
    let mut all = Record::default();
    for (_, record) in records {
        all.repeated += record.repeated;
        all.contradictions.extend(record.contradictions);
        for (number, told) in record.events {
            match all.events.get(&number) {
                None => drop(all.events.insert(number, told)),
                Some(earlier) if *earlier == told => all.repeated += 1,
                Some(earlier) => {
                    let text = format!("{number} is {earlier:?} and {told:?}");
                    all.contradictions.push(text);
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_repetitions_and_contradictions_are_found() {
        let mut record = Record::default();
        record.take("1 10 A x|y\n2 11 B \n1 10 A x|y\n5 12 C z\n");
        assert_eq!(record.gaps(), [(0, 0), (3, 4)]);
        assert_eq!((record.repeated, record.disorder()), (1, None));
        assert!(record.contradictions.is_empty());
        record.take("5 13 C z\nwhat\n6 9 D z\n");
        assert_eq!(record.contradictions.len(), 2);
        assert!(record.disorder().is_some());
    }
}
