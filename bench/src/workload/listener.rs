//! An event listener that does no more than it must and keeps a record.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{About, Error};
use crate::meter;

/// What a listener has recorded: eight bytes each, the number of events first, then the latencies of those that told
/// when they were sent.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Events so far.
    pub(crate) events: usize,
    /// Nanoseconds from writing to receiving.
    pub(crate) latencies: Vec<u64>,
}

impl Record {
    /// Reads a record; an empty one if there is none yet.
    pub(crate) fn read(path: &Path) -> Self {
        let mut numbers = read_numbers(path).into_iter();
        let events = numbers.next().unwrap_or_default() as usize;
        let latencies = numbers.collect();
        Self { events, latencies }
    }
}

/// The numbers of a file, eight bytes each.
pub(crate) fn read_numbers(path: &Path) -> Vec<u64> {
    let bytes = fs::read(path).unwrap_or_default();
    let (numbers, _) = bytes.as_chunks();
    numbers
        .iter()
        .map(|eight| u64::from_le_bytes(*eight))
        .collect()
}

/// Answers every event with OK and counts it in the record; ends with standard input.
pub(super) fn listen(record: &str) -> Result<(), Error> {
    let record = File::create(record).about("create the record")?;
    let mut input = BufReader::new(io::stdin().lock());
    let (mut header, mut payload) = (String::new(), Vec::new());
    let (mut events, mut samples) = (0_u64, 0_u64);
    loop {
        say("READY\n")?;
        header.clear();
        if input.read_line(&mut header).about("read a header")? == 0 {
            return Ok(());
        }
        payload.resize(length(&header)?, 0);
        input.read_exact(&mut payload).about("read a payload")?;
        if let Some(sent) = sent_at(&payload) {
            samples += 1;
            put(&record, samples, meter::now_ns()?.saturating_sub(sent))?;
        }
        events += 1;
        put(&record, 0, events)?;
        say("RESULT 2\nOK")?;
    }
}

fn say(text: &str) -> Result<(), Error> {
    nix::unistd::write(io::stdout(), text.as_bytes()).about("write")?;
    Ok(())
}

fn put(record: &File, place: u64, number: u64) -> Result<(), Error> {
    let written = record.write_all_at(&number.to_le_bytes(), place * 8);
    written.about("write the record")
}

/// The payload's length by the header; all payloads here are ASCII.
fn length(header: &str) -> Result<usize, Error> {
    let mut fields = header.split_whitespace();
    let length = fields.find_map(|field| field.strip_prefix("len:")?.parse().ok());
    length.ok_or_else(|| Error::Answer(format!("no length in {header:?}")))
}

fn sent_at(payload: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(payload).ok()?;
    text.rsplit_once("at:")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_payloads_are_read() {
        assert_eq!(length("ver:3.0 eventname:X len:12\n").unwrap(), 12);
        assert!(length("ver:3.0\n").is_err());
        assert_eq!(sent_at(b"processname:a pid:1\nat:12345"), Some(12345));
        assert_eq!(sent_at(b"processname:a pid:1\nmessage 1"), None);
    }
}
