//! Upgrade in place: the daemon becomes the program that is installed now, in the same process.
//!
//! ```text
//! old   preflight ── quiesce ── snapshot ── execve
//! new   (--resume-check)                    resume ── go on
//! ```
//!
//! The children stay, with their pipes; so do listening sockets. Each module writes down its own
//! state (`snapshot` beside the owner of it) and goes on with it; [`state`] is the document around
//! that. Nothing is stopped before the new program has read a trial of it. When the change fails
//! the daemon goes on, and when the new program fails to go on it becomes the old one again.

mod blob;
mod driver;
mod examination;
mod gate;
mod handover;
mod program;
pub mod state;

use std::marker::PhantomData;

use actix::Message;
use tokio::sync::oneshot;

pub use blob::Blob;
pub use driver::{Driver, UpgradeError};
pub use examination::{RESUME_CHECK, examine};
pub use gate::{Gate, Pass};
pub use handover::{Handover, Past, Resumption};
pub use program::Program;
pub(crate) use program::environment;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Somebody wants an upgrade, and is told whether it begins or why not.
pub type UpgradeRequest = oneshot::Sender<Result<(), String>>;

/// Asks an actor for its state.
#[derive(Debug)]
pub struct TakeSnapshot<T> {
    /// Nothing may change any more after this one.
    pub is_last: bool,
    kind: PhantomData<fn() -> T>,
}

impl<T> TakeSnapshot<T> {
    /// The request.
    pub fn new(is_last: bool) -> Self {
        Self {
            is_last,
            kind: PhantomData,
        }
    }
}

/// Is answered when everything has been dealt with that came before.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Ping;

/// The upgrade came to nothing; whoever was at rest goes on.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Continue;

/// What became of the last upgrade, and how many there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastUpgrade {
    /// How many attempts there have been.
    pub number: u64,
    /// Why it came to nothing, if it did.
    pub failure: Option<String>,
    /// The version before it.
    pub from: String,
    /// Children that went on.
    pub children: usize,
    /// For how long nothing was answered, in milliseconds.
    pub pause: u64,
}
