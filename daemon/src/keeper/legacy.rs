//! What a daemon finds that the keeper has started again: the records, the line, and who has died.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use super::Keeper;
use super::estate::Estate;
use super::strays::Launch;
use super::wire::{Left, LeftBody, LeftRecord};
use crate::logs::activity::ActivityLog;
use crate::sys::clock;
use crate::sys::handover::{Inherited, forget_variable, number};
use crate::sys::wait::ExitStatus;
use crate::upgrade::state::State;

/// Holds the descriptors of the file and of the line.
const KEPT: &str = "CALLBOARD_KEPT";

/// What has been left.
pub struct Legacy {
    /// The line to the keeper.
    pub keeper: Keeper,
    left: Option<Left>,
}

/// How the daemon before this one has ended.
#[derive(Debug)]
pub struct Death {
    pid: i32,
    status: ExitStatus,
    /// Descriptors that the keeper has kept open for us, claimed or not.
    pub(crate) descriptors: Vec<RawFd>,
    /// What it was starting.
    launches: Vec<Launch>,
}

/// A successor for whom nothing has been left.
pub struct Anew {
    /// The line to the keeper.
    pub keeper: Keeper,
    /// What relative paths meant at the first start.
    pub start_dir: PathBuf,
    death: Death,
    reason: String,
}

/// The variable by which a successor finds all that.
pub(super) fn variable(file: &File, line: &OwnedFd) -> (&'static str, String) {
    (KEPT, format!("{}:{}", number(file), number(line)))
}

impl Legacy {
    /// What the keeper has left, if it has started this daemon. To be called first of all, while
    /// there is one thread.
    pub fn find() -> Option<Self> {
        let value = std::env::var(KEPT).ok();
        forget_variable(KEPT);
        let value = value?;
        let (file, line) = value.split_once(':')?;
        let mut inherited = Inherited::default();
        let keeper = Keeper::new(inherited.claim(line.parse().ok()?)?);
        let file = inherited.claim(file.parse().ok()?).map(File::from);
        let file = file.and_then(|file| fs::read(format!("/proc/self/fd/{}", number(&file))).ok());
        Some(Self {
            keeper,
            left: file.and_then(|file| Left::read(&file)),
        })
    }

    /// What relative paths meant at the first start.
    pub fn start_dir(&self) -> PathBuf {
        let left = self.left.as_ref();
        let path = left.map(|left| OsString::from_vec(left.start_dir.clone()));
        path.map_or_else(|| PathBuf::from("/"), PathBuf::from)
    }

    /// A successor for whom nothing has been left, if this is one.
    pub fn anew(&self) -> Option<Anew> {
        let start_dir = self.start_dir();
        let left = self.left.as_ref().filter(|left| left.records.is_empty())?;
        let reason = String::from_utf8_lossy(&left.note).into_owned();
        Some(Anew {
            keeper: self.keeper.clone(),
            start_dir,
            death: Death::of(left),
            reason,
        })
    }

    /// The state to go on with, and the version that has left it. If it cannot be read, the keeper is
    /// told to begin anew, once this process has ended.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(self) -> Result<(State, String, Death), String> {
        let keeper = self.keeper.clone();
        self.try_to_read()
            .inspect_err(|reason| keeper.begin_anew(reason))
    }

    fn try_to_read(self) -> Result<(State, String, Death), String> {
        let start_dir = self.start_dir();
        let left = self.left.ok_or("what the keeper has left cannot be read")?;
        let mut death = Death::of(&left);
        let records = left.records.into_iter().map(LeftRecord::found);
        let mut estate = Estate::of(records).map_err(|error| error.to_string())?;
        death.launches = std::mem::take(&mut estate.launches);
        let state = estate.into_state(start_dir, clock::monotonic());
        let (state, from) = state.map_err(|error| error.to_string())?;
        Ok((state, from, death))
    }
}

impl LeftRecord {
    fn found(self) -> (Vec<u8>, Vec<u8>, Vec<RawFd>) {
        let body = match self.body {
            LeftBody::Bytes(body) => body,
            // One that cannot be read makes no sense to whom it matters.
            LeftBody::File(fd) => fs::read(format!("/proc/self/fd/{fd}")).unwrap_or_default(),
        };
        (self.key, body, self.descriptors)
    }
}

impl Death {
    fn of(left: &Left) -> Self {
        let files = left.records.iter().filter_map(|record| match record.body {
            LeftBody::File(fd) => Some(fd),
            LeftBody::Bytes(_) => None,
        });
        let others = left.records.iter().flat_map(|it| it.descriptors.iter());
        Self {
            pid: left.death.pid,
            status: ExitStatus::from_raw(left.death.status),
            descriptors: files.chain(others.copied()).collect(),
            launches: Vec::new(),
        }
    }

    /// Kills children that nobody has noted down.
    pub(crate) fn undo_launches(&self, log: &ActivityLog) {
        self.launches.iter().for_each(|launch| launch.undo(log));
    }

    /// Tells of it, and of what has become of the programs.
    pub(crate) fn tell(&self, children: usize, ended: usize, log: &ActivityLog) {
        let Self { pid, status, .. } = self;
        let going_on = children.saturating_sub(ended);
        log.critical(format_args!(
            "supervisord (pid {pid}) was killed ({status}): {going_on} programs go on, {ended} have ended meanwhile"
        ));
    }
}

impl Anew {
    /// Tells why everything begins anew.
    pub fn tell(&self, log: &ActivityLog) {
        let Death { pid, status, .. } = &self.death;
        let reason = match self.reason.as_str() {
            "" => "it was beginning or ending at the time",
            reason => reason,
        };
        log.critical(format_args!(
            "supervisord (pid {pid}) was killed ({status}), its programs were stopped and begin anew: {reason}"
        ));
    }
}
