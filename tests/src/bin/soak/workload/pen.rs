//! Writing in a way that can be accounted for.

use std::io::{self, Write as _};
use std::path::Path;
use std::{env, io as stdio};

use callboard_tests::random::Random;
use nix::errno::Errno;

use crate::ledger::{self, Ledger};
use crate::stream::{self, Channel};

/// Where what is between these goes to listeners instead of the log.
const BEGIN: &str = "<!--XSUPERVISOR:BEGIN-->";
const END: &str = "<!--XSUPERVISOR:END-->";

/// Writes the stream of a run and keeps its ledger.
pub(super) struct Pen {
    name: String,
    ledger: Ledger,
    lines: [u64; 2],
    bytes: [u64; 2],
    messages: u64,
}

impl Pen {
    /// Begins a run of the program that supervisord has started this process as.
    pub(super) fn open() -> io::Result<Self> {
        let name = env::var("SUPERVISOR_PROCESS_NAME").map_err(io::Error::other)?;
        let ledger = Ledger::open(Path::new(ledger::DIRECTORY), &name)?;
        Ok(Self {
            name,
            ledger,
            lines: [0; 2],
            bytes: [0; 2],
            messages: 0,
        })
    }

    /// Chance of this run's own.
    pub(super) fn random(&self) -> Random {
        let name = self.name.bytes().map(u64::from).sum::<u64>();
        Random::new(name << 32 ^ self.ledger.run)
    }

    /// Writes some lines by one write(2).
    pub(super) fn write(&mut self, channel: Channel, lines: u64) -> io::Result<()> {
        let at = channel as usize;
        if self.bytes[at] == 0 {
            let header = stream::header(&self.name, self.ledger.run);
            self.put(channel, header.as_bytes())?;
        }
        let mut chunk = String::new();
        for _ in 0..lines {
            chunk += &stream::line(&self.name, channel, self.ledger.run, self.lines[at]);
            self.lines[at] += 1;
        }
        self.put(channel, chunk.as_bytes())
    }

    /// Sends a message to listeners.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let (run, number) = (self.ledger.run, self.messages);
        let text = stream::sealed(format!("{} {run} {number}", self.name));
        say(
            Channel::Out,
            format!("{BEGIN}{text}{END}").as_bytes(),
            |_| Ok(()),
        )?;
        self.messages += 1;
        self.ledger.note_messages(self.messages)
    }

    /// Notes how the run ends.
    pub(super) fn end(&self, code: u8) -> io::Result<u8> {
        self.ledger.note_code(code)?;
        Ok(code)
    }

    fn put(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let Self {
            ledger,
            bytes: done,
            ..
        } = self;
        let done = &mut done[channel as usize];
        say(channel, bytes, |count| {
            *done += count as u64;
            ledger.note_bytes(channel, *done)
        })
    }
}

/// Writes without a buffer, telling of each piece.
pub(super) fn say(
    channel: Channel,
    mut bytes: &[u8],
    mut written: impl FnMut(usize) -> io::Result<()>,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let outcome = match channel {
            Channel::Out => nix::unistd::write(stdio::stdout(), bytes),
            Channel::Err => nix::unistd::write(stdio::stderr(), bytes),
        };
        match outcome {
            Ok(count) => {
                bytes = &bytes[count..];
                written(count)?;
            }
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Copies what comes in to where the log is made, a line at a time.
pub(super) fn echo() -> io::Result<()> {
    let mut line = String::new();
    while io::stdin().read_line(&mut line)? > 0 {
        say(Channel::Out, line.as_bytes(), |_| Ok(()))?;
        line.clear();
    }
    io::stdout().flush()
}
