//! `echo_supervisord_conf`: prints a sample configuration. Arguments are ignored.

use std::process::ExitCode;

use daemon::terminal::{complain, say};

fn main() -> ExitCode {
    match say(config::sample().trim_end_matches('\n')) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("echo_supervisord_conf: {error}"));
            ExitCode::FAILURE
        }
    }
}
