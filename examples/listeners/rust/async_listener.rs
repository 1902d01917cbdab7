//! Writes every event to standard error, a moment later.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use listener_kit::{AsyncListener, Outcome, log};

fn main() -> std::io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    Ok(
        runtime.block_on(AsyncListener::stdio().serve(async |event| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let _ = writeln!(log(), "{}: {}", event.header.eventname, event.payload);
            Outcome::Done
        })),
    )
}
