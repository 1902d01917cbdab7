//! A pool's events between disk and memory: everything is on disk, and a window of the oldest in
//! memory as well.
//!
//! ```text
//! new event ─▶ journal ─▶ (unread) ─▶ window: the queue of Dispatch ─▶ listeners
//!                  └── nothing unread, room in the window ──┘
//! ```
//!
//! While the disk refuses, new events wait in memory behind those on disk, in the tail, bounded
//! as a pool without a file is. As soon as it takes them again they are written.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use config::model::{BufferFile, SyncPolicy};
use protocol::events::EventType;

use super::dispatch::{Dispatch, Effect, Limit, Queued};
use super::journal::format::Entry;
use super::journal::{Journal, Read, Stored};
use super::queue::Queue;
use crate::bus::{BusHandle, Envelope, Ticket, unix_millis};
use crate::logs::activity::ActivityLog;

/// The window in memory.
const WINDOW: (usize, usize) = (1024, 1024 * 1024);

/// Where a pool keeps its events.
pub struct Storage {
    pool: String,
    file: BufferFile,
    log: ActivityLog,
    bus: BusHandle,
    slot: Slot,
    /// Events that are neither on disk nor in the window: the newest there are.
    tail: Queue,
    limit: Limit,
    /// The disk refuses, and that has been told.
    failing: bool,
    sync_failing: bool,
}

/// The journal, shared with whoever closes it.
type Slot = Rc<RefCell<State>>;

enum State {
    /// It could not be opened yet.
    Unopened,
    Open(Box<Journal>),
    /// The pool has been removed.
    Closed,
}

/// Closes the files of a pool that is removed.
pub struct Closer(Slot);

impl Closer {
    /// Closes them: from now on they may be opened by a successor.
    pub fn close(self) {
        *self.0.borrow_mut() = State::Closed;
    }
}

/// Files to sync, by somebody who may wait.
pub(super) struct SyncJob(Vec<Arc<File>>);

impl SyncJob {
    pub(super) fn run(self) -> io::Result<()> {
        self.0.iter().try_for_each(|file| {
            file.sync_data()?;
            match file.metadata()?.nlink() {
                0 => Err(io::Error::other("it has been deleted")),
                _ => Ok(()),
            }
        })
    }
}

impl Storage {
    /// Where the pool of this name keeps its events. `limit` holds while it cannot.
    pub fn new(
        pool: &str,
        file: BufferFile,
        limit: Limit,
        log: ActivityLog,
        bus: BusHandle,
    ) -> Self {
        Self {
            pool: pool.to_owned(),
            file,
            log,
            bus,
            slot: Rc::new(RefCell::new(State::Unopened)),
            tail: Queue::default(),
            limit,
            failing: false,
            sync_failing: false,
        }
    }

    /// What closes it.
    pub fn closer(&self) -> Closer {
        Closer(Rc::clone(&self.slot))
    }

    /// Opens the files and goes on with the numbers in them; a failure is told.
    pub(super) fn open(&mut self, dispatch: &mut Dispatch) {
        if !matches!(*self.slot.borrow(), State::Unopened) {
            return;
        }
        let (pool, path) = (&self.pool, self.file.path.display());
        match Journal::open(&self.file.path, self.file.maxbytes) {
            Ok((journal, restored)) => {
                for flaw in &restored.flaws {
                    self.log.warn(format_args!("pool {pool}: {flaw}"));
                }
                if restored.lost > 0 {
                    let count = restored.lost;
                    self.log.error(format_args!(
                        "pool {pool}: at least {count} events in {path} are lost"
                    ));
                    dispatch.note_discarded(count);
                }
                if restored.events > 0 {
                    let count = restored.events;
                    self.log
                        .info(format_args!("pool {pool}: events found in {path}: {count}"));
                }
                let counters = restored.counters;
                // What came before is behind what was there already.
                let mut waiting = dispatch.withdraw();
                waiting.append(&mut self.tail);
                waiting.shift(counters.position);
                self.tail = waiting;
                dispatch.number_from(counters.poolserial, counters.position);
                self.bus.number_from(counters.serial);
                *self.slot.borrow_mut() = State::Open(Box::new(journal));
            }
            Err(error) => {
                if !self.failing {
                    self.number_by_time(dispatch);
                }
                self.report(&error);
            }
        }
    }

    /// What the numbers in the files are nobody knows as long as they cannot be opened: goes on with the milliseconds
    /// since 1970, which no daemon has reached that had less than a thousand events a second since then.
    fn number_by_time(&self, dispatch: &mut Dispatch) {
        let now = u64::try_from(unix_millis()).unwrap_or(0);
        dispatch.number_from(now, 0);
        self.bus.number_from(now);
    }

    /// Goes on where another daemon has stopped, with what it had in memory only.
    pub(super) fn resume(&mut self, tail: impl Iterator<Item = Queued>, failing: bool) {
        tail.for_each(|event| self.tail.push(event));
        self.failing = failing;
    }

    /// Opens the files that another daemon had open. `known`: the positions of those events in
    /// them that `dispatch` has already.
    pub(super) fn reopen(&mut self, known: &HashSet<u64>, dispatch: &mut Dispatch) {
        match Journal::open(&self.file.path, self.file.maxbytes) {
            Ok((mut journal, _)) => {
                journal.distrust();
                *self.slot.borrow_mut() = State::Open(Box::new(journal));
                self.pass_by(known, dispatch);
            }
            Err(error) => self.report(&error),
        }
    }

    /// Passes by events that are known, as far as they have not had to go for want of room. They are the oldest; another
    /// one among them waits with them.
    fn pass_by(&mut self, known: &HashSet<u64>, dispatch: &mut Dispatch) {
        let newest = known.iter().max().copied();
        let mut last = None;
        while last < newest {
            match self.with(Journal::read_next).flatten() {
                Some(Read::Event(stored)) => {
                    last = Some(stored.position);
                    if !known.contains(&stored.position) {
                        match queued(stored) {
                            Ok(event) => dispatch.queue.put_back(event),
                            Err(stored) => self.skip(&stored, dispatch),
                        }
                    }
                }
                Some(Read::Lost(count, why)) => self.lose(count, &why, dispatch),
                None => return,
            }
        }
    }

    /// The files are open.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.slot.borrow(), State::Open(_))
    }

    /// Events that are neither on disk nor in the window, oldest first.
    pub(super) fn tail(&self) -> impl Iterator<Item = &Queued> {
        self.tail.iter()
    }

    /// Takes a new event.
    pub(super) fn accept(&mut self, mut event: Queued, dispatch: &mut Dispatch) -> Vec<Effect> {
        let direct = self.unread() == 0 && dispatch.has_room(WINDOW.0, WINDOW.1);
        if !self.failing && self.write(&event, direct) {
            event.stored = true;
            self.count_dropped(dispatch);
            return match direct {
                true => dispatch.enqueue(std::iter::once(event)),
                false => Vec::new(),
            };
        }
        self.count_dropped(dispatch);
        let mut effects = Vec::new();
        while self.tail.is_full(self.limit, event.weight(), 0, 0) {
            let Some(oldest) = self.tail.pop() else { break };
            dispatch.note_discarded(1);
            effects.push(Effect::Discarded(oldest.envelope.serial));
        }
        self.tail.push(event);
        effects.extend(self.refill(dispatch));
        effects
    }

    /// An event that was on its way here has been accepted.
    pub(super) fn arrived(&self, ticket: Ticket) {
        self.bus.arrived(ticket);
    }

    /// An event is done with.
    pub(super) fn settle(&mut self, event: &Queued) {
        if event.stored {
            self.strike_out(event.position);
        }
    }

    /// Fills the window with what waits outside.
    pub(super) fn refill(&mut self, dispatch: &mut Dispatch) -> Vec<Effect> {
        if !dispatch.has_room(WINDOW.0 / 2, WINDOW.1 / 2) {
            return Vec::new();
        }
        let mut events = Vec::new();
        let mut bytes = 0;
        while events.len() < WINDOW.0 / 2 && bytes < WINDOW.1 / 2 {
            let Some(event) = self.next(dispatch) else {
                break;
            };
            bytes += event.weight();
            events.push(event);
        }
        match events.is_empty() {
            true => Vec::new(),
            false => dispatch.enqueue(events.into_iter()),
        }
    }

    /// Tries again what has failed.
    pub(super) fn retry(&mut self, dispatch: &mut Dispatch) {
        self.open(dispatch);
        let written = self.write_waiting(dispatch);
        self.count_dropped(dispatch);
        match written {
            Some(Ok(())) => {
                self.failing = false;
                let (pool, path) = (&self.pool, self.file.path.display());
                self.log
                    .info(format_args!("pool {pool}: events are kept in {path} again"));
            }
            Some(Err(error)) => self.report(&error),
            None => {}
        }
    }

    /// Forgets what is neither on disk nor in the window; how many events that is.
    pub(super) fn abandon(&mut self) -> u64 {
        std::mem::take(&mut self.tail).len() as u64
    }

    /// The disk refuses: try again in a while.
    pub(super) fn is_failing(&self) -> bool {
        self.failing
    }

    /// Events that wait outside of the window.
    pub(super) fn waiting(&self) -> u64 {
        self.unread() + self.tail.len() as u64
    }

    /// Bytes that the files take, and events in memory behind them.
    pub(super) fn bytes(&self) -> u64 {
        let on_disk = self.with(|journal| journal.bytes()).unwrap_or(0);
        on_disk + self.tail.bytes() as u64
    }

    /// The oldest event behind those on disk.
    pub(super) fn oldest_in_tail(&self) -> Option<&Envelope> {
        self.tail.front().map(|event| &*event.envelope)
    }

    /// The path of the files.
    pub(super) fn path(&self) -> &std::path::Path {
        &self.file.path
    }

    /// How soon a sync is due; `None`: there is nothing to sync.
    pub(super) fn sync_due(&self) -> Option<Duration> {
        let delay = match self.file.sync {
            SyncPolicy::Always => Duration::ZERO,
            SyncPolicy::Within(delay) => delay,
            SyncPolicy::Never => return None,
        };
        let is_due = self.with(|journal| journal.is_unsynced());
        is_due.unwrap_or(false).then_some(delay)
    }

    /// What is to be synced now.
    pub(super) fn sync_job(&self) -> SyncJob {
        SyncJob(self.with(Journal::unsynced).unwrap_or_default())
    }

    /// What became of a sync: told when it begins to fail, and when it works again.
    pub(super) fn synced(&mut self, result: io::Result<()>) {
        let (pool, path) = (&self.pool, self.file.path.display());
        match result {
            Err(error) if !self.sync_failing => {
                self.sync_failing = true;
                self.log.critical(format_args!(
                    "pool {pool}: cannot sync {path}: {error}; a crash of the machine may lose events"
                ));
            }
            Ok(()) if self.sync_failing => {
                self.sync_failing = false;
                self.log
                    .info(format_args!("pool {pool}: {path} can be synced again"));
            }
            _ => {}
        }
    }

    fn with<R>(&self, act: impl FnOnce(&mut Journal) -> R) -> Option<R> {
        match &mut *self.slot.borrow_mut() {
            State::Open(journal) => Some(act(journal)),
            State::Unopened | State::Closed => None,
        }
    }

    fn unread(&self) -> u64 {
        self.with(|journal| journal.unread()).unwrap_or(0)
    }

    /// Whether an event could be written.
    fn write(&mut self, event: &Queued, direct: bool) -> bool {
        let written = self.with(|journal| journal.append(&entry(event), direct));
        match written {
            Some(Ok(())) => true,
            Some(Err(error)) => {
                self.report(&error);
                false
            }
            None => false,
        }
    }

    fn strike_out(&mut self, position: u64) {
        if let Some(Err(error)) = self.with(|journal| journal.settle(position)) {
            self.report(&error);
        }
    }

    /// Writes what is in memory only: first what is in the window, then the tail.
    fn write_waiting(&mut self, dispatch: &mut Dispatch) -> Option<io::Result<()>> {
        let tail = &mut self.tail;
        let mut slot = self.slot.borrow_mut();
        let State::Open(journal) = &mut *slot else {
            return None;
        };
        let mut write = || {
            journal.save()?;
            if journal.unread() == 0 {
                dispatch.store(|event| journal.append(&entry(event), true))?;
            }
            while let Some(event) = tail.front() {
                journal.append(&entry(event), false)?;
                tail.pop();
            }
            Ok(())
        };
        Some(write())
    }

    /// The oldest event outside of the window.
    fn next(&mut self, dispatch: &mut Dispatch) -> Option<Queued> {
        loop {
            match self.with(Journal::read_next).flatten() {
                Some(Read::Event(stored)) => match queued(stored) {
                    Ok(event) => return Some(event),
                    Err(stored) => self.skip(&stored, dispatch),
                },
                Some(Read::Lost(count, why)) => self.lose(count, &why, dispatch),
                None => return self.tail.pop(),
            }
        }
    }

    /// Events that cannot be read.
    fn lose(&self, count: u64, why: &str, dispatch: &mut Dispatch) {
        let pool = &self.pool;
        self.log
            .error(format_args!("pool {pool}: {count} events are lost: {why}"));
        dispatch.note_discarded(count);
    }

    /// An event of a type that a later version has written.
    fn skip(&mut self, stored: &Stored, dispatch: &mut Dispatch) {
        let (pool, serial, name) = (&self.pool, stored.serial, &stored.name);
        self.log.error(format_args!(
            "pool {pool}: discarding event {serial} of unknown type {name}"
        ));
        dispatch.note_discarded(1);
        self.strike_out(stored.position);
    }

    /// Counts and tells what had to go for want of room.
    fn count_dropped(&self, dispatch: &mut Dispatch) {
        let Some(dropped) = self.with(Journal::take_dropped) else {
            return;
        };
        let in_window = dropped.up_to.map_or(0, |up_to| dispatch.forget(up_to));
        let count = dropped.unread + in_window;
        if count > 0 {
            dispatch.note_discarded(count);
            let (pool, path) = (&self.pool, self.file.path.display());
            self.log.error(format_args!(
                "pool {pool} event buffer overflowed, discarding the oldest {count} events in {path}"
            ));
        }
    }

    /// Tells when the disk begins to refuse.
    fn report(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.failing, true) {
            let (pool, path) = (&self.pool, self.file.path.display());
            self.log.critical(format_args!(
                "pool {pool}: cannot keep events in {path}: {error}; they are kept in memory until it works"
            ));
        }
    }
}

fn entry(event: &Queued) -> Entry<'_> {
    Entry {
        position: event.position,
        poolserial: event.poolserial,
        serial: event.envelope.serial,
        raised: event.envelope.raised,
        name: event.envelope.event_type.name(),
        payload: &event.envelope.payload,
    }
}

/// The event as it was, unless its type is unknown.
fn queued(stored: Stored) -> Result<Queued, Stored> {
    let Some(event_type) = EventType::from_name(&stored.name) else {
        return Err(stored);
    };
    Ok(Queued {
        envelope: Arc::new(Envelope {
            serial: stored.serial,
            event_type,
            payload: stored.payload,
            raised: stored.raised,
        }),
        poolserial: stored.poolserial,
        position: stored.position,
        stored: true,
        rejections: 0,
    })
}

#[cfg(test)]
mod tests;
