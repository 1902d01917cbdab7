//! Event listeners that write down what they are told before they answer.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::Path;
use std::process;
use std::thread::sleep;
use std::time::Duration;

use callboard_tests::random::Random;

use super::pen::say;
use crate::stream::Channel;

/// The directory of records, below the daemon's.
pub(crate) const RECORDS: &str = "records";

/// What a listener does besides its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Nothing, except for a FAIL now and then.
    Careful,
    /// It dies before it has read an event, before it has answered, or right after.
    Mortal,
    /// It takes its time.
    Slow,
}

impl Habit {
    pub(crate) const ALL: [Self; 3] = [Self::Careful, Self::Mortal, Self::Slow];

    /// The name of its pool.
    pub(crate) const fn pool(self) -> &'static str {
        match self {
            Self::Careful => "durable",
            Self::Mortal => "mortal",
            Self::Slow => "slow",
        }
    }
}

struct Listener {
    record: File,
    habit: Habit,
    random: Random,
    input: io::StdinLock<'static>,
}

/// Answers events until there are no more.
pub(super) fn listen(pool: &str, epoch: &str, habit: &str) -> io::Result<u8> {
    let habit = Habit::ALL.into_iter().find(|known| known.pool() == habit);
    let habit = habit.ok_or_else(|| io::Error::other("no such habit"))?;
    let name = env::var("SUPERVISOR_PROCESS_NAME").map_err(io::Error::other)?;
    let path = Path::new(RECORDS).join(format!("{pool}.{epoch}.{name}"));
    let mut listener = Listener {
        record: OpenOptions::new().create(true).append(true).open(path)?,
        habit,
        random: Random::new(process::id().into()),
        input: io::stdin().lock(),
    };
    while listener.handle()? {}
    Ok(0)
}

impl Listener {
    /// Handles an event; `false`: there are no more.
    fn handle(&mut self) -> io::Result<bool> {
        answer("READY\n")?;
        let mut header = String::new();
        if self.input.read_line(&mut header)? == 0 {
            return Ok(false);
        }
        self.perhaps_die(2000);
        // All payloads are ASCII: characters are bytes.
        let length = token(&header, "len")?.parse().map_err(io::Error::other)?;
        let mut payload = vec![0; length];
        self.input.read_exact(&mut payload)?;
        self.note(&header, &payload)?;
        self.perhaps_die(500);
        if self.habit == Habit::Slow {
            sleep(Duration::from_millis(5 + self.random.below(20)));
        }
        if self.random.once_in(700) {
            answer("RESULT 4\nFAIL")?;
        } else {
            answer("RESULT 2\nOK")?;
        }
        self.perhaps_die(1000);
        Ok(true)
    }

    /// `poolserial serial eventname payload`, line feeds of the payload written as `|`.
    fn note(&mut self, header: &str, payload: &[u8]) -> io::Result<()> {
        let payload = String::from_utf8_lossy(payload).replace('\n', "|");
        let (poolserial, serial) = (token(header, "poolserial")?, token(header, "serial")?);
        let name = token(header, "eventname")?;
        let line = format!("{poolserial} {serial} {name} {payload}\n");
        self.record.write_all(line.as_bytes())
    }

    fn perhaps_die(&mut self, times: u64) {
        if self.habit == Habit::Mortal && self.random.once_in(times) {
            process::exit(1);
        }
    }
}

fn answer(text: &str) -> io::Result<()> {
    say(Channel::Out, text.as_bytes(), |_| Ok(()))
}

fn token<'a>(header: &'a str, key: &str) -> io::Result<&'a str> {
    let mut tokens = header.split_whitespace();
    tokens
        .find_map(|token| token.strip_prefix(key)?.strip_prefix(':'))
        .ok_or_else(|| io::Error::other(format!("no {key} in {header:?}")))
}
