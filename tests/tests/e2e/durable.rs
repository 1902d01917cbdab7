//! Pools with a `buffer_file`: whatever happens to daemon, listener or disk, every event arrives, in order, with the
//! numbers it had.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use callboard_tests::{Daemon, Event, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// A recording listener whose events are on disk.
fn listener(behaviour: &str, options: &str) -> String {
    format!(
        "[eventlistener:keep]\ncommand=%(ENV_LISTENER)s %(here)s/record {behaviour}\nevents=REMOTE_COMMUNICATION\n\
         startsecs=0\nautorestart=true\nbuffer_file=%(here)s/events\n{options}\n"
    )
}

fn start(config: &str) -> Daemon {
    Daemon::start(Flavour::Ours, config)
}

fn send(daemon: &Daemon, text: &str) {
    let sent = daemon.call("sendRemoteCommEvent", json!(["t", text]));
    assert_eq!(sent, json!(true));
}

fn pool(daemon: &Daemon) -> Value {
    daemon.call("callboard.getEventPoolInfo", json!(["keep"]))
}

/// Kills the daemon as a crash would, and starts it again.
fn crash(daemon: &mut Daemon, meanwhile: impl FnOnce(&Daemon)) {
    daemon.signal(Signal::SIGKILL);
    daemon.wait_exit();
    meanwhile(daemon);
    daemon.launch(&[]);
    daemon.wait_until_up();
}

fn data(event: &Event) -> &str {
    event.payload.split_once('\n').map_or("", |(_, data)| data)
}

/// Waits for the event with this data; what was recorded up to it, a repetition of the one before left out.
fn recorded(daemon: &Daemon, last: &str) -> Vec<Event> {
    daemon.wait_event("record", last, |event| data(event) == last);
    let mut events = daemon.events("record");
    events.dedup();
    events
}

/// Checks that the events with the numbers from `first` on are there, in order, with these as data and serials.
fn assert_numbered(events: &[Event], first: i64) {
    for (number, event) in (first..).zip(events) {
        let numbers = (event.number("serial"), event.number("poolserial"));
        assert_eq!(numbers, (number, number), "{}", event.header);
        assert!(
            data(event).starts_with(&number.to_string()),
            "{}",
            data(event)
        );
    }
}

/// The files with events in them, oldest first.
fn segments(daemon: &Daemon, directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(daemon.path(directory)).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.to_string_lossy().contains("/events.0"))
        .collect();
    paths.sort();
    paths
}

fn size(paths: &[PathBuf]) -> u64 {
    let sizes = paths
        .iter()
        .map(|path| path.metadata().map_or(0, |data| data.len()));
    sizes.sum()
}

#[test]
fn a_killed_daemon_goes_on_where_it_was() {
    let mut daemon = start(&listener("--then hold --once %(here)s/once", ""));
    for number in 0..30 {
        send(&daemon, &number.to_string());
    }
    daemon.wait_event("record", "the first", |event| data(event) == "0");
    crash(&mut daemon, |_| {});
    // It was with the listener, and nobody knows what became of it.
    recorded(&daemon, "29");
    assert_eq!(daemon.events("record").len(), 31);
    send(&daemon, "30");
    let events = recorded(&daemon, "30");
    assert_eq!(events.len(), 31);
    assert_numbered(&events, 0);
    daemon.wait_log("/events: 30\n");
    // Everything is settled: the next daemon has nothing to do but to go on counting.
    wait::until_true("delivery", || {
        let info = pool(&daemon);
        (info["buffered"] == 0 && info["in_flight"] == 0, info)
    });
    crash(&mut daemon, |_| {});
    send(&daemon, "31");
    assert_numbered(&recorded(&daemon, "31"), 0);
}

#[test]
fn a_daemon_killed_amid_deliveries_loses_none() {
    let mut daemon = start(&listener("", ""));
    for round in 0..3 {
        for number in round * 40..(round + 1) * 40 {
            send(&daemon, &number.to_string());
        }
        crash(&mut daemon, |_| {});
    }
    send(&daemon, "120");
    let events = recorded(&daemon, "120");
    assert_eq!(events.len(), 121);
    assert_numbered(&events, 0);
}

#[test]
fn an_outage_of_the_listener_is_waited_for_on_disk() {
    let mut daemon = start(&listener("", "autostart=false"));
    // More than a window in memory.
    let filler = "x".repeat(10_000);
    for number in 0..250 {
        send(&daemon, &format!("{number} {filler}"));
    }
    let info = pool(&daemon);
    assert_eq!(
        (&info["buffered"], &info["discarded"]),
        (&json!(250), &json!(0))
    );
    assert!(info["bytes"].as_i64() > Some(2_500_000), "{info}");
    crash(&mut daemon, |_| {});
    send(&daemon, "250");
    daemon.call("startProcess", json!(["keep"]));
    let events = recorded(&daemon, "250");
    assert_eq!(events.len(), 251);
    assert_numbered(&events, 0);
    wait::until_true("delivery", || {
        let info = pool(&daemon);
        (info["delivered"] == 251 && info["buffered"] == 0, info)
    });
    daemon.shut_down();
}

#[test]
fn what_there_is_no_room_for_goes_the_oldest_first() {
    let daemon = start(&listener("", "autostart=false\nbuffer_file_maxbytes=1MB"));
    let filler = "x".repeat(50_000);
    for number in 0..40 {
        send(&daemon, &format!("{number} {filler}"));
        assert!(size(&segments(&daemon, ".")) <= 1 << 20);
    }
    daemon.wait_log("ERRO pool keep event buffer overflowed, discarding the oldest ");
    let info = pool(&daemon);
    let lost = info["discarded"].as_i64().expect("a number");
    assert!((20..=26).contains(&lost), "{info}");
    assert_eq!(info["buffered"], 40 - lost);
    daemon.call("startProcess", json!(["keep"]));
    let events = recorded(&daemon, &format!("39 {filler}"));
    assert_eq!(events.len() as i64, 40 - lost);
    assert_numbered(&events, lost);
}

#[test]
fn a_torn_end_costs_what_was_torn_and_is_told() {
    let mut daemon = start(&listener("", "autostart=false"));
    for number in 0..5 {
        send(&daemon, &number.to_string());
    }
    crash(&mut daemon, |daemon| {
        let last = segments(daemon, ".").pop().expect("a segment");
        let bytes = fs::read(&last).expect("a file");
        let mut file = fs::File::create(last).expect("a file");
        file.write_all(&bytes[..bytes.len() - 3])
            .expect("it is written");
        file.write_all(&[0; 100]).expect("it is written");
    });
    daemon.wait_log("there is no record after ");
    send(&daemon, "4 again");
    daemon.call("startProcess", json!(["keep"]));
    let events = recorded(&daemon, "4 again");
    assert_eq!(events.len(), 5);
    assert_numbered(&events, 0);
}

#[test]
fn one_bad_byte_costs_one_event_which_is_counted() {
    let mut daemon = start(&listener("", "autostart=false"));
    for number in 0..20 {
        send(&daemon, &number.to_string());
    }
    crash(&mut daemon, |daemon| {
        let only = segments(daemon, ".").pop().expect("a segment");
        let mut bytes = fs::read(&only).expect("a file");
        let at = bytes.len() / 2;
        bytes[at] ^= 0x10;
        fs::write(only, bytes).expect("it is written");
    });
    daemon.wait_log(" bytes, leaving out ");
    daemon.wait_log("ERRO pool keep: at least 1 events in ");
    let info = pool(&daemon);
    assert_eq!(
        (&info["buffered"], &info["discarded"]),
        (&json!(19), &json!(1))
    );
    send(&daemon, "20");
    daemon.call("startProcess", json!(["keep"]));
    let events = recorded(&daemon, "20");
    assert_eq!(events.len(), 20);
    assert_eq!(events[19].number("poolserial"), 20);
}

#[test]
fn a_fifo_named_like_a_segment_is_refused() {
    let mut daemon = Daemon::prepare(Flavour::Ours, &listener("", "autostart=false"));
    let fifo = daemon.path("events.0000000001");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("coreutils").success());
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_log("events.0000000001: it is not a regular file");
    assert_eq!(pool(&daemon)["disk_failed"], true);
    fs::remove_file(fifo).expect("it is there");
    daemon.wait_log("events are kept in ");
    // Numbers that cannot be those of events in the files.
    send(&daemon, "first");
    daemon.call("startProcess", json!(["keep"]));
    let events = recorded(&daemon, "first");
    for number in ["serial", "poolserial"] {
        assert!(events[0].number(number) > 1_000_000_000_000);
    }
}

#[test]
fn a_changed_pool_takes_over_its_file() {
    let daemon = start(&listener("", "autostart=false"));
    send(&daemon, "0");
    daemon.write_config(&listener("", "autostart=true\nstopwaitsecs=5"));
    let updated = daemon.ctl(&["update"]);
    assert_eq!(
        updated.stdout,
        "keep: stopped\nkeep: updated process group\n"
    );
    send(&daemon, "1");
    assert_numbered(&recorded(&daemon, "1"), 0);
}

#[test]
fn a_daemon_that_restarts_within_its_process_opens_its_files_again() {
    let daemon = start(&listener("", "autostart=false"));
    send(&daemon, "0");
    assert_eq!(daemon.call("restart", json!([])), json!(true));
    daemon.wait_log("/events: 1\n");
    daemon.wait_state("keep", "STOPPED");
    send(&daemon, "1");
    daemon.call("startProcess", json!(["keep"]));
    assert_numbered(&recorded(&daemon, "1"), 0);
    assert!(!daemon.log().contains("cannot keep events"));
}

/// Starts the daemon with a small file system of its own on `small`.
const ON_SMALL_DISK: &str = ". \"$FIXTURES/stage.sh\"; \
    with_mounts 'mount -t tmpfs -o size=300k none small' supervisord -n -c supervisord.conf";

#[test]
fn a_full_disk_is_told_once_and_used_again_when_it_is_not() {
    let config =
        listener("", "autostart=false").replace("%(here)s/events", "%(here)s/small/events");
    let daemon = Daemon::prepare(Flavour::Ours, &config.replace("1GB", "1MB"));
    fs::create_dir(daemon.path("small")).expect("the directory is writable");
    let mut child = daemon.fixture_child("sh", &["-c", ON_SMALL_DISK]);
    daemon.wait_log("supervisord started with pid");
    let filler = "x".repeat(50_000);
    for number in 0..12 {
        send(&daemon, &format!("{number} {filler}"));
    }
    daemon.wait_log("CRIT pool keep: cannot keep events in ");
    let info = pool(&daemon);
    assert_eq!(
        (&info["buffered"], &info["disk_failed"]),
        (&json!(12), &json!(true))
    );
    daemon.call("startProcess", json!(["keep"]));
    let events = recorded(&daemon, &format!("11 {filler}"));
    assert_eq!(events.len(), 12);
    assert_numbered(&events, 0);
    daemon.wait_log("events are kept in ");
    assert_eq!(pool(&daemon)["disk_failed"], false);
    assert_eq!(daemon.log().matches("cannot keep events in ").count(), 1);
    daemon.call("shutdown", json!([]));
    child.wait().expect("it ends");
}

/// The same with room for a segment and hardly more.
const ON_TINY_DISK: &str = ". \"$FIXTURES/stage.sh\"; \
    with_mounts 'mount -t tmpfs -o size=32k none small' supervisord -n -c supervisord.conf";

#[test]
fn a_disk_full_of_accepted_events_gets_its_room_back() {
    let config =
        listener("", "autostart=false").replace("%(here)s/events", "%(here)s/small/events");
    let daemon = Daemon::prepare(Flavour::Ours, &config);
    fs::create_dir(daemon.path("small")).expect("the directory is writable");
    let mut child = daemon.fixture_child("sh", &["-c", ON_TINY_DISK]);
    daemon.wait_log("supervisord started with pid");
    let filler = "x".repeat(400);
    for number in 0..100 {
        send(&daemon, &format!("{number} {filler}"));
    }
    daemon.wait_log("CRIT pool keep: cannot keep events in ");
    daemon.call("startProcess", json!(["keep"]));
    let events = recorded(&daemon, &format!("99 {filler}"));
    assert_eq!(events.len(), 100);
    daemon.wait_log("events are kept in ");
    wait::until_true("room", || {
        let info = pool(&daemon);
        let is_free = info["disk_failed"] == false && info["bytes"].as_i64() < Some(20_000);
        (is_free, info)
    });
    send(&daemon, "100");
    assert_numbered(&recorded(&daemon, "100"), 0);
    daemon.call("shutdown", json!([]));
    child.wait().expect("it ends");
}
