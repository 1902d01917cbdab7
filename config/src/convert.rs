//! Value types: what an option's text may be, what it means, and what is said when it is wrong.

mod invalid;
mod numbers;
mod people;
mod places;
mod words;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

pub use invalid::Invalid;
pub(crate) use numbers::{
    AUTO_RESTART, BOOLEAN, BYTES, EVENT_LEN, EXIT_CODES, INTEGER, LOG_LEVEL, OCTAL,
    PROGRAMS_ON_DEATH, ROLE, SIGNAL, SYNC_POLICY,
};
pub(crate) use people::{OWNER, Owner, PEOPLE, USER, USER_LATER, gid_of};
pub(crate) use places::{
    ACTIVITY_LOG, CHILD_LOG, ChildLogSetting, EXISTING_DIRECTORY, FCGI_ADDRESS, FILE_PATH,
    INET_ADDRESS, InetAddress, RESOLVED_PATH, SERVER_URL, SocketTarget,
};
pub(crate) use words::{ENVIRONMENT, EVENT_LIST, LIST, NAME, TEXT, WORDS, factory, name};

/// A value type: its name in the reference, and its converter.
#[derive(Debug)]
pub(crate) struct ValueType<T> {
    /// For people: `integer`, `bytes`.
    pub(crate) name: &'static str,
    /// What may be written, for the reference.
    pub(crate) accepts: &'static str,
    /// Text to value.
    pub(crate) convert: fn(&str, &Context<'_>) -> Result<T, Invalid>,
}

impl<T> Clone for ValueType<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ValueType<T> {}

/// What some conversions need to know.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// Relative paths of the daemon's own files are seen from here.
    pub(crate) start_dir: &'a Path,
    /// `$HOME`, which `~` stands for.
    pub(crate) home: Option<&'a str>,
    /// Users that have been looked up: thousands of programs may name the same one.
    users: RefCell<HashMap<String, Result<Uid, Invalid>>>,
    /// Directories that have been found to exist, for the same reason.
    directories: RefCell<HashMap<PathBuf, bool>>,
}

impl<'a> Context<'a> {
    /// A context without any look-ups done.
    pub(crate) fn new(start_dir: &'a Path, home: Option<&'a str>) -> Self {
        Self {
            start_dir,
            home,
            users: RefCell::default(),
            directories: RefCell::default(),
        }
    }
}
