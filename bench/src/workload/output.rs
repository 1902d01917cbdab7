//! Programs that write.

use std::io::{self, Write};
use std::thread::{park, sleep};
use std::time::Duration;

use crate::error::{About, Error};
use crate::meter;

const BEGIN: &str = "<!--XSUPERVISOR:BEGIN-->";
const END: &str = "<!--XSUPERVISOR:END-->";

/// Lines of 100 bytes, `size` in all.
pub(crate) fn plain(size: usize) -> Vec<u8> {
    let line = "All work and no play makes a dull log, and so it goes on for exactly one hundred bytes, newline too";
    let mut lines = line.as_bytes().to_vec();
    lines.push(b'\n');
    lines.into_iter().cycle().take(size).collect()
}

/// 64 KiB of lines with escape sequences as build tools write them, whole lines only.
pub(crate) fn coloured() -> Vec<u8> {
    let line = "\x1b[32m   Compiling\x1b[0m some-crate v1.2.3 and the rest of a line that has no colour at all\n";
    line.repeat(65_536 / line.len()).into_bytes()
}

/// Writes `total` bytes in chunks, one write(2) each, then stays.
pub(crate) fn spout(chunk: &[u8], total: usize) -> Result<(), Error> {
    let mut left = total;
    while left > 0 {
        let piece = &chunk[..chunk.len().min(left)];
        say(piece)?;
        left -= piece.len();
    }
    stay()
}

/// Writes a line a second; the phases of many such programs differ.
pub(crate) fn tick() -> Result<(), Error> {
    let phase = u64::from(std::process::id()) * 7919 % 1000;
    sleep(Duration::from_millis(phase));
    loop {
        say(b"a line a second, of sixty bytes or so, as a quiet service does\n")?;
        sleep(Duration::from_secs(1));
    }
}

/// What one of many messages says. The original reads a pipe of 64 KiB at once and recurses for each tag in it: shorter
/// messages would be too many for it.
pub(crate) fn message(number: usize) -> String {
    format!("message {number:08} of a burst, {:.<230}", "padded")
}

/// Writes tagged messages as fast as they are taken, then stays.
pub(crate) fn burst(count: usize) -> Result<(), Error> {
    let mut out = io::BufWriter::with_capacity(65_536, SayAll);
    for number in 0..count {
        write!(out, "{BEGIN}{}{END}", message(number)).about("write")?;
    }
    out.flush().about("write")?;
    stay()
}

/// Writes tagged messages that tell when they were written, `rate` a second, then stays.
pub(crate) fn pace(rate: usize, count: usize) -> Result<(), Error> {
    let pause = Duration::from_secs(1) / u32::try_from(rate).unwrap_or(1);
    for _ in 0..count {
        sleep(pause);
        say(format!("{BEGIN}at:{}{END}", meter::now_ns()?).as_bytes())?;
    }
    stay()
}

/// Standard output without the line buffer of the standard library.
struct SayAll;

impl Write for SayAll {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(nix::unistd::write(io::stdout(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn say(bytes: &[u8]) -> Result<(), Error> {
    SayAll.write_all(bytes).about("write")
}

fn stay() -> ! {
    loop {
        park();
    }
}
