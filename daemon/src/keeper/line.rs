//! The daemon's end: what a successor would need is told at once, without waiting for anything.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

use config::model::ProgramsOnDeath;
use nix::errno::Errno;
use nix::unistd::Pid;

use super::estate::SERIAL;
use super::outbox::{Letter, Outbox, Record};
use super::wire::{Ending, Fate, LONGEST, Put, Told};
use crate::process::children::Children;
use crate::sys::handover::memory_file;
use crate::sys::readiness::{SharedFd, readable, writable};
use crate::sys::wait::{ExitStatus, Reaped, Used};
use crate::sys::{clock, packets};
use crate::upgrade::Gate;

/// A record without its body may be so long.
const HEADROOM: usize = 4096;

/// So many numbers of events are noted as given at once.
const SERIALS: u64 = 1024;

/// The line to the keeper, if there is one; clones share it.
#[derive(Clone, Default)]
pub struct Keeper(Option<Rc<Line>>);

struct Line {
    socket: SharedFd,
    mode: Cell<ProgramsOnDeath>,
    /// The keeper has gone.
    is_lost: Cell<bool>,
    outbox: RefCell<Outbox>,
    /// Somebody is offering what waits.
    is_offering: Cell<bool>,
    /// While it is closed nothing is read; what waits counts as under way.
    gate: RefCell<Option<Gate>>,
    /// Numbers of events below this are noted as given.
    serials: Cell<u64>,
}

/// A record as its owner gives it.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// Which one.
    pub key: &'a [u8],
    /// The child it is about, 0 for none.
    pub pid: i32,
    /// What a successor is to know.
    pub body: &'a [u8],
    /// What has to stay open; `None`: the same as before.
    pub descriptors: Option<&'a [RawFd]>,
}

impl Keeper {
    /// The line with this end.
    pub fn new(socket: OwnedFd) -> Self {
        Self(Some(Rc::new(Line {
            socket: SharedFd(Rc::new(socket)),
            mode: Cell::new(ProgramsOnDeath::Leave),
            is_lost: Cell::new(false),
            outbox: RefCell::default(),
            is_offering: Cell::new(false),
            gate: RefCell::new(None),
            serials: Cell::new(0),
        })))
    }

    /// There is one.
    pub fn is_there(&self) -> bool {
        self.0.as_ref().is_some_and(|line| !line.is_lost.get())
    }

    /// The descriptor, for the next program.
    pub fn descriptor(&self) -> Option<RawFd> {
        let line = self.0.as_ref().filter(|line| !line.is_lost.get())?;
        Some(line.socket.as_raw_fd())
    }

    /// What is to become of programs, as configured.
    pub fn set_mode(&self, mode: ProgramsOnDeath) {
        if let Some(line) = &self.0 {
            line.mode.set(mode);
        }
    }

    /// What is to become of programs.
    pub fn mode(&self) -> ProgramsOnDeath {
        let line = self.0.as_ref();
        line.map_or(ProgramsOnDeath::Leave, |line| line.mode.get())
    }

    /// Somebody keeps records: ask before composing one.
    pub fn keeps(&self) -> bool {
        let keeps =
            |line: &Rc<Line>| line.mode.get() == ProgramsOnDeath::Keep && !line.is_lost.get();
        self.0.as_ref().is_some_and(keeps)
    }

    /// Has a record kept in place of the one of this key.
    pub fn put(&self, record: &Kept<'_>) {
        if let Some(line) = self.0.as_ref().filter(|_| self.keeps()) {
            line.put(record);
        }
    }

    /// Has no record of this key kept any more.
    pub fn forget(&self, key: &[u8]) {
        if let Some(line) = self.0.as_ref().filter(|_| self.keeps()) {
            line.tell(&Told::Forget(key), Some(key));
        }
    }

    /// Has no records kept any more: a new round begins.
    pub fn clear(&self) {
        if let Some(line) = &self.0 {
            line.serials.set(0);
            line.outbox.borrow_mut().clear();
            line.tell(&Told::Clear, None);
        }
    }

    /// A child has been reaped that a record is about.
    pub(crate) fn note_reaped(&self, child: &Reaped) {
        if let Some(line) = self.0.as_ref().filter(|_| self.keeps()) {
            let ending = Ending {
                pid: child.pid.as_raw(),
                status: child.status.raw(),
                peak_memory: child.used.peak_memory,
                cpu: child.used.cpu,
                at: clock::monotonic(),
            };
            line.tell(&Told::Reaped(ending), None);
        }
    }

    /// An event gets this number: no successor may give it again.
    pub fn note_serial(&self, serial: u64) {
        let Some(line) = &self.0 else { return };
        // After the greatest number comes 0.
        let given = line.serials.get();
        if self.keeps() && !(given.saturating_sub(SERIALS)..given).contains(&serial) {
            let end = serial.saturating_add(SERIALS);
            line.serials.set(end);
            line.put(&Kept {
                key: SERIAL,
                pid: 0,
                body: &end.to_le_bytes(),
                descriptors: Some(&[]),
            });
        }
    }

    /// The daemon works; when it dies, the mode holds from now on.
    pub fn is_up(&self) {
        if let Some(line) = &self.0 {
            let fate = match line.mode.get() {
                ProgramsOnDeath::Leave => Fate::Leave,
                ProgramsOnDeath::Keep => Fate::Keep,
                ProgramsOnDeath::Kill => Fate::Kill,
            };
            line.tell(&Told::Fate(fate, b""), None);
        }
    }

    /// Programs are being stopped. If the daemon dies meanwhile that goes on, and whatever was to
    /// come afterwards.
    pub fn is_closing(&self, restarts: bool) {
        if let Some(line) = self.0.as_ref().filter(|_| self.keeps()) {
            let fate = if restarts { Fate::Anew } else { Fate::Finish };
            line.tell(&Told::Fate(fate, b""), None);
        }
    }

    /// The daemon cannot go on with what there is: once it has ended everything begins anew.
    pub(crate) fn begin_anew(&self, reason: &str) {
        if let Some(line) = &self.0 {
            line.tell(&Told::Fate(Fate::Anew, reason.as_bytes()), None);
        }
    }

    /// Takes what the keeper has told so far; how many ends of children that were.
    pub(crate) fn hear(&self, children: &Children) -> usize {
        let Some(line) = &self.0 else { return 0 };
        let mut count = 0;
        while let Ok(Some(child)) = line.next_ended() {
            children.ended(child).tell_at_once();
            count += 1;
        }
        count
    }

    /// Hears the keeper as long as it is there.
    pub async fn attend(&self, children: &Children, gate: &Gate) {
        let Some(line) = &self.0 else {
            return std::future::pending().await;
        };
        line.gate.replace(Some(gate.clone()));
        line.is_offering.set(false);
        line.offer_later();
        if line.attend(children, gate).await.is_err() {
            line.is_lost.set(true);
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keeper").field(&self.descriptor()).finish()
    }
}

impl Line {
    fn socket(&self) -> BorrowedFd<'_> {
        self.socket.0.as_fd()
    }

    fn put(self: &Rc<Self>, record: &Kept<'_>) {
        let is_long = record.body.len() + record.key.len() + HEADROOM > LONGEST;
        let file = is_long.then(|| memory_file(record.body)).transpose();
        // Without memory for it there is none for a successor either.
        let Ok(file) = file else { return };
        let file = file.map(OwnedFd::from);
        let put = Put {
            key: record.key,
            pid: record.pid,
            as_before: record.descriptors.is_none(),
            in_file: file.is_some(),
            body: if file.is_some() { b"" } else { record.body },
        };
        let descriptors: Vec<RawFd> = file
            .iter()
            .map(OwnedFd::as_raw_fd)
            .chain(record.descriptors.into_iter().flatten().copied())
            .take(packets::MOST_DESCRIPTORS)
            .collect();
        if !self.send(&Told::Put(put.clone()).write(), &descriptors) {
            self.outbox.borrow_mut().put(Record {
                key: put.key.to_vec(),
                pid: put.pid,
                as_before: put.as_before,
                in_file: put.in_file,
                body: put.body.to_vec(),
                descriptors: duplicates(&descriptors),
            });
            self.offer_later();
        }
    }

    fn tell(self: &Rc<Self>, told: &Told<'_>, key: Option<&[u8]>) {
        let packet = told.write();
        if !self.send(&packet, &[]) {
            self.outbox.borrow_mut().tell(packet, key);
            self.offer_later();
        }
    }

    /// Whether a message is dealt with; if not, it has to wait.
    fn send(&self, packet: &[u8], descriptors: &[RawFd]) -> bool {
        if self.is_lost.get() {
            return true;
        }
        if !self.outbox.borrow().is_empty() {
            return false;
        }
        match packets::send(self.socket(), packet, descriptors) {
            Err(errno) if is_busy(errno) => false,
            // Whoever hears the line notices that it has been cut.
            Ok(()) | Err(_) => true,
        }
    }

    /// Offers what waits as soon as it may be taken.
    fn offer_later(self: &Rc<Self>) {
        if self.outbox.borrow().is_empty() || self.gate.borrow().is_none() {
            return;
        }
        if !self.is_offering.replace(true) {
            let line = Rc::clone(self);
            actix::spawn(async move {
                let pass = line.gate.borrow().as_ref().map(Gate::pass);
                if line.offer().await.is_err() {
                    line.outbox.borrow_mut().clear();
                }
                line.is_offering.set(false);
                drop(pass);
            });
        }
    }

    async fn offer(&self) -> std::io::Result<()> {
        // A descriptor of its own: the other one is waited on for reading.
        let socket = SharedFd(Rc::new(self.socket.0.try_clone()?));
        let ready = writable(socket)?;
        loop {
            let mut guard = ready.writable().await?;
            let offered = self.outbox.borrow_mut().offer(|letter: &Letter| {
                let (packet, descriptors) = letter.write();
                packets::send(self.socket(), &packet, &descriptors)
            });
            match offered {
                Ok(()) => return Ok(()),
                Err(errno) if is_busy(errno) => guard.clear_ready(),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    async fn attend(&self, children: &Children, gate: &Gate) -> std::io::Result<()> {
        let ready = readable(self.socket.clone())?;
        loop {
            let mut guard = ready.readable().await?;
            gate.open().await;
            match self.next_ended() {
                Ok(Some(child)) => {
                    let pass = gate.pass();
                    children.ended(child).tell().await;
                    drop(pass);
                }
                Ok(None) => return Err(Errno::EPIPE.into()),
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// The next end of a child that the keeper has. `None`: it has gone.
    fn next_ended(&self) -> nix::Result<Option<Reaped>> {
        let mut buffer = [0; 256];
        loop {
            let Some((packet, _)) = packets::receive(self.socket(), &mut buffer)? else {
                return Ok(None);
            };
            if let Some(ending) = Ending::told(packet) {
                return Ok(Some(reaped(&ending)));
            }
        }
    }
}

fn reaped(ending: &Ending) -> Reaped {
    Reaped {
        pid: Pid::from_raw(ending.pid),
        status: ExitStatus::from_raw(ending.status),
        used: Used {
            peak_memory: ending.peak_memory,
            cpu: ending.cpu,
        },
        at: Some(clock::instant_of(ending.at)),
    }
}

/// Too much is on its way at the moment.
fn is_busy(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EAGAIN | Errno::ETOOMANYREFS | Errno::ENOBUFS | Errno::ENOMEM
    )
}

/// Descriptors that stay open although their owners may close them.
fn duplicates(descriptors: &[RawFd]) -> Vec<OwnedFd> {
    let duplicates = descriptors.iter();
    let duplicates = duplicates.map(|fd| crate::sys::handover::duplicate(*fd));
    // All or none: they are known by their order.
    duplicates.collect::<nix::Result<_>>().unwrap_or_default()
}
