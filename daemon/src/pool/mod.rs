//! A pool of event listeners: buffers what the bus delivers, speaks the listener protocol with
//! its processes.

mod actor;
pub mod dispatch;
mod info;
pub mod journal;
mod losses;
pub mod queue;
mod result;
#[cfg(test)]
mod simulation;
pub mod snapshot;
mod storage;

pub use actor::{Finish, GiveUp, Pool, memory_limit};
pub use info::{Handling, Inquire, ListenerInfo, PoolInfo, SharedListenerState};
pub use storage::{Closer, Storage};
