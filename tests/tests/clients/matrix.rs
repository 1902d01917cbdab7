//! Every command and every call, in every state, with both daemons and both tools: the same words on both streams, the
//! same exit statuses, the same answers and faults.
//!
//! UNKNOWN is missing: it takes a child that may not be killed, which a daemon run by root has none of.

mod calls;
mod commands;
mod oracle;
mod state;

use std::thread::{self, ScopedJoinHandle};

use callboard_tests::Flavour;
use callboard_tests::scenario::{Session, judge};

use crate::deliberate::DELIBERATE;
use state::{STATES, State};

/// What a trial does in a state.
type Steps = fn(&mut Session, &State);

/// Runs the steps in the states with the original pair and with every other pair, all at the same time: nearly all of
/// it is waiting for the original.
fn compare(subject: &str, states: &[State], steps: Steps, pairs: &[(Flavour, Flavour)]) {
    let reports: Vec<String> = thread::scope(|scope| {
        let trial =
            |state, (daemon, tool)| scope.spawn(move || transcript(state, steps, daemon, tool));
        let start = |state| {
            let original = trial(state, (Flavour::Original, Flavour::Original));
            let others: Vec<_> = pairs.iter().map(|pair| trial(state, *pair)).collect();
            (state, original, others)
        };
        let started: Vec<_> = states.iter().map(start).collect();
        let judged = started.into_iter().flat_map(|(state, original, others)| {
            let original = join(original);
            let compared = others.into_iter().zip(pairs).filter_map(|(other, pair)| {
                judge_pair(subject, state, *pair, &original, &join(other)).err()
            });
            compared.collect::<Vec<_>>()
        });
        judged.collect()
    });
    assert!(reports.is_empty(), "{}", reports.join("\n"));
}

fn judge_pair(
    subject: &str,
    state: &State,
    (daemon, tool): (Flavour, Flavour),
    original: &[String],
    other: &[String],
) -> Result<(), String> {
    let scenario = format!("{subject}, {tool:?} tool");
    judge(&scenario, original, other, DELIBERATE)
        .map_err(|report| format!("{}, {daemon:?} daemon: {report}", state.name))
}

fn transcript(state: &State, steps: Steps, daemon: Flavour, tool: Flavour) -> Vec<String> {
    let mut session = Session::start(&state.config(), daemon, tool);
    steps(&mut session, state);
    session.into_lines()
}

fn join<T>(handle: ScopedJoinHandle<'_, T>) -> T {
    handle
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[test]
fn every_command_in_every_state() {
    let ours = Flavour::under_test();
    let pairs = [
        (ours, Flavour::Original),
        (Flavour::Original, ours),
        (ours, ours),
    ];
    compare("commands", STATES, commands::steps, &pairs);
}

#[test]
fn every_page_of_help() {
    let ours = Flavour::under_test();
    compare("help", &STATES[..1], commands::help, &[(ours, ours)]);
}

#[test]
fn every_call_in_every_state() {
    let ours = Flavour::under_test();
    compare("calls", STATES, calls::steps, &[(ours, ours)]);
}

#[test]
fn every_count_of_arguments() {
    let ours = Flavour::under_test();
    compare("counts", &STATES[..1], calls::counts, &[(ours, ours)]);
}

#[test]
fn every_type_of_argument() {
    let ours = Flavour::under_test();
    compare("types", &STATES[..1], calls::types, &[(ours, ours)]);
}
