//! Logs in real directories, against a model of what must be in them.

use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::*;

const MAXBYTES: u64 = 1 << 20;

fn entry(position: u64, payload: &str) -> Entry<'_> {
    Entry {
        position,
        poolserial: position + 10,
        serial: position + 20,
        raised: 5,
        name: "TICK_5",
        payload,
    }
}

fn directory() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    (directory, path)
}

fn open(path: &Path) -> (Journal, Restored) {
    Journal::open(path, MAXBYTES).unwrap()
}

fn read(journal: &mut Journal) -> Option<u64> {
    match journal.read_next()? {
        Read::Event(event) => Some(event.position),
        Read::Lost(count, why) => panic!("{count} lost: {why}"),
    }
}

fn read_all(journal: &mut Journal) -> Vec<u64> {
    std::iter::from_fn(|| read(journal)).collect()
}

fn segments(path: &Path) -> Vec<std::path::PathBuf> {
    let files = Files::new(path);
    let numbers = files.numbers().unwrap();
    numbers
        .into_iter()
        .map(|number| files.segment(number))
        .collect()
}

#[test]
fn events_come_back_as_they_were() {
    let (_directory, path) = directory();
    let (mut journal, restored) = open(&path);
    assert_eq!(restored, Restored::default());
    journal.append(&entry(0, "when:5"), false).unwrap();
    drop(journal);
    let (mut journal, restored) = open(&path);
    let counters = Counters {
        position: 1,
        poolserial: 11,
        serial: 21,
    };
    let expected = Restored {
        events: 1,
        counters,
        lost: 0,
        flaws: Vec::new(),
    };
    assert_eq!(restored, expected);
    let Some(Read::Event(event)) = journal.read_next() else {
        panic!("an event");
    };
    let expected = Stored {
        position: 0,
        poolserial: 10,
        serial: 20,
        raised: 5,
        name: "TICK_5".to_owned(),
        payload: "when:5".to_owned(),
    };
    assert_eq!(event, expected);
    let mode = segments(&path)[0].metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_numbers_go_on_though_everything_is_settled() {
    let (_directory, path) = directory();
    let (mut journal, _) = open(&path);
    let payload = "x".repeat(10_000);
    for position in 0..30 {
        journal.append(&entry(position, &payload), true).unwrap();
        journal.settle(position).unwrap();
    }
    assert_eq!(segments(&path).len(), 1, "what is settled goes");
    assert!(journal.bytes() < 100_000);
    drop(journal);
    let (_journal, restored) = open(&path);
    assert_eq!((restored.events, restored.counters.poolserial), (0, 40));
}

#[test]
fn the_oldest_go_when_there_is_no_room() {
    let (_directory, path) = directory();
    let (mut journal, _) = open(&path);
    let payload = "x".repeat(10_000);
    let mut dropped = 0;
    for position in 0..300 {
        journal.append(&entry(position, &payload), false).unwrap();
        dropped += journal.take_dropped().unread;
        assert!(journal.bytes() <= MAXBYTES);
    }
    assert!((195..=210).contains(&dropped), "{dropped}");
    assert_eq!(read_all(&mut journal), (dropped..300).collect::<Vec<_>>());
    let on_disk: u64 = segments(&path)
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert_eq!(on_disk, journal.bytes());
}

#[test]
fn an_event_larger_than_all_room_is_kept_alone() {
    let (_directory, path) = directory();
    let (mut journal, _) = open(&path);
    journal.append(&entry(0, "small"), false).unwrap();
    let large = "x".repeat(2 * MAXBYTES as usize);
    journal.append(&entry(1, &large), false).unwrap();
    let dropped = Dropped {
        unread: 1,
        up_to: Some(0),
    };
    assert_eq!(journal.take_dropped(), dropped);
    assert_eq!(read_all(&mut journal), [1]);
    journal.append(&entry(2, "small"), false).unwrap();
    assert_eq!(read_all(&mut journal), [2]);
}

#[test]
fn a_torn_end_is_cut_off_and_told() {
    let (_directory, path) = directory();
    let (mut journal, _) = open(&path);
    for position in 0..2 {
        journal.append(&entry(position, "x"), false).unwrap();
    }
    drop(journal);
    let segment = segments(&path)[0].clone();
    let bytes = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &bytes[..bytes.len() - 1]).unwrap();
    let (mut journal, restored) = open(&path);
    assert_eq!(restored.events, 1);
    assert_eq!(restored.flaws.len(), 1, "{:?}", restored.flaws);
    journal.append(&entry(1, "again"), false).unwrap();
    assert_eq!(read_all(&mut journal), [0, 1]);
    drop(journal);
    assert_eq!(open(&path).1.flaws, Vec::<String>::new());
}

#[test]
fn what_was_just_begun_or_is_not_ours_is_seen() {
    let (_directory, path) = directory();
    drop(open(&path));
    let files = Files::new(&path);
    std::fs::write(files.segment(7), "callb").unwrap();
    let (journal, restored) = open(&path);
    assert_eq!(restored.flaws, Vec::<String>::new());
    assert!(!files.segment(7).exists());
    drop(journal);
    std::fs::write(files.segment(8), "something else entirely").unwrap();
    assert!(Journal::open(&path, MAXBYTES).is_err());
    assert!(files.segment(8).exists());
}

/// Changes a bit of a file.
fn damage(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn damage_while_it_is_in_use_costs_one_event() {
    let (_directory, path) = directory();
    let (mut journal, _) = open(&path);
    let payload = "x".repeat(40_000);
    for position in 0..6 {
        journal.append(&entry(position, &payload), false).unwrap();
    }
    // Each segment has two.
    damage(&segments(&path)[0], 45_000);
    damage(&segments(&path)[1], 10_000);
    assert_eq!(read(&mut journal), Some(0));
    for _ in 0..2 {
        let Some(Read::Lost(1, why)) = journal.read_next() else {
            panic!("a loss");
        };
        assert!(why.contains("there is no record"), "{why}");
    }
    assert_eq!(read_all(&mut journal), [3, 4, 5]);
}

#[test]
fn damage_found_at_start_is_counted_and_what_follows_is_read() {
    let (_directory, path) = directory();
    let (mut journal, _) = open(&path);
    for position in 0..9 {
        journal.append(&entry(position, "payload"), false).unwrap();
    }
    for position in 0..2 {
        assert_eq!(read(&mut journal), Some(position));
        journal.settle(position).unwrap();
    }
    drop(journal);
    let segment = segments(&path)[0].clone();
    let length = segment.metadata().unwrap().len();
    let record = 8 + 1 + 4 * 8 + 1 + 6 + 7;
    // Within the numbers of 1, which is settled, within the payload of 4, the length of 6.
    for at in [record + 20, 4 * record + 50, 6 * record] {
        damage(&segment, BEGINNING as usize + at);
    }
    let (mut journal, restored) = open(&path);
    assert_eq!((restored.events, restored.lost), (5, 2));
    assert_eq!(restored.counters.position, 9);
    assert_eq!(restored.flaws.len(), 3, "{:?}", restored.flaws);
    assert_eq!(
        segment.metadata().unwrap().len(),
        length,
        "nothing is cut off"
    );
    journal.append(&entry(9, "new"), false).unwrap();
    assert_eq!(read_all(&mut journal), [2, 3, 5, 7, 8, 9]);
    for position in [2, 3, 5, 7, 8, 9] {
        journal.settle(position).unwrap();
    }
    assert!(journal.is_settled());
    drop(journal);
    assert_eq!(open(&path).1.lost, 0, "counted once");
}

#[test]
fn a_log_with_nothing_to_deliver_can_be_emptied_in_place() {
    let (_directory, path) = directory();
    let (mut journal, _) = open(&path);
    let payload = "x".repeat(10_000);
    for position in 0..3 {
        journal.append(&entry(position, &payload), true).unwrap();
    }
    for position in 0..3 {
        journal.settle(position).unwrap();
    }
    let old = std::fs::read(&segments(&path)[0]).unwrap();
    journal.begin_again().unwrap();
    let new = std::fs::read(&segments(&path)[0]).unwrap();
    assert_eq!((new.len() as u64, journal.bytes()), (BEGINNING, BEGINNING));
    journal.append(&entry(3, "x"), false).unwrap();
    assert_eq!(read_all(&mut journal), [3]);
    drop(journal);
    assert_eq!(open(&path).1.counters.poolserial, 14);
    // A crash in the middle of it leaves the numbers and the events.
    let between = [&new[..], &old[BEGINNING as usize..]].concat();
    std::fs::write(&segments(&path)[0], between).unwrap();
    let restored = open(&path).1;
    assert_eq!((restored.lost, restored.flaws.len()), (0, 0));
    assert_eq!(restored.counters.poolserial, 13);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Append {
        size: usize,
        direct: bool,
    },
    Read,
    /// The event at this place among those in memory, out of 8.
    Settle(usize),
    /// The daemon is killed and starts again.
    Reopen,
    /// So is it, and the last bytes are cut off.
    Tear(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0usize..9000, any::<bool>()).prop_map(|(size, direct)| Step::Append { size, direct }),
        5 => Just(Step::Read),
        6 => (0usize..8).prop_map(Step::Settle),
        1 => Just(Step::Reopen),
        1 => (1usize..200).prop_map(Step::Tear),
    ]
}

/// What must be in a log.
#[derive(Default)]
struct Model {
    unread: VecDeque<u64>,
    memory: Vec<u64>,
    next: u64,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Everything that is not settled is read, once per life of the daemon, in order. What a torn
    /// end takes away is the newest event, or what struck out one, which then comes again.
    #[test]
    fn the_log_is_a_queue(steps in prop::collection::vec(step(), 1..150)) {
        let (_directory, path) = directory();
        let mut journal = open(&path).0;
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Append { size, direct } => {
                    let direct = direct && model.unread.is_empty();
                    journal.append(&entry(model.next, &"x".repeat(size)), direct).unwrap();
                    match direct {
                        true => model.memory.push(model.next),
                        false => model.unread.push_back(model.next),
                    }
                    model.next += 1;
                }
                Step::Read => {
                    let expected = model.unread.pop_front();
                    prop_assert_eq!(read(&mut journal), expected);
                    model.memory.extend(expected);
                }
                Step::Settle(place) if !model.memory.is_empty() => {
                    let place = place % model.memory.len();
                    journal.settle(model.memory.remove(place)).unwrap();
                }
                Step::Settle(_) => {}
                Step::Reopen => {
                    drop(journal);
                    let (opened, restored) = open(&path);
                    journal = opened;
                    model.memory.extend(model.unread.drain(..));
                    model.memory.sort_unstable();
                    model.unread = std::mem::take(&mut model.memory).into();
                    prop_assert_eq!(restored.counters.position, model.next);
                    prop_assert_eq!(&restored.flaws, &Vec::<String>::new());
                }
                Step::Tear(bytes) => {
                    drop(journal);
                    let last = segments(&path).pop().unwrap();
                    let length = last.metadata().unwrap().len().saturating_sub(bytes as u64);
                    let file = std::fs::OpenOptions::new().write(true).open(last).unwrap();
                    file.set_len(length).unwrap();
                    let (opened, restored) = open(&path);
                    journal = opened;
                    // The numbers of what is gone are free again.
                    model.next = restored.counters.position;
                    let found = read_all(&mut journal);
                    prop_assert!(found.is_sorted());
                    model.memory.extend(model.unread.drain(..));
                    model.memory.sort_unstable();
                    // Ones that were settled may be back; of the others only the newest are gone.
                    let newest = found.last().copied();
                    let kept = model.memory.iter().filter(|position| Some(**position) <= newest);
                    prop_assert!(kept.clone().all(|position| found.contains(position)));
                    model.memory = found;
                }
            }
            prop_assert_eq!(journal.unread(), model.unread.len() as u64);
        }
        drop(journal);
        let (mut journal, restored) = open(&path);
        model.memory.extend(model.unread);
        model.memory.sort_unstable();
        prop_assert_eq!(restored.events, model.memory.len() as u64);
        prop_assert_eq!(read_all(&mut journal), model.memory);
    }
}
