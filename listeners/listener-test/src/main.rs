//! supervisor-listener-test: plays the daemon for a listener and says what the listener does wrong.

mod cases;
mod conversation;
mod diagnosis;
mod fault;
mod options;
mod process;
mod report;
mod rig;
mod samples;

use std::io::{self, Write as _};
use std::process::ExitCode;

use listener_kit::arguments;

use crate::options::{Options, USAGE};
use crate::report::Report;
use crate::rig::Rig;

fn main() -> ExitCode {
    let options = match Options::parse(&arguments()) {
        Ok(options) => options,
        Err(refusal) => return refusal.exit(USAGE),
    };
    let mut stdout = io::stdout();
    if options.list {
        // Nobody reads a list that cannot be written.
        let _ = stdout.write_all(cases::list().as_bytes());
        return ExitCode::SUCCESS;
    }
    let rig = Rig::new(&options);
    let mut report = Report::new(&options, &mut stdout);
    for case in cases::chosen(&options) {
        if !report.add(case, case.run(&rig)) {
            break;
        }
    }
    match report.finish() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
