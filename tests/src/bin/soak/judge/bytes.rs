//! Whether every byte is in the logs, once and in order.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use super::verdict::{Figures, Invariant};
use crate::ledger::{self, Run};
use crate::plan::BACKUPS;
use crate::shared::{Shared, value};
use crate::stream::{self, Channel, HEADER};

/// The most that is written at once: what a killed program may have written and not counted.
const LARGEST_WRITE: u64 = 600 * 200;

/// Holds all logs to the ledgers.
pub(super) fn judge(shared: &Shared, figures: &mut Figures) {
    let directory = shared.stage.daemon.path(ledger::DIRECTORY);
    let (mut bytes, mut runs, mut files) = (0, 0, 0);
    for name in ledger::names(&directory) {
        let ledger = ledger::read(&directory, &name);
        runs += ledger.len();
        for channel in Channel::ALL {
            let paths = logs(shared, &name, channel);
            files += paths.len();
            match Checker::new(&name, channel, &ledger, paths).check() {
                Ok(count) => bytes += count,
                Err(wrong) => {
                    let text = format!("{name}.{}: {wrong}", channel.suffix());
                    shared.complain(Invariant::Bytes, text);
                }
            }
        }
    }
    let megabytes = bytes as f64 / 1e6;
    let figure = format!("{megabytes:.1} MB of {runs} runs in {files} files");
    figures.insert(Invariant::Bytes, figure);
    judge_echoes(shared, figures);
}

/// The files of a log, oldest first.
fn logs(shared: &Shared, name: &str, channel: Channel) -> Vec<PathBuf> {
    let base = format!("{name}.{}", channel.suffix());
    let directory = shared.stage.daemon.path("out");
    let mut moved = Vec::new();
    let mut backups = Vec::new();
    for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
        let file = entry.file_name().into_string().unwrap_or_default();
        match file
            .strip_prefix(&base)
            .and_then(|rest| rest.strip_prefix('.'))
        {
            Some(rest) if rest.starts_with("moved-") => moved.push(entry.path()),
            Some(rest) => backups.extend(rest.parse().ok().map(|n: usize| (n, entry.path()))),
            None => {}
        }
    }
    moved.sort();
    backups.sort();
    if backups.len() >= BACKUPS {
        shared.complain(Invariant::Harness, format!("{base} has too few backups"));
    }
    let backups = backups.into_iter().rev().map(|(_, path)| path);
    let newest = directory.join(base);
    moved
        .into_iter()
        .chain(backups)
        .chain(newest.exists().then_some(newest))
        .collect()
}

fn open(paths: Vec<PathBuf>) -> io::Result<impl BufRead> {
    let mut all: Box<dyn Read> = Box::new(io::empty());
    for path in paths {
        all = Box::new(all.chain(File::open(path)?));
    }
    Ok(BufReader::with_capacity(1 << 18, all))
}

/// Reads a log and tells whose bytes they are.
struct Checker<'a> {
    name: &'a str,
    channel: Channel,
    ledger: &'a [Run],
    paths: Vec<PathBuf>,
    /// The run that is being read, the number of its next line, its bytes so far.
    run: Option<usize>,
    line: u64,
    bytes: u64,
    total: u64,
}

impl<'a> Checker<'a> {
    fn new(name: &'a str, channel: Channel, ledger: &'a [Run], paths: Vec<PathBuf>) -> Self {
        Self {
            name,
            channel,
            ledger,
            paths,
            run: None,
            line: 0,
            bytes: 0,
            total: 0,
        }
    }

    /// Checks everything; answers how many bytes there are.
    fn check(mut self) -> Result<u64, String> {
        let mut input = open(std::mem::take(&mut self.paths)).map_err(|error| error.to_string())?;
        let mut text = Vec::new();
        loop {
            text.clear();
            let count = input.read_until(b'\n', &mut text);
            if count.map_err(|error| error.to_string())? == 0 {
                break;
            }
            self.total += text.len() as u64;
            let text = std::str::from_utf8(&text).map_err(|error| error.to_string())?;
            match text.find(HEADER) {
                Some(at) => {
                    self.take(&text[..at])?;
                    self.begin(&text[at..])?;
                }
                None => self.take(text)?,
            }
        }
        self.end(self.ledger.len())?;
        Ok(self.total)
    }

    /// The next line of the run, or the beginning of it if the program was killed.
    fn take(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        let run = self.run.ok_or_else(|| format!("{text:?} before any run"))?;
        let expected = stream::line(self.name, self.channel, run as u64, self.line);
        if !expected.starts_with(text) {
            return Err(format!("run {run}: {text:?} instead of {expected:?}"));
        }
        self.line += 1;
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// A header: the run before is complete, and those between have written nothing.
    fn begin(&mut self, text: &str) -> Result<(), String> {
        let next = self.run.map_or(0, |run| run + 1);
        let run = (next..self.ledger.len())
            .find(|run| stream::header(self.name, *run as u64) == text)
            .ok_or_else(|| format!("{text:?} where run {next} or a later one begins"))?;
        self.end(run)?;
        self.run = Some(run);
        self.line = 0;
        self.bytes = text.len() as u64;
        Ok(())
    }

    /// Holds the run before, and those without a byte, to the ledger.
    fn end(&mut self, next: usize) -> Result<(), String> {
        let column = self.channel as usize;
        let first = self.run.unwrap_or(0);
        for run in first..next {
            let seen = if Some(run) == self.run { self.bytes } else { 0 };
            let written = self.ledger[run].bytes[column];
            if !(written..=written + LARGEST_WRITE).contains(&seen) {
                return Err(format!(
                    "run {run} has written {written} bytes, there are {seen}"
                ));
            }
            if self.ledger[run].code.is_some() && written != seen {
                return Err(format!(
                    "run {run} ended with {written} bytes, there are {seen}"
                ));
            }
        }
        Ok(())
    }
}

/// What was written to standard input must be in the logs of those that repeat it.
fn judge_echoes(shared: &Shared, figures: &mut Figures) {
    let mut count = 0;
    for name in shared.stage.plan().processes("echo") {
        let (_, name) = name.split_once(':').unwrap_or_default();
        let Ok(input) = open(logs(shared, name, Channel::Out)) else {
            shared.complain(Invariant::Echo, format!("{name} has no log"));
            continue;
        };
        for (number, line) in input.lines().map_while(Result::ok).enumerate() {
            let expected = stream::line(name, Channel::Out, 0, number as u64);
            if line != expected.trim_end() {
                let text = format!("{name}: {line:?} instead of {expected:?}");
                shared.complain(Invariant::Echo, text);
                break;
            }
            count += 1;
        }
    }
    let sent = value(&shared.counts.echoed);
    if count != sent {
        shared.complain(
            Invariant::Echo,
            format!("{sent} lines sent, {count} in the logs"),
        );
    }
    figures.insert(Invariant::Echo, format!("{sent} lines"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two runs that ended by themselves, one that was killed, one that has written nothing.
    fn ledger(texts: &[(String, bool)]) -> Vec<Run> {
        let run = |(text, ended): &(String, bool)| Run {
            bytes: [text.len() as u64, 0],
            code: ended.then_some(0),
            ..Run::default()
        };
        texts.iter().map(run).collect()
    }

    fn text(run: u64, lines: u64) -> String {
        let lines = (0..lines).map(|line| stream::line("a", Channel::Out, run, line));
        stream::header("a", run) + &lines.collect::<String>()
    }

    fn checked(ledger: &[Run], log: &str) -> Result<u64, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let paths = [0, 1].map(|part| directory.path().join(part.to_string()));
        let (first, second) = log.as_bytes().split_at(log.len() / 2);
        fs::write(&paths[0], first).expect("it is writable");
        fs::write(&paths[1], second).expect("it is writable");
        Checker::new("a", Channel::Out, ledger, paths.into()).check()
    }

    #[test]
    fn every_byte_counts() {
        let mut torn = text(1, 5);
        torn.truncate(torn.len() - 7);
        let texts = [
            (text(0, 3), true),
            (torn, false),
            (String::new(), false),
            (text(3, 2), true),
        ];
        let ledger = ledger(&texts);
        let log: String = texts.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(checked(&ledger, &log), Ok(log.len() as u64));
        for at in (0..log.len()).step_by(5) {
            let without = format!("{}{}", &log[..at], &log[at + 1..]);
            assert!(checked(&ledger, &without).is_err(), "without byte {at}");
            let line = log[at..].find('\n').map_or(log.len(), |end| at + end + 1);
            let twice = format!("{}{}", &log[..line], &log[at..]);
            assert!(checked(&ledger, &twice).is_err(), "twice from {at}");
        }
        assert!(checked(&ledger, "").is_err());
    }
}
