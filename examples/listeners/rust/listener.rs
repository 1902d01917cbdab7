//! Writes every event to standard error.

use std::io::Write as _;
use std::process::ExitCode;

use listener_kit::{Listener, Outcome, log};

fn main() -> ExitCode {
    Listener::stdio().serve(|event| {
        let _ = writeln!(log(), "{}: {}", event.header.eventname, event.payload);
        Outcome::Done
    })
}
