//! Events in real directories, with and without a disk that takes them.

use super::*;
use std::path::Path;

const LIMIT: Limit = Limit::Events(100);

fn storage(path: &Path) -> Storage {
    storage_of(path, 1 << 20)
}

fn storage_of(path: &Path, maxbytes: u64) -> Storage {
    let file = BufferFile {
        path: path.to_owned(),
        maxbytes,
        sync: SyncPolicy::Never,
    };
    let bus = BusHandle::start(Rc::default());
    Storage::new("pool", file, LIMIT, ActivityLog::holding(), bus)
}

fn dispatch() -> Dispatch {
    let mut dispatch = Dispatch::new(1, Limit::Bytes(usize::MAX));
    dispatch.running(0, true);
    dispatch
}

fn raise(storage: &mut Storage, dispatch: &mut Dispatch, payload: &str) {
    let event = dispatch.number(Arc::new(Envelope {
        serial: 0,
        event_type: EventType::Tick5,
        payload: payload.to_owned(),
        raised: 0,
    }));
    storage.accept(event, dispatch);
}

/// A listener takes everything there is.
fn deliver(storage: &mut Storage, dispatch: &mut Dispatch) -> Vec<(u64, String)> {
    let mut delivered = Vec::new();
    loop {
        storage.refill(dispatch);
        dispatch.ready(0);
        let Some((event, _)) = dispatch.accepted(0) else {
            return delivered;
        };
        storage.settle(&event);
        delivered.push((event.poolserial, event.envelope.payload.clone()));
    }
}

#[actix::test]
async fn a_window_is_in_memory_and_all_is_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let (mut storage, mut dispatch) = (storage(&path), dispatch());
    storage.open(&mut dispatch);
    for number in 0..3000 {
        raise(&mut storage, &mut dispatch, &number.to_string());
    }
    assert_eq!(dispatch.waiting(), WINDOW.0);
    assert_eq!(storage.waiting(), 3000 - WINDOW.0 as u64);
    let delivered = deliver(&mut storage, &mut dispatch);
    let expected: Vec<_> = (0..3000)
        .map(|number| (number, number.to_string()))
        .collect();
    assert_eq!(delivered, expected);
    assert_eq!(storage.waiting(), 0);
}

#[actix::test]
async fn what_came_before_the_files_could_be_opened_comes_behind_what_is_in_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let (mut first, mut of_first) = (storage(&path), dispatch());
    first.open(&mut of_first);
    for payload in ["a", "b"] {
        raise(&mut first, &mut of_first, payload);
    }
    let (mut second, mut of_second) = (storage(&path), dispatch());
    second.open(&mut of_second);
    assert!(second.is_failing(), "the files are locked");
    for payload in ["c", "d"] {
        raise(&mut second, &mut of_second, payload);
    }
    second.retry(&mut of_second);
    assert!(second.is_failing(), "still");
    first.closer().close();
    raise(&mut first, &mut of_first, "too late");
    second.retry(&mut of_second);
    assert!(!second.is_failing());
    raise(&mut second, &mut of_second, "e");
    let delivered = deliver(&mut second, &mut of_second);
    let numbers: Vec<_> = delivered.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers[..2], [0, 1]);
    assert!(numbers[2] > 1_000_000_000_000, "{numbers:?}");
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let payloads: Vec<_> = delivered.iter().map(|(_, payload)| &**payload).collect();
    assert_eq!(payloads, ["a", "b", "c", "d", "e"]);
    second.closer().close();
    let (mut third, mut of_third) = (storage(&path), dispatch());
    third.open(&mut of_third);
    assert_eq!(deliver(&mut third, &mut of_third), []);
}

/// The event in flight is in no file any more when another daemon goes on.
#[actix::test]
async fn a_successor_reads_no_more_than_a_window() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let (mut first, mut dispatch) = (storage_of(&path, 4 << 20), dispatch());
    first.open(&mut dispatch);
    dispatch.ready(0);
    for _ in 0..5000 {
        raise(&mut first, &mut dispatch, &"x".repeat(1000));
    }
    first.refill(&mut dispatch);
    assert_eq!(dispatch.in_flight(0), Some(0));
    assert!(dispatch.tally().discarded > 0, "{:?}", dispatch.tally());
    let window = dispatch.queue.len();
    let waiting = dispatch.queue.iter().map(|event| event.position);
    let known = waiting.chain([0]).collect();
    first.closer().close();
    let mut second = storage_of(&path, 4 << 20);
    second.reopen(&known, &mut dispatch);
    assert_eq!(dispatch.queue.len(), window);
    assert!(second.waiting() > 0);
}

#[actix::test]
async fn the_tail_in_memory_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let (mut storage, mut dispatch) = (storage(&directory.path().join("no/events")), dispatch());
    storage.open(&mut dispatch);
    for number in 0..WINDOW.0 + 150 {
        raise(&mut storage, &mut dispatch, &number.to_string());
    }
    assert!(dispatch.tally().discarded >= 50, "{:?}", dispatch.tally());
    assert!(storage.waiting() <= 100);
}
