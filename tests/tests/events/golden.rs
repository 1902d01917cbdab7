//! Every type of event, byte for byte.
//!
//! The files in `golden/` are what the original sends, one file for each type; [`record`](crate::record) says what they leave
//! out. Both the original and ours are held to them. `UPDATE_GOLDEN=1` writes them anew, from the original.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use callboard_tests::{Event, Flavour, diff};

use crate::record::text;
use crate::stream;

/// All types a listener can be told of.
const TYPES: [&str; 20] = [
    "PROCESS_COMMUNICATION_STDERR",
    "PROCESS_COMMUNICATION_STDOUT",
    "PROCESS_GROUP_ADDED",
    "PROCESS_GROUP_REMOVED",
    "PROCESS_LOG_STDERR",
    "PROCESS_LOG_STDOUT",
    "PROCESS_STATE_BACKOFF",
    "PROCESS_STATE_EXITED",
    "PROCESS_STATE_FATAL",
    "PROCESS_STATE_RUNNING",
    "PROCESS_STATE_STARTING",
    "PROCESS_STATE_STOPPED",
    "PROCESS_STATE_STOPPING",
    "PROCESS_STATE_UNKNOWN",
    "REMOTE_COMMUNICATION",
    "SUPERVISOR_STATE_CHANGE_RUNNING",
    "SUPERVISOR_STATE_CHANGE_STOPPING",
    "TICK_3600",
    "TICK_5",
    "TICK_60",
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events/golden")
}

/// The golden files a daemon's events make, by type.
fn files(events: &[Event]) -> BTreeMap<String, String> {
    let names: BTreeSet<_> = events.iter().map(Event::name).collect();
    let file = |name: &str| text(events.iter().filter(|event| event.name() == name));
    names
        .into_iter()
        .map(|name| (name.to_owned(), file(name)))
        .collect()
}

/// Events of the original and ours, recorded at the same time.
fn both(record: fn(Flavour) -> Vec<Event>) -> [Vec<Event>; 2] {
    thread::scope(|scope| {
        [Flavour::Original, Flavour::Ours]
            .map(|flavour| scope.spawn(move || record(flavour)))
            .map(|thread| thread.join().expect("recorded"))
    })
}

fn check(record: fn(Flavour) -> Vec<Event>) {
    let [original, ours] = both(record).map(|events| files(&events));
    if env::var_os("UPDATE_GOLDEN").is_some() {
        for (name, text) in &original {
            fs::write(directory().join(format!("{name}.txt")), text).expect("a writable directory");
        }
    }
    let report: String = [("the original", &original), ("ours", &ours)]
        .into_iter()
        .flat_map(|(whose, files)| {
            files
                .iter()
                .map(move |(name, text)| judge(whose, name, text))
        })
        .collect();
    assert!(report.is_empty(), "not as recorded\n{report}");
    assert!(original.keys().eq(ours.keys()));
}

/// The difference of a daemon's events of a type from the recorded ones, for people; nothing if there is none.
fn judge(whose: &str, name: &str, text: &str) -> String {
    let golden = fs::read_to_string(directory().join(format!("{name}.txt"))).expect(name);
    if text == golden {
        return String::new();
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let lines = diff::compare(&lines(&golden), &lines(text));
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("{name}: recorded (-), {whose} (+)\n{lines}")
}

#[test]
fn everything_but_time_is_told_as_recorded() {
    check(stream::record);
}

#[test]
fn time_is_told_as_recorded() {
    check(stream::record_ticks);
}

#[test]
fn there_is_a_recording_of_every_type() {
    let names = fs::read_dir(directory()).expect("a directory").flatten();
    let names: BTreeSet<_> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let want: BTreeSet<_> = TYPES.iter().map(|name| format!("{name}.txt")).collect();
    assert_eq!(names, want);
}
