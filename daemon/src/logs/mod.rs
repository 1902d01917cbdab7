//! Logs: the daemon's own, those of its children, and what has to be taken out of the latter.
//!
//! Everything here runs on the daemon's one thread and writes with plain write(2), as Supervisor
//! does: files take data at memory speed, and whatever might wait (a pipe, a terminal, the system
//! log) is written without waiting.

pub mod activity;
pub mod changes;
pub mod rotate;
mod stamp;
mod stream;
pub mod syslog;
