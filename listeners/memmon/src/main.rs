//! memmon: an event listener that restarts processes which use too much memory.

mod limits;
mod memory;
mod monitor;
mod options;

use std::process::ExitCode;

use jiff::Zoned;
use listener_kit::{Identity, Listener, Outbox, Outcome, arguments, connect, log};

use crate::memory::ProcFs;
use crate::monitor::{Monitor, Surroundings};
use crate::options::{Options, usage};

fn main() -> ExitCode {
    let options = match Options::parse(&arguments()) {
        Ok(options) => options,
        Err(refusal) => return refusal.exit(&usage()),
    };
    match connect("memmon", ExitCode::FAILURE) {
        Ok(supervisor) => watch(options, supervisor),
        Err(code) => code,
    }
}

fn watch(options: Options, supervisor: client::blocking::Client) -> ExitCode {
    let mut surroundings = Surroundings {
        supervisor,
        memory: ProcFs::new(options.cumulative),
        mailer: Outbox::new(options.mail.carrier()),
        log: log(),
        clock: Zoned::now,
    };
    let mut monitor = Monitor::new(options, Identity::from_env());
    Listener::stdio().skip_stale_ticks().serve(|event| {
        if event.is_tick() {
            // A log that cannot be written is no reason to end.
            let _ = monitor.check(&mut surroundings);
        }
        Outcome::Done
    })
}
