//! fatalmailbatch: an event listener that mails, in batches, which processes could not be started.

use std::process::ExitCode;

fn main() -> ExitCode {
    batch::serve(&batch::FATAL_MAIL)
}
