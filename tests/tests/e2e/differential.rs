//! The same steps against the original and ours: whatever differs is a failure, unless
//! `callboard_tests::deliberate` says why it is wanted.

mod bench;
mod cli_options;
mod cli_signals;
mod cli_start;
mod control;
mod events;
mod logs;
mod logs_capture;
mod logs_targets;
mod process;
mod refusals;
mod requests;

use callboard_tests::scenario::Session;

/// Waits for processes to be in their states.
fn settle(session: &Session, states: &[(&str, &str)]) {
    for (name, state) in states {
        session.daemon.wait_state(name, state);
    }
}
