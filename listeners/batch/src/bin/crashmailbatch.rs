//! crashmailbatch: an event listener that mails, in batches, which processes exited unexpectedly.

use std::process::ExitCode;

fn main() -> ExitCode {
    batch::serve(&batch::CRASH_MAIL)
}
