//! From pipes to files: one thread, epoll, one buffer.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::error::{About, Error};
use crate::floor::own;

/// A child, its output and where that goes.
struct Writer {
    child: Child,
    output: ChildStdout,
    file: File,
}

/// Copies `total` bytes from writers; prints the seconds and our CPU seconds.
pub(super) fn volume(
    dir: &Path,
    writers: usize,
    total: usize,
    workload: &[&str],
) -> Result<(), Error> {
    let start = Instant::now();
    let mut writers = start_writers(dir, writers, workload)?;
    let before = own_cpu()?;
    copy(&mut writers, |copied| copied < total)?;
    let spent = own_cpu()? - before;
    let seconds = start.elapsed().as_secs_f64();
    end(writers)?;
    crate::print(&format!("{seconds} {spent}"));
    Ok(())
}

/// Copies a line a second from each of many writers; prints our CPU seconds per minute.
pub(super) fn ticks(dir: &Path, writers: usize, seconds: usize) -> Result<(), Error> {
    let mut writers = start_writers(dir, writers, &["tick"])?;
    let settled = Instant::now() + Duration::from_secs(2);
    copy(&mut writers, |_| Instant::now() < settled)?;
    let before = own_cpu()?;
    let start = Instant::now();
    let end_at = start + Duration::from_secs(seconds as u64);
    copy(&mut writers, |_| Instant::now() < end_at)?;
    let spent = (own_cpu()? - before) / start.elapsed().as_secs_f64() * 60.0;
    end(writers)?;
    crate::print(&spent.to_string());
    Ok(())
}

fn start_writers(dir: &Path, count: usize, workload: &[&str]) -> Result<Vec<Writer>, Error> {
    let start = |number| -> Result<Writer, Error> {
        let mut command = own("workload", workload)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().about("start a writer")?;
        let output = child.stdout.take();
        let output = output.ok_or_else(|| Error::Answer("no pipe".to_owned()))?;
        let file = File::create(dir.join(format!("log.{number}"))).about("create a log")?;
        Ok(Writer {
            child,
            output,
            file,
        })
    };
    (0..count).map(start).collect()
}

/// Copies what comes as long as `go_on` says so of the number of bytes copied.
fn copy(writers: &mut [Writer], go_on: impl Fn(usize) -> bool) -> Result<(), Error> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).about("make an epoll")?;
    for (index, writer) in writers.iter().enumerate() {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, index as u64);
        epoll.add(&writer.output, event).about("watch a pipe")?;
    }
    let mut buffer = vec![0; 131_072];
    let mut ready = [EpollEvent::empty(); 64];
    let mut copied = 0;
    while go_on(copied) {
        let count = epoll
            .wait(&mut ready, EpollTimeout::from(500_u16))
            .about("wait")?;
        for event in &ready[..count] {
            let writer = &mut writers[event.data() as usize];
            let bytes = writer.output.read(&mut buffer).about("read")?;
            writer.file.write_all(&buffer[..bytes]).about("write")?;
            copied += bytes;
        }
    }
    Ok(())
}

fn end(writers: Vec<Writer>) -> Result<(), Error> {
    for mut writer in writers {
        writer.child.kill().about("kill a writer")?;
        writer.child.wait().about("wait for a writer")?;
    }
    Ok(())
}

fn own_cpu() -> Result<f64, Error> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).about("read resource usage")?;
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(microseconds as f64 / 1e6)
}
