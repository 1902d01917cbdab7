//! The time of day jumps by years: it labels, and decides nothing.

use std::time::{Duration, Instant};

use callboard_tests::clock::Clock;
use callboard_tests::{Daemon, Flavour, wait};
use serde_json::json;

use crate::support::{Before, assert_answers, assert_calm};

/// The second in which the clock stands at first: 2026, one second into a slice of five.
const START: u64 = 1_795_256_366;

const YEAR: u64 = 365 * 86_400;

/// `steady` is up after a second, `failing` is given up after another, `deaf` is killed after one.
const CONFIG: &str = "\
[program:steady]
command=cat
startsecs=1
[program:failing]
command=false
autostart=false
startretries=1
[program:deaf]
command=sh -c 'trap \"\" TERM; echo deaf; while :; do sleep 0.1; done'
startsecs=0
stopwaitsecs=1
killasgroup=true
stdout_logfile=%(here)s/deaf.out
[eventlistener:ticks]
command=%(ENV_LISTENER)s %(here)s/ticks
events=TICK_5,TICK_60
startsecs=0
[supervisord]
loglevel=info
";

/// None of the waits above may take longer, however far the clock jumps.
const SOON: Duration = Duration::from_secs(15);

/// Where the clock goes, and the year that the log shows then.
const JUMPS: [(u64, &str); 5] = [
    (START + 10 * YEAR, "2036-"),
    (START - 30 * YEAR, "1996-"),
    (1, "1970-"),
    (START + 200 * YEAR, "2226-"),
    (START + 6, "2026-"),
];

/// The waits of a start, of failed starts and of a stop, beginning in one time and ending in another.
fn live(daemon: &Daemon, jump: impl FnOnce()) {
    let begun = Instant::now();
    for program in ["steady", "failing"] {
        daemon.call("startProcess", json!([program, false]));
    }
    daemon.wait_file("deaf.out", "deaf\n");
    daemon.call("stopProcess", json!(["deaf", false]));
    jump();
    daemon.wait_state("steady", "RUNNING");
    daemon.wait_state("failing", "FATAL");
    daemon.wait_state("deaf", "STOPPED");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// Everything that shows times.
fn look(daemon: &Daemon) {
    for path in ["/", "/api/v1/processes", "/metrics"] {
        let reply = daemon.address().send("GET", path, &[]);
        let reply = reply.expect("an answer");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    let status = daemon.ctl(&["status"]);
    assert!(status.stdout.contains("uptime "), "{status:?}");
}

#[test]
fn a_clock_that_jumps_by_years_changes_nothing_but_labels() {
    if Flavour::under_test() == Flavour::Original {
        return; // Its waits go by this clock, which stands still.
    }
    let mut daemon = Daemon::prepare(Flavour::under_test(), CONFIG);
    let clock = Clock::in_dir(daemon.dir(), Duration::from_secs(START));
    daemon.add_environment(clock.environment());
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_state("steady", "RUNNING");
    daemon.wait_state("ticks", "RUNNING");
    let before = Before::of(&daemon);
    for (count, (time, year)) in (1..).zip(JUMPS) {
        let told = daemon.events("ticks").len();
        daemon.call("stopProcess", json!(["steady"]));
        live(&daemon, || clock.set(Duration::from_secs(time)));
        look(&daemon);
        let stamped = |line: &str| line.starts_with(year) && line.contains("killing 'deaf'");
        assert!(
            daemon.log().lines().any(stamped),
            "{year}: {}",
            daemon.log()
        );
        // One of each, not one for each slice of the years between.
        wait::until_true("ticks", || {
            let events = daemon.events("ticks");
            (events.len() == told + 2, events)
        });
        if count == JUMPS.len() / 2 {
            assert_calm(&daemon);
        }
        let info = daemon.info("steady");
        assert_eq!(info["now"], json!(time.min(i32::MAX as u64)), "{info}");
        daemon.call("startProcess", json!(["deaf"]));
    }
    assert_answers(&daemon);
    before.wait();
    daemon.shut_down();
}
