//! The events of a pool on disk: appended as they come, struck out as they are settled.
//!
//! The log is cut into segments. One is removed when it is the oldest and everything in it is
//! settled, so what struck out an event never goes before the event. What was written is read back
//! oldest first, when the pool has room for it. A write that fails leaves no trace and may be tried
//! again; what a crash cuts off is left out when the log is opened, and so is what is damaged: what
//! follows it is read nevertheless. When a full disk takes no more, though nothing is to be delivered,
//! the last segment is cut to its beginning.
//!
//! Nothing here waits for the disk: [`Journal::unsynced`] says what somebody else should sync.

mod crc;
mod files;
pub mod format;
mod reader;
mod runs;
pub mod survey;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use files::{Files, Lock};
use format::{
    BEGINNING, Counters, Entry, Flaw, Gap, Item, NoSegment, Record, Records, decode, encode,
};
use reader::{Reader, Unreadable};
use runs::Runs;
use survey::{Found, Survey, is_next};

/// A segment has this share of all bytes, within bounds.
const SHARE: u64 = 16;
const SEGMENT: (u64, u64) = (64 * 1024, 16 * 1024 * 1024);

/// A pool's log on disk.
#[derive(Debug)]
pub struct Journal {
    files: Files,
    _lock: Lock,
    maxbytes: u64,
    /// Oldest first; the last is written to.
    segments: VecDeque<Segment>,
    active: Arc<File>,
    /// The active segment has ended in something that could not be removed.
    spoilt: bool,
    reader: Reader,
    /// The last event read or passed by.
    last_read: Option<u64>,
    /// What was settled before the log was opened.
    settled: Runs,
    /// What is settled, but could not be written yet.
    unsaved: Runs,
    counters: Counters,
    dropped: Dropped,
    /// By the number of the segment; one that is removed needs no sync.
    unsynced: Vec<(u64, Arc<File>)>,
    /// The directory has a new entry.
    unlisted: bool,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    length: u64,
    /// Positions of the first and last event.
    span: Option<(u64, u64)>,
    /// Events that are to be delivered, and those of them that have not been read.
    unsettled: u64,
    unread: u64,
}

/// What was found when the log was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Events that are to be delivered.
    pub events: u64,
    /// The numbers to go on with.
    pub counters: Counters,
    /// Events that are lost, at least: those of what could not be made sense of.
    pub lost: u64,
    /// What could not be made sense of, for the log.
    pub flaws: Vec<String>,
}

/// Events that have been thrown away with their segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many had not been read.
    pub unread: u64,
    /// Every position up to this one is gone; `None`: nothing is.
    pub up_to: Option<u64>,
}

/// An event as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// An event.
    Event(Stored),
    /// A part of a segment cannot be read: so many events are lost, and why.
    Lost(u64, String),
}

/// An event from the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // as in Entry
pub struct Stored {
    pub position: u64,
    pub poolserial: u64,
    pub serial: u64,
    pub raised: i64,
    pub name: String,
    pub payload: String,
}

impl Journal {
    /// Opens the log at a path, or begins one. Reads all there is to read once.
    ///
    /// # Errors
    /// When it belongs to somebody else, or cannot be read or written.
    pub fn open(path: &Path, maxbytes: u64) -> io::Result<(Self, Restored)> {
        let files = Files::new(path);
        let lock = files.lock()?;
        let mut survey = read_all(&files)?;
        let lost = survey.take_lost();
        let describe = |(number, at, gap): &_| describe(&files, *number, *at, gap);
        let flaws = survey.gaps.iter().map(describe).collect();
        let mut segments: VecDeque<Segment> = survey.segments.iter().map(Segment::of).collect();
        let (active, is_new) = match survey.segments.last() {
            Some(last) => (files.resume(last.number, last.good)?, false),
            None => {
                let number = files.numbers()?.last().map_or(1, |last| last + 1);
                let (segment, file) = begin(&files, number, survey.counters)?;
                segments.push_back(segment);
                (file, true)
            }
        };
        let restored = Restored {
            events: survey.unsettled(),
            counters: survey.counters,
            lost,
            flaws,
        };
        let first = segments.front().map_or(1, |segment| segment.number);
        let mut journal = Self {
            files,
            _lock: lock,
            maxbytes,
            segments,
            active: Arc::new(active),
            spoilt: false,
            reader: Reader::new(first),
            last_read: None,
            settled: survey.settled,
            // What is lost has been counted, and is not to be counted again at the next start.
            unsaved: survey.missed,
            counters: survey.counters,
            dropped: Dropped::default(),
            unsynced: Vec::new(),
            unlisted: is_new,
            scratch: Vec::new(),
        };
        journal.remove_settled();
        Ok((journal, restored))
    }

    /// Events on disk that have not been read.
    pub fn unread(&self) -> u64 {
        self.segments.iter().map(|segment| segment.unread).sum()
    }

    /// What the log takes on disk, in bytes.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    /// Adds an event, the newest. `passed_by`: the caller has it and needs not read it, having
    /// read all before it. Older events may have to go, see [`Journal::take_dropped`].
    ///
    /// # Errors
    /// When it could not be written.
    pub fn append(&mut self, entry: &Entry<'_>, passed_by: bool) -> io::Result<()> {
        self.save()?;
        let record = Record::Event(*entry);
        let offset = match self.write(&record) {
            Err(_) if self.is_settled() => {
                self.begin_again()?;
                self.write(&record)?
            }
            written => written?,
        };
        self.counters.pass(entry);
        let caught_up = self.unread() == 0;
        let Some(segment) = self.segments.back_mut() else {
            return Ok(());
        };
        let (first, _) = segment.span.unwrap_or((entry.position, entry.position));
        segment.span = Some((first, entry.position));
        segment.unsettled += 1;
        match (caught_up, passed_by) {
            (true, true) => self.last_read = Some(entry.position),
            (true, false) => self.reader.seek(segment.number, offset),
            (false, _) => {}
        }
        if !(caught_up && passed_by) {
            segment.unread += 1;
        }
        self.mark_unsynced();
        Ok(())
    }

    /// What had to go since this was last asked.
    pub fn take_dropped(&mut self) -> Dropped {
        std::mem::take(&mut self.dropped)
    }

    /// Strikes out an event that has been read: it need not be delivered any more.
    ///
    /// # Errors
    /// When that could not be written. It is remembered and written later.
    pub fn settle(&mut self, position: u64) -> io::Result<()> {
        let Some(segment) = self
            .segments
            .iter_mut()
            .find(|segment| segment.holds(position))
        else {
            // Its segment had to go.
            return Ok(());
        };
        segment.unsettled = segment.unsettled.saturating_sub(1);
        self.unsaved.insert(position, position);
        let saved = self.save();
        self.remove_settled();
        saved
    }

    /// The next event that has not been read.
    pub fn read_next(&mut self) -> Option<Read> {
        while let Some(place) = self.place_of_unread() {
            match self.read_in(place) {
                Ok(Some(event)) => return Some(Read::Event(event)),
                Ok(None) => {}
                Err(Unreadable::Flaw(flaw)) => {
                    if let Some(lost) = self.leave_out(place, flaw) {
                        return Some(lost);
                    }
                }
                Err(error) => return Some(self.give_up(place, &error)),
            }
        }
        self.settled.clear();
        None
    }

    /// The segment to read in: where the reader is, or a later one if there is nothing left.
    fn place_of_unread(&mut self) -> Option<usize> {
        let number = self.reader.number();
        let is_next = |segment: &Segment| segment.number >= number && segment.unread > 0;
        let place = self.segments.iter().position(is_next)?;
        let found = self.segments[place].number;
        if found != number {
            self.reader = Reader::new(found);
        }
        Some(place)
    }

    /// The next record of a segment, if it is an event to be delivered.
    fn read_in(&mut self, place: usize) -> Result<Option<Stored>, Unreadable> {
        let segment = &mut self.segments[place];
        let bytes = self.reader.next(&self.files, segment.length)?;
        let Ok((Record::Event(entry), _)) = decode(bytes) else {
            return Ok(None);
        };
        let is_new = is_next(&mut self.last_read, entry.position);
        if !is_new || self.settled.contains(entry.position) {
            return Ok(None);
        }
        segment.unread = segment.unread.saturating_sub(1);
        Ok(Some(Stored::of(&entry)))
    }

    /// Goes on behind what makes no sense. `None`: nothing is lost by that, or it is known.
    fn leave_out(&mut self, place: usize, flaw: Flaw) -> Option<Read> {
        let segment = &mut self.segments[place];
        let bytes = match self.reader.rest(&self.files, segment.length) {
            Ok(bytes) => bytes,
            Err(error) => return Some(self.give_up(place, &error.into())),
        };
        let mut last = self.last_read;
        let mut is_left = |item: &Item<'_>| match item {
            Item::Record(Record::Event(entry)) => {
                is_next(&mut last, entry.position) && !self.settled.contains(entry.position)
            }
            _ => false,
        };
        let left = Records::new(bytes).filter(|item| is_left(item)).count() as u64;
        let nonsense = match Records::new(bytes).next() {
            Some(Item::Gap(gap)) => gap.bytes,
            _ => 0,
        };
        self.reader.skip(nonsense);
        let count = segment.unread.saturating_sub(left);
        segment.unread -= count;
        segment.unsettled = segment.unsettled.saturating_sub(count);
        let path = self.files.segment(segment.number);
        (count > 0).then(|| Read::Lost(count, format!("{}: {flaw}", path.display())))
    }

    /// Reads no more in a segment.
    fn give_up(&mut self, place: usize, error: &Unreadable) -> Read {
        let segment = &mut self.segments[place];
        let count = std::mem::take(&mut segment.unread);
        segment.unsettled = segment.unsettled.saturating_sub(count);
        let path = self.files.segment(segment.number);
        Read::Lost(count, format!("{}: {error}", path.display()))
    }

    /// Writes what was settled and could not be written before. If it still cannot be written, but nothing is to be
    /// delivered any more, the log begins again.
    ///
    /// # Errors
    /// When that cannot be done, either.
    pub fn save(&mut self) -> io::Result<()> {
        if self.unsaved.is_empty() {
            return Ok(());
        }
        let runs = std::mem::take(&mut self.unsaved);
        let saved = runs
            .iter()
            .try_for_each(|(first, last)| self.write(&Record::Settled { first, last }).map(drop));
        if saved.is_err() {
            // Some may have been written: they may be written again.
            self.unsaved = runs;
            if self.is_settled() {
                return self.begin_again();
            }
        }
        saved
    }

    /// Nothing is to be delivered.
    fn is_settled(&self) -> bool {
        self.segments.iter().all(|segment| segment.unsettled == 0)
    }

    /// Empties the log, in which nothing is to be delivered. That needs no room on the disk, and whatever moment a crash
    /// comes at, there is a log and it has its numbers.
    fn begin_again(&mut self) -> io::Result<()> {
        self.remove_settled();
        let (1, Some(only)) = (self.segments.len(), self.segments.back_mut()) else {
            return Err(io::Error::other("a settled segment could not be removed"));
        };
        let beginning = beginning(self.counters)?;
        let file = self.files.rewrite(only.number)?;
        file.write_all_at(&beginning, 0)?;
        file.set_len(BEGINNING)?;
        *only = Segment::begun(only.number);
        self.reader = Reader::new(only.number);
        self.spoilt = false;
        self.unsaved.clear();
        self.settled.clear();
        self.mark_unsynced();
        Ok(())
    }

    fn mark_unsynced(&mut self) {
        if let Some(active) = self.segments.back()
            && self
                .unsynced
                .iter()
                .all(|(known, _)| *known != active.number)
        {
            self.unsynced
                .push((active.number, Arc::clone(&self.active)));
        }
    }

    /// What has been written and may not have reached the disk yet.
    pub fn unsynced(&mut self) -> Vec<Arc<File>> {
        let unsynced = std::mem::take(&mut self.unsynced).into_iter();
        let mut files: Vec<_> = unsynced.map(|(_, file)| file).collect();
        if std::mem::take(&mut self.unlisted)
            && let Ok(directory) = File::open(self.files.directory())
        {
            files.push(Arc::new(directory));
        }
        files
    }

    /// Takes nothing in the last segment for synced: who has written it may not have come to that.
    pub fn distrust(&mut self) {
        if let Some(segment) = self.segments.back() {
            let last = (segment.number, Arc::clone(&self.active));
            self.unsynced.push(last);
        }
    }

    /// Whether there is something to sync.
    pub fn is_unsynced(&self) -> bool {
        !self.unsynced.is_empty()
    }

    /// Writes a record to the end of the log; where in its segment it is.
    fn write(&mut self, record: &Record<'_>) -> io::Result<u64> {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let written = match encode(record, &mut bytes) {
            Ok(()) => self.write_bytes(&bytes),
            Err(error) => Err(io::Error::other(error)),
        };
        if bytes.capacity() <= SEGMENT.0 as usize {
            self.scratch = bytes;
        }
        written
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let size = bytes.len() as u64;
        while self.bytes() + size > self.maxbytes && self.drop_oldest()? {}
        let most = self.segment_size();
        let is_full = |segment: &Segment| segment.length >= most;
        if self.spoilt || self.segments.back().is_none_or(is_full) {
            self.roll()?;
        }
        let Some(segment) = self.segments.back_mut() else {
            return Err(io::Error::other("there is no segment"));
        };
        let offset = segment.length;
        if let Err(error) = (&*self.active).write_all(bytes) {
            // Half a record would hide what comes behind it.
            self.spoilt = self.active.set_len(offset).is_err();
            return Err(error);
        }
        segment.length += size;
        Ok(offset)
    }

    /// Makes room by throwing away the oldest segment; whether that may have helped.
    fn drop_oldest(&mut self) -> io::Result<bool> {
        if self.segments.len() < 2 {
            // What is written to may be all there is.
            if self.segments.back().is_none_or(|only| only.span.is_none()) {
                return Ok(false);
            }
            self.roll()?;
        }
        if self.segments.len() > 1
            && let Some(oldest) = self.segments.front()
        {
            let number = oldest.number;
            self.files.remove(number)?;
            self.unsynced.retain(|(known, _)| *known != number);
            self.dropped.unread += oldest.unread;
            if let Some((_, last)) = oldest.span {
                self.dropped.up_to = Some(last);
            }
            self.segments.pop_front();
        }
        Ok(true)
    }

    /// Goes on in a new segment.
    fn roll(&mut self) -> io::Result<()> {
        let number = self.segments.back().map_or(1, |last| last.number + 1);
        let (segment, file) = begin(&self.files, number, self.counters)?;
        self.segments.push_back(segment);
        self.active = Arc::new(file);
        self.spoilt = false;
        self.unlisted = true;
        self.remove_settled();
        Ok(())
    }

    fn segment_size(&self) -> u64 {
        let (least, most) = SEGMENT;
        (self.maxbytes / SHARE).clamp(least, most)
    }

    /// Removes the oldest segments as long as nothing in them is to be delivered.
    fn remove_settled(&mut self) {
        while self.segments.len() > 1 {
            let done = self.segments.front().filter(|first| first.unsettled == 0);
            let Some(number) = done.map(|first| first.number) else {
                return;
            };
            if self.files.remove(number).is_err() {
                // The next time, then.
                return;
            }
            self.unsynced.retain(|(known, _)| *known != number);
            self.segments.pop_front();
        }
    }
}

impl Segment {
    fn of(found: &Found) -> Self {
        Self {
            number: found.number,
            length: found.good,
            span: found.span,
            unsettled: found.unsettled,
            unread: found.unsettled,
        }
    }

    /// One with a beginning and nothing else.
    fn begun(number: u64) -> Self {
        Self {
            number,
            length: BEGINNING,
            span: None,
            unsettled: 0,
            unread: 0,
        }
    }

    fn holds(&self, position: u64) -> bool {
        self.span
            .is_some_and(|(first, last)| (first..=last).contains(&position))
    }
}

impl Stored {
    fn of(entry: &Entry<'_>) -> Self {
        Self {
            position: entry.position,
            poolserial: entry.poolserial,
            serial: entry.serial,
            raised: entry.raised,
            name: entry.name.to_owned(),
            payload: entry.payload.to_owned(),
        }
    }
}

/// How a segment begins that goes on with these numbers.
fn beginning(counters: Counters) -> io::Result<Vec<u8>> {
    let mut bytes = format::MAGIC.to_vec();
    encode(&Record::Start(counters), &mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// Creates a segment that says where it begins; it is not there if that fails.
fn begin(files: &Files, number: u64, counters: Counters) -> io::Result<(Segment, File)> {
    let mut file = files.create(number)?;
    if let Err(error) = file.write_all(&beginning(counters)?) {
        // It may stay: what is no segment yet is removed when the log is opened.
        let _ = files.remove(number);
        return Err(error);
    }
    Ok((Segment::begun(number), file))
}

/// Reads every segment there is.
fn read_all(files: &Files) -> io::Result<Survey> {
    let mut survey = Survey::default();
    let mut bytes = Vec::new();
    for number in files.numbers()? {
        bytes.clear();
        files.open(number)?.read_to_end(&mut bytes)?;
        match survey.read(number, &bytes) {
            Ok(()) => {}
            Err(NoSegment::Unborn) => files.remove(number)?,
            Err(error @ NoSegment::Foreign) => {
                let text = format!("{}: {error}", files.segment(number).display());
                return Err(io::Error::other(text));
            }
        }
    }
    Ok(survey)
}

/// What makes no sense in a segment, for the log.
fn describe(files: &Files, number: u64, at: u64, gap: &Gap) -> String {
    let path = files.segment(number);
    let (flaw, bytes) = (gap.flaw, gap.bytes);
    let what = match gap.is_inside {
        true => format!("{bytes} bytes"),
        false => format!("the other {bytes}"),
    };
    format!(
        "{}: {flaw} after {at} bytes, leaving out {what}",
        path.display()
    )
}

#[cfg(test)]
mod tests;
