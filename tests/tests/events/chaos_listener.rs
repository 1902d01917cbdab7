//! An event listener that misbehaves by chance.
//!
//! usage: chaos-listener DIRECTORY NAME SEED
//!
//! Before its answer to an event a line is added to the file NAME in the directory: poolserial, serial, and the number the event
//! carries as its data. When it gives up the protocol for good it first leaves a file NAME.stuck with its pid.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::PathBuf;
use std::thread::{park, sleep};
use std::time::Duration;
use std::{env, process};

use callboard_tests::random::Random;

/// What it does instead of a proper answer; each once in so many events.
const LATE: u64 = 400;
const IN_PIECES: u64 = 100;
const REJECT: u64 = 1000;
const STUCK: u64 = 5000;

/// Bodies that are not OK.
const REJECTIONS: [&str; 3] = ["RESULT 4\nFAIL", "RESULT 0\n", "RESULT 3\nOK\n"];

/// What is against the protocol. The first two are said in time, the third is said without being asked, the last is silence.
const NONSENSE: [&str; 4] = [
    "RESULT nonsense\n",
    "hello there\n",
    "RESULT 2\nOKREADY\nlook at me\n",
    "",
];

struct Listener {
    record: File,
    stuck: PathBuf,
    random: Random,
    input: io::StdinLock<'static>,
    output: io::StdoutLock<'static>,
}

fn main() -> io::Result<()> {
    let words: Vec<_> = env::args().collect();
    let [_, directory, name, seed] = words.as_slice() else {
        return Err(io::Error::other(
            "usage: chaos-listener DIRECTORY NAME SEED",
        ));
    };
    let directory = PathBuf::from(directory);
    let seed: u64 = seed.parse().map_err(io::Error::other)?;
    let mut listener = Listener {
        record: OpenOptions::new()
            .create(true)
            .append(true)
            .open(directory.join(name))?,
        stuck: directory.join(format!("{name}.stuck")),
        random: Random::new(seed ^ u64::from(process::id())),
        input: io::stdin().lock(),
        output: io::stdout().lock(),
    };
    listener.say("READY\n")?;
    while listener.handle()? {}
    Ok(())
}

impl Listener {
    /// Handles an event; `false`: there are no more.
    fn handle(&mut self) -> io::Result<bool> {
        let mut header = String::new();
        if self.input.read_line(&mut header)? == 0 {
            return Ok(false);
        }
        // All payloads are ASCII: characters are bytes.
        let mut payload = vec![0; number(&header, " len:")];
        self.input.read_exact(&mut payload)?;
        let data = payload.rsplit(|byte| *byte == b'\n').next();
        let line = format!(
            "{:>10} {:>10} {:>10}\n",
            number(&header, " poolserial:"),
            number(&header, " serial:"),
            String::from_utf8_lossy(data.unwrap_or_default())
        );
        self.record.write_all(line.as_bytes())?;
        self.answer()?;
        Ok(true)
    }

    fn answer(&mut self) -> io::Result<()> {
        if self.random.once_in(LATE) {
            sleep(Duration::from_millis(1 + self.random.below(8)));
        }
        if self.random.once_in(STUCK) {
            return self.give_up();
        }
        if self.random.once_in(REJECT) {
            let rejection = *self.random.pick(&REJECTIONS);
            self.say(rejection)?;
            return self.say("READY\n");
        }
        let answer = "RESULT 2\nOKREADY\n";
        if self.random.once_in(IN_PIECES) {
            let (first, second) = answer.split_at(self.random.below(16) as usize);
            self.say(first)?;
            return self.say(second);
        }
        self.say(answer)
    }

    /// Says nonsense, or nothing, and then nothing more.
    fn give_up(&mut self) -> io::Result<()> {
        fs::write(&self.stuck, process::id().to_string())?;
        let nonsense = *self.random.pick(&NONSENSE);
        self.say(nonsense)?;
        loop {
            park();
        }
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }
}

/// The number behind a key of the header.
fn number(header: &str, key: &str) -> usize {
    let (_, rest) = header.split_once(key).expect("a header has all keys");
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
    digits.unwrap_or_default().parse().expect("a number")
}
