//! Programs that end.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use crate::error::{About, Error};
use crate::meter;

/// Appends when it began and when it is about to end, eight bytes each, and crashes.
pub(super) fn live(record: &str, milliseconds: usize) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let mut record = options
        .create(true)
        .append(true)
        .open(record)
        .about("open the record")?;
    let mut note = || -> Result<(), Error> {
        record
            .write_all(&meter::now_ns()?.to_le_bytes())
            .about("write the record")
    };
    note()?;
    sleep(Duration::from_millis(milliseconds as u64));
    note()?;
    Err(Error::Answer("as planned".to_owned()))
}

/// Runs a command with its output thrown away; prints the seconds it took and the kibibytes it held at most.
pub(super) fn timed(program: &str, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().about(program)?;
    let seconds = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).about("read resource usage")?;
    if !status.success() {
        return Err(Error::Answer(format!("{program} {arguments:?}: {status}")));
    }
    crate::print(&format!("{seconds} {}", usage.max_rss()));
    Ok(())
}
