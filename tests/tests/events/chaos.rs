//! Pools whose listeners are killed, stopped, slow, wrong, unwilling and silent, all at the same time.
//!
//! A program emits numbered events as fast as two pools get them done: one of a single listener, one of four. Meanwhile listeners
//! misbehave by chance, others are killed and stopped from outside, and somebody asks the daemon all along. `CHAOS_SEED` repeats
//! the choices of a run, though not its timing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use callboard_tests::random::Random;
use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

/// Events in all, each of which goes to both pools.
const EVENTS: usize = 100_000;

/// So many are emitted at once, and again when that many are left to do.
const BURST: usize = 4000;

/// The records, and the names of the processes that write them.
const MEMBERS: [(&str, &str); 5] = [
    ("single", "single"),
    ("team_0", "team:team_0"),
    ("team_1", "team:team_1"),
    ("team_2", "team:team_2"),
    ("team_3", "team:team_3"),
];

/// Bytes of a line in a record.
const LINE: usize = 33;

/// No answer may take longer, not even on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the daemon may use, in KiB. The pools' buffers are not part of it: little waits in them.
const MEMORY: u64 = 64 * 1024;

const EMITTER: &str = "\
import sys
for line in iter(sys.stdin.readline, ''):
    first, end = map(int, line.split())
    for number in range(first, end):
        sys.stdout.write('<!--XSUPERVISOR:BEGIN-->%d<!--XSUPERVISOR:END-->' % number)
    sys.stdout.write('\\n')
    sys.stdout.flush()
";

fn config(seed: u64) -> String {
    let listener = env!("CARGO_BIN_EXE_chaos-listener");
    format!(
        "[supervisord]\nloglevel=info\n\
         [program:emitter]\ncommand=\"%(ENV_PYTHON)s\" \"%(here)s/emitter.py\"\nstdout_capture_maxbytes=1KB\nstartsecs=0\n\
         [eventlistener:single]\ncommand={listener} %(here)s single {seed}\n\
         events=PROCESS_COMMUNICATION\nstartsecs=0\nautorestart=true\nstderr_logfile=%(here)s/single.err\n\
         [eventlistener:team]\ncommand={listener} %(here)s team_%(process_num)d {seed}\n\
         process_name=%(program_name)s_%(process_num)d\nnumprocs=4\n\
         events=PROCESS_COMMUNICATION\nstartsecs=0\nautorestart=true\nstderr_logfile=%(here)s/team.err\n"
    )
}

fn seed() -> u64 {
    match std::env::var("CHAOS_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.expect("it is later").subsec_nanos().into()
        }
    }
}

#[test]
fn every_event_arrives_in_order_whatever_listeners_do() {
    let seed = seed();
    eprintln!("CHAOS_SEED={seed}");
    let mut daemon = Daemon::prepare(Flavour::Ours, &config(seed));
    fs::write(daemon.path("emitter.py"), EMITTER).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_state("emitter", "RUNNING");
    let start = Instant::now();
    let done = AtomicBool::new(false);
    let (blows, latencies) = thread::scope(|scope| {
        let tormentor = scope.spawn(|| torment(&daemon, Random::new(seed), &done));
        let asker = scope.spawn(|| ask(&daemon, &done));
        // Whatever happens, the others must end.
        let emitted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| emit(&daemon)));
        done.store(true, Ordering::Relaxed);
        let outcome = (tormentor.join(), asker.join());
        emitted.expect("all events arrived");
        (
            outcome.0.expect("the tormentor's end"),
            outcome.1.expect("the asker's end"),
        )
    });
    let time = start.elapsed();
    judge_order(&daemon);
    report(&latencies, blows, time);
    assert!(!daemon.log().contains("overflowed"), "events were lost");
    let peak = peak_memory(daemon.pid());
    eprintln!("peak memory of the daemon: {peak} KiB");
    assert!(peak < MEMORY, "{peak} KiB");
    daemon.shut_down();
}

/// Emits the events in bursts and waits until all have arrived.
fn emit(daemon: &Daemon) {
    for first in (0..EVENTS).step_by(BURST) {
        wait_done(daemon, first.saturating_sub(BURST));
        let line = format!("{first} {}\n", (first + BURST).min(EVENTS));
        daemon.call("sendProcessStdin", json!(["emitter", line]));
    }
    wait_done(daemon, EVENTS);
    wait::until("the last events", || {
        let missing = ["single", "team"].map(|pool| EVENTS - numbers(daemon, pool).len());
        if missing == [0, 0] {
            Ok(())
        } else {
            Err(missing)
        }
    });
}

/// Waits until each pool has so many records; those of repeated events count too.
fn wait_done(daemon: &Daemon, count: usize) {
    wait::until(&format!("{count} events"), || {
        let size = |name: &str| fs::metadata(daemon.path(name)).map_or(0, |file| file.len());
        let single = size("single");
        let team: u64 = (0..4).map(|member| size(&format!("team_{member}"))).sum();
        if single.min(team) >= (count * LINE) as u64 {
            Ok(())
        } else {
            Err((single / LINE as u64, team / LINE as u64))
        }
    });
}

/// What was done to the listeners.
#[derive(Debug, Default, Clone, Copy)]
struct Blows {
    killed: usize,
    stopped: usize,
    unstuck: usize,
}

/// Kills and stops listeners by chance, and restarts or kills those that are stuck.
fn torment(daemon: &Daemon, mut random: Random, done: &AtomicBool) -> Blows {
    let mut blows = Blows::default();
    while !done.load(Ordering::Relaxed) {
        blows.unstuck += unstick(daemon, &mut random);
        let (_, name) = *random.pick(&MEMBERS);
        let pause = Duration::from_millis(5 + random.below(40));
        match random.below(3) {
            0 => blows.killed += usize::from(strike(daemon, name, Signal::SIGKILL)),
            1 if strike(daemon, name, Signal::SIGSTOP) => {
                blows.stopped += 1;
                thread::sleep(pause);
                strike(daemon, name, Signal::SIGCONT);
            }
            _ => {}
        }
        thread::sleep(pause);
    }
    blows
}

/// Sends a signal to a listener, if it runs.
fn strike(daemon: &Daemon, name: &str, signal: Signal) -> bool {
    match daemon.process_pid(name) {
        0 => false,
        pid => kill(Pid::from_raw(pid), signal).is_ok(),
    }
}

/// Restarts or kills listeners that gave up; returns how many.
fn unstick(daemon: &Daemon, random: &mut Random) -> usize {
    let mut count = 0;
    for (record, name) in MEMBERS {
        let path = daemon.path(&format!("{record}.stuck"));
        let Some(pid) = fs::read_to_string(&path)
            .ok()
            .and_then(|pid| pid.parse::<i32>().ok())
        else {
            continue;
        };
        fs::remove_file(path).expect("it was there");
        count += 1;
        // It may have been killed since.
        if daemon.process_pid(name) != pid {
            continue;
        }
        if random.once_in(2) {
            strike(daemon, name, Signal::SIGKILL);
        } else {
            // It may end by itself before it is stopped, and be started before it is started.
            let _ = daemon.rpc("stopProcess", json!([name]));
            let _ = daemon.rpc("startProcess", json!([name]));
        }
    }
    count
}

/// Asks the daemon again and again; returns how long each answer took.
fn ask(daemon: &Daemon, done: &AtomicBool) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let start = Instant::now();
        let infos = daemon.call("getAllProcessInfo", json!([]));
        latencies.push(start.elapsed());
        assert_eq!(infos.as_array().map(Vec::len), Some(6));
        thread::sleep(Duration::from_millis(5));
    }
    latencies
}

fn report(latencies: &[Duration], blows: Blows, time: Duration) {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    let at = |share: usize| sorted[(sorted.len() - 1) * share / 100];
    eprintln!(
        "{EVENTS} events to two pools in {time:.1?}, {:.0} deliveries/s; {blows:?}; {} calls: median {:?}, 99 % {:?}, worst {:?}",
        (2 * EVENTS) as f64 / time.as_secs_f64(),
        sorted.len(),
        at(50),
        at(99),
        at(100)
    );
    assert!(at(100) < PATIENCE, "an answer took {:?}", at(100));
}

/// A line of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Delivery {
    poolserial: usize,
    serial: usize,
    number: usize,
}

/// What a listener recorded.
fn deliveries(daemon: &Daemon, record: &str) -> Vec<Delivery> {
    let text = daemon.read(record);
    let parse = |line: &str| {
        let mut fields = line
            .split_whitespace()
            .map(|field| field.parse().expect("a number"));
        let mut field = || fields.next().expect("three numbers");
        Delivery {
            poolserial: field(),
            serial: field(),
            number: field(),
        }
    };
    text.lines().map(parse).collect()
}

fn records(pool: &str) -> impl Iterator<Item = &'static str> {
    let records = MEMBERS.iter().map(|(record, _)| *record);
    records.filter(move |record| record.starts_with(pool))
}

/// The numbers of all events a pool got.
fn numbers(daemon: &Daemon, pool: &str) -> BTreeSet<usize> {
    let all = records(pool).flat_map(|record| deliveries(daemon, record));
    all.map(|delivery| delivery.number).collect()
}

/// A lone listener is told in order, but for the last event told again; of a team, each member is, but for events that come back
/// from others. An event keeps its serials.
fn judge_order(daemon: &Daemon) {
    let single = deliveries(daemon, "single");
    for pair in single.windows(2) {
        let step = pair[1].number.checked_sub(pair[0].number);
        assert!(matches!(step, Some(0 | 1)), "{pair:?}");
    }
    let log = daemon.log();
    // Whatever brings an event back: results and ends.
    let returns = ["event was rejected", "bad result line", "team_", "single"]
        .map(|text| log.lines().filter(|line| line.contains(text)).count());
    let returns: usize = returns.iter().sum();
    let mut displaced = 0;
    for record in records("team") {
        let mut latest = 0;
        for delivery in deliveries(daemon, record) {
            displaced += usize::from(delivery.number < latest);
            latest = latest.max(delivery.number);
        }
    }
    assert!(
        displaced <= returns,
        "{displaced} events out of order, {returns} returns"
    );
    for pool in ["single", "team"] {
        let all: Vec<_> = records(pool)
            .flat_map(|record| deliveries(daemon, record))
            .collect();
        let repeated = all.len() - EVENTS;
        eprintln!("{pool}: {repeated} deliveries repeated");
        assert!(
            repeated <= returns,
            "{repeated} repeated, {returns} returns"
        );
        let mut serials = BTreeMap::new();
        for delivery in all {
            assert_eq!(
                *serials.entry(delivery.number).or_insert(delivery),
                delivery
            );
            assert_eq!(delivery.poolserial, delivery.number, "counted in order");
            assert_eq!(delivery.serial, delivery.number, "counted in order");
        }
    }
}

/// The most memory the process has had, in KiB.
fn peak_memory(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = peak.and_then(|text| text.split_whitespace().next());
    digits.expect("a size").parse().expect("a number")
}
