//! Programs are restarted, killed, stopped and started.

use std::thread::sleep;
use std::time::Duration;

use callboard_tests::random::Random;
use callboard_tests::{Fault, procfs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::judge::Invariant;
use crate::plan::Plan;
use crate::shared::{Shared, count};
use crate::workload::Habit;

/// Does one thing after the other until the time is over.
pub(super) fn make(shared: &Shared) {
    let mut random = shared.random("mischief");
    let plan = shared.stage.plan().clone();
    while !shared.is_over() {
        match random.below(20) {
            0..5 => restart(shared, &some(&plan, &mut random, &RESTARTED)),
            5..9 => strike(shared, &some(&plan, &mut random, &KILLED)),
            9 => strike(shared, &listener(Habit::Mortal, &mut random)),
            10 | 11 => freeze(shared, &some(&plan, &mut random, &KILLED), &mut random),
            12 => {
                let habit = *random.pick(&Habit::ALL);
                freeze(shared, &listener(habit, &mut random), &mut random);
            }
            13..17 => start(shared, &some(&plan, &mut random, &["brief"])),
            17 => start(shared, &some(&plan, &mut random, &["failing"])),
            18 => {
                let name = some(&plan, &mut random, &["idle", "deaf"]);
                ask(shared, "clearProcessLogs", &json!([name]), &[]);
            }
            _ => {
                let name = some(&plan, &mut random, &["idle", "deaf"]);
                ask(
                    shared,
                    "signalProcess",
                    &json!([name, "CONT"]),
                    &[NOT_RUNNING],
                );
            }
        }
        shared.pause(&mut random, 50, 600);
    }
}

const RESTARTED: [&str; 9] = [
    "steady", "loose", "storm", "crash", "sender", "parent", "idle", "deaf", "steady",
];
const KILLED: [&str; 6] = ["steady", "loose", "storm", "crash", "sender", "storm"];

const FAILED: i64 = 30;
const ABNORMAL_TERMINATION: i64 = 40;
const SPAWN_ERROR: i64 = 50;
const ALREADY_STARTED: i64 = 60;
const NOT_RUNNING: i64 = 70;

fn some(plan: &Plan, random: &mut Random, kinds: &[&str]) -> String {
    let kind = *random.pick(kinds);
    random.pick(&plan.processes(kind)).clone()
}

fn listener(habit: Habit, random: &mut Random) -> String {
    let number = random.below(Plan::listeners(habit) as u64);
    format!("{0}:{0}_{number:02}", habit.pool())
}

fn restart(shared: &Shared, name: &str) {
    ask(shared, "stopProcess", &json!([name]), &[NOT_RUNNING]);
    start(shared, name);
    count(&shared.counts.restarts);
}

/// It may have been started meanwhile, or end before it is up.
fn start(shared: &Shared, name: &str) {
    let faults = [ALREADY_STARTED, ABNORMAL_TERMINATION, SPAWN_ERROR];
    ask(shared, "startProcess", &json!([name]), &faults);
}

/// Calls; some faults may be answered, and that the daemon is being upgraded.
fn ask(shared: &Shared, method: &str, params: &Value, faults: &[i64]) {
    let mark = shared.reload.mark();
    match shared.stage.call(method, params) {
        Ok(Ok(_)) => {}
        Ok(Err(fault)) if faults.contains(&fault.code) || is_upgrade(&fault) => {
            count(&shared.counts.faults);
        }
        _ if shared.reload.was_since(mark) => count(&shared.counts.interrupted),
        other => shared.complain(Invariant::Calls, format!("{method}{params}: {other:?}")),
    }
}

fn is_upgrade(fault: &Fault) -> bool {
    fault.code == FAILED && fault.text.contains("the daemon is being upgraded")
}

/// The process of a program, if it is still the daemon's child.
fn process(shared: &Shared, name: &str) -> Option<Pid> {
    let info = shared.stage.call("getProcessInfo", &json!([name]));
    let pid = info.ok()?.ok()?["pid"].as_i64()?;
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let row = procfs::row(pid)?;
    (row.parent == shared.stage.daemon.pid()).then(|| Pid::from_raw(pid))
}

fn strike(shared: &Shared, name: &str) {
    if let Some(pid) = process(shared, name) {
        // It may have gone.
        let _ = kill(pid, Signal::SIGKILL);
        count(&shared.counts.kills);
    }
}

/// Nothing is written, read or answered for a moment.
fn freeze(shared: &Shared, name: &str, random: &mut Random) {
    if let Some(pid) = process(shared, name) {
        // It may have gone.
        let _ = kill(pid, Signal::SIGSTOP);
        sleep(Duration::from_millis(50 + random.below(1500)));
        let _ = kill(pid, Signal::SIGCONT);
        count(&shared.counts.freezes);
    }
}
