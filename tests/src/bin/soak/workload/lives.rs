//! What the programs do.

use std::env;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use callboard_tests::random::Random;
use nix::sys::signal::{Signal, raise};

use super::pen::{self, Pen};
use super::stay;
use crate::stream::Channel;

/// A few lines a second, for ever, some of them to standard error.
pub(super) fn steady() -> io::Result<u8> {
    let mut pen = Pen::open()?;
    let mut random = pen.random();
    loop {
        let channel = if random.once_in(3) {
            Channel::Err
        } else {
            Channel::Out
        };
        pen.write(channel, 1)?;
        pause(&mut random, 100, 300);
    }
}

/// Silence for seconds, then up to two megabytes as fast as they are taken.
pub(super) fn storm() -> io::Result<u8> {
    let mut pen = Pen::open()?;
    let mut random = pen.random();
    loop {
        pause(&mut random, 2000, 12_000);
        for _ in 0..1 + random.below(40) {
            pen.write(Channel::Out, 1 + random.below(600))?;
        }
    }
}

/// Some lines, and an end that nobody expects.
pub(super) fn crash() -> io::Result<u8> {
    let mut pen = Pen::open()?;
    let mut random = pen.random();
    let pauses = 1 + random.below(8);
    for _ in 0..pauses {
        pen.write(Channel::Out, 1 + random.below(4))?;
        pause(&mut random, 50, 700);
    }
    if random.once_in(4) {
        raise(Signal::SIGUSR1)?;
    }
    // The last words go right before the end.
    pen.write(Channel::Out, 1 + random.below(100))?;
    let code = *random.pick(&[1, 2, 70]);
    pen.end(code)
}

/// A job: the end is expected, mostly.
pub(super) fn brief() -> io::Result<u8> {
    let mut pen = Pen::open()?;
    let mut random = pen.random();
    pen.write(Channel::Out, 3)?;
    pause(&mut random, 1, 400);
    let code = *random.pick(&[0, 0, 3, 3, 7]);
    pen.end(code)
}

/// Ends before it is up.
pub(super) fn failing() -> io::Result<u8> {
    let mut pen = Pen::open()?;
    pen.write(Channel::Err, 1)?;
    pen.end(1)
}

/// Messages for listeners among the lines, and an end now and then.
pub(super) fn sender() -> io::Result<u8> {
    let mut pen = Pen::open()?;
    let mut random = pen.random();
    for _ in 0..40 + random.below(200) {
        pen.send()?;
        if random.once_in(4) {
            pen.write(Channel::Out, 1)?;
        }
        pause(&mut random, 100, 900);
    }
    pen.end(1)
}

/// Leaves children behind: some in a group of their own, some with its standard output.
pub(super) fn parent() -> io::Result<u8> {
    let mut pen = Pen::open()?;
    let mut random = pen.random();
    for _ in 0..1 + random.below(3) {
        let seconds = (1 + random.below(3)).to_string();
        let mut orphan = Command::new(env::current_exe()?);
        orphan.args(["workload", "orphan", &seconds]);
        orphan.stdin(Stdio::null());
        if random.once_in(2) {
            orphan.process_group(0);
        }
        if random.once_in(2) {
            orphan.stdout(Stdio::null()).stderr(Stdio::null());
        }
        // It is left to whoever collects orphans.
        let _ = orphan.spawn()?;
        pen.write(Channel::Out, 1)?;
        pause(&mut random, 300, 1500);
    }
    pen.end(0)
}

/// Lives on after its parent.
pub(super) fn orphan(seconds: &str) -> io::Result<u8> {
    let seconds = seconds.parse().map_err(io::Error::other)?;
    sleep(Duration::from_secs(seconds));
    Ok(0)
}

/// Repeats what it reads; at the end of its input it stays.
pub(super) fn echo() -> io::Result<u8> {
    pen::echo()?;
    stay()
}

fn pause(random: &mut Random, least: u64, most: u64) {
    sleep(Duration::from_millis(least + random.below(most - least)));
}
