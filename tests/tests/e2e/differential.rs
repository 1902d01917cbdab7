//! The same steps against the original and ours: whatever differs is a failure, unless
//! `callboard_tests::deliberate` says why it is wanted.

mod control;
mod events;
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
