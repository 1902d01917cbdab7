//! Thousands of programs in one daemon.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use callboard_tests::http::Address;
use callboard_tests::{Daemon, procfs, wait, xmlrpc};
use nix::unistd::Uid;
use serde_json::json;

const CALM: usize = 4500;
const CRASHING: usize = 500;

/// Descriptors the daemon takes for them: two pipes each, and its own.
const DESCRIPTORS: u64 = 12_000;

/// Nobody waits longer than this for an answer, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Each crashing program tells its pid when it begins and goes after some seconds with a status nobody expects.
fn config() -> String {
    format!(
        "[program:calm]\ncommand=sleep 1000\nprocess_name=%(program_name)s_%(process_num)04d\n\
         numprocs={CALM}\nautostart=false\nstartsecs=0\nredirect_stderr=true\nstdout_logfile=NONE\n\
         [program:crash]\ncommand=sh -c 'echo $$ >> %(here)s/lives; exec sleep 4'\n\
         process_name=%(program_name)s_%(process_num)03d\nnumprocs={CRASHING}\nautostart=false\n\
         startsecs=0\nexitcodes=9\nautorestart=unexpected\nredirect_stderr=true\nstdout_logfile=NONE\n\
         [eventlistener:recorder]\ncommand=%(ENV_LISTENER)s %(here)s/events\n\
         events=PROCESS_STATE_EXITED,PROCESS_STATE_STOPPED\nbuffer_size=100000\n\
         [supervisord]\nloglevel=info\nminfds={DESCRIPTORS}\nminprocs=8192\n"
    )
}

/// Fails with what is missing if the machine has no room for so many.
fn require_room() {
    let limit = |name: &str| {
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        let hard = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        hard.unwrap_or(u64::MAX)
    };
    let pids = fs::read_to_string("/proc/sys/kernel/pid_max").unwrap_or_default();
    let pids: u64 = pids.trim().parse().unwrap_or(u64::MAX);
    let programs = (CALM + CRASHING) as u64;
    assert!(pids > 2 * programs, "kernel.pid_max is {pids}");
    if !Uid::effective().is_root() {
        // The daemon raises its limits by minfds and minprocs, and root may raise them beyond the hard ones.
        let (files, processes) = (limit("Max open files"), limit("Max processes"));
        assert!(
            files >= DESCRIPTORS,
            "ulimit -Hn is {files}, not {DESCRIPTORS}"
        );
        assert!(processes > programs, "ulimit -Hu is {processes}");
    }
}

/// How many processes are in a state; reading thousands of answers in full would take too long.
fn count(daemon: &Daemon, state: &str) -> usize {
    let call = xmlrpc::encode_call("supervisor.getAllProcessInfo", &json!([]));
    let reply = daemon.address().post("/RPC2", &[], call.as_bytes());
    let text = reply.expect("an answer").text();
    text.matches(&format!("<string>{state}</string>")).count()
}

fn wait_count(daemon: &Daemon, state: &str, wanted: usize) {
    wait::until(&format!("{wanted} to be {state}"), || {
        match count(daemon, state) {
            seen if seen >= wanted => Ok(()),
            seen => Err(seen),
        }
    });
}

fn descriptors(daemon: &Daemon) -> usize {
    let path = format!("/proc/{}/fd", daemon.pid());
    fs::read_dir(path).expect("the daemon lives").count()
}

/// Asks for the daemon's state until told to stop; answers the longest wait.
fn watch(address: &Address, over: &AtomicBool) -> Duration {
    let call = xmlrpc::encode_call("supervisor.getState", &json!([]));
    let mut longest = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        let reply = address.post("/RPC2", &[], call.as_bytes());
        assert_eq!(reply.map(|reply| reply.status).ok(), Some(200));
        longest = longest.max(start.elapsed());
        sleep(Duration::from_millis(20));
    }
    longest
}

/// How often each pid occurs: the kernel may give one twice.
fn tally<'a>(pids: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    let mut tally = HashMap::new();
    for pid in pids {
        *tally.entry(pid.to_owned()).or_default() += 1;
    }
    tally
}

/// Lives that began and of whose end the listener has not been told.
fn untold(daemon: &Daemon) -> Vec<String> {
    let events = daemon.events("events");
    let told = tally(events.iter().filter_map(|event| event.field("pid")));
    let lives = daemon.read("lives");
    let begun = tally(lives.lines()).into_iter();
    let untold = begun.filter(|(pid, times)| told.get(pid) < Some(times));
    untold.map(|(pid, _)| pid).collect()
}

fn live_and_crash(daemon: &Daemon) {
    for group in ["crash", "calm"] {
        daemon.call("startProcessGroup", json!([group, false]));
    }
    wait_count(daemon, "RUNNING", CALM + CRASHING * 9 / 10);
    wait::until("each to have crashed", || {
        match daemon.read("lives").lines().count() {
            lives if lives >= CRASHING * 5 / 2 => Ok(()),
            lives => Err(lives),
        }
    });
    for group in ["crash", "calm"] {
        daemon.call("stopProcessGroup", json!([group]));
    }
    assert_eq!(count(daemon, "RUNNING"), 1, "the listener runs");
}

#[test]
fn of_five_thousand_programs_no_exit_no_descriptor_and_no_client_is_lost() {
    require_room();
    let mut daemon = Daemon::under_test(&config());
    daemon.wait_state("recorder", "RUNNING");
    let before = descriptors(&daemon);
    let over = AtomicBool::new(false);
    let address = daemon.address();
    let longest = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&address, &over));
        live_and_crash(&daemon);
        over.store(true, Ordering::Relaxed);
        watcher.join().expect("every request is answered")
    });
    assert!(longest < PATIENCE, "somebody waited for {longest:?}");
    assert_eq!(procfs::zombies_of(daemon.pid()), []);
    wait::until("the listener to be told of every end", || {
        match untold(&daemon) {
            untold if untold.is_empty() => Ok(()),
            untold => Err(untold),
        }
    });
    wait::until("the descriptors to be closed", || {
        match descriptors(&daemon) {
            // The connection that asked whether all is ready may have counted before.
            now if now <= before => Ok(()),
            now => Err((before, now)),
        }
    });
    daemon.shut_down();
}
