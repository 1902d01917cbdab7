//! crashsms: an event listener that mails, in batches of short lines, which processes exited unexpectedly.

use std::process::ExitCode;

fn main() -> ExitCode {
    batch::serve(&batch::CRASH_SMS)
}
