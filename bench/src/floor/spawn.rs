//! Starting programs.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{About, Error};
use crate::floor::own;

/// Starts `count` sleepers with three pipes and a process group each, by posix_spawn(3), which is a vfork, and makes two
/// log files for each if there is a directory; prints the seconds of the loop.
pub(super) fn spawn(count: usize, logs: Option<&Path>) -> Result<(), Error> {
    let mut children: Vec<Child> = Vec::with_capacity(count);
    let mut files = Vec::new();
    let start = Instant::now();
    for number in 0..count {
        for channel in ["stdout", "stderr"] {
            let Some(dir) = logs else { continue };
            let path = dir.join(format!("p_{number:05}-{channel}---bare.log"));
            files.push(File::create_new(path).about("make a log")?);
        }
        let child = Command::new("/bin/sleep")
            .arg("1000")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        children.push(child.about("start a sleeper")?);
    }
    let seconds = start.elapsed().as_secs_f64();
    for child in &mut children {
        child.kill().about("kill a sleeper")?;
        child.wait().about("wait for a sleeper")?;
    }
    crate::print(&seconds.to_string());
    Ok(())
}

/// Starts a short life again whenever it has ended, for some seconds.
pub(super) fn respawn(record: &Path, seconds: usize) -> Result<(), Error> {
    let record = record.to_string_lossy();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds as u64) {
        let mut life = own("workload", &["life", &record, "150"])?;
        life.stderr(Stdio::null()).status().about("run a life")?;
    }
    Ok(())
}
