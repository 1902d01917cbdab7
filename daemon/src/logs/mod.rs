//! Logs: the daemon's own, those of its children, and what has to be taken out of the latter.
//!
//! Everything here runs on the daemon's one thread and writes with plain write(2), as Supervisor
//! does: files take data at memory speed, and whatever might wait (a pipe, a terminal, the system
//! log) is written without waiting.
//!
//! A chunk of child output goes through [`capture::OutputScanner`] (tokens, [`ansi`] sequences) to a
//! [`rotate::RotatingFile`], to [`syslog::Syslog`], and as [`text`] to events and, at level debug,
//! to the [`activity::ActivityLog`]. [`tail`] reads logs back, [`changes`] wakes those who [`follow`]; both
//! together are a [`followed`] log.

pub mod activity;
pub mod ansi;
pub mod auto;
pub mod capture;
pub mod changes;
pub mod follow;
pub mod followed;
pub mod rotate;
mod stamp;
mod stream;
pub mod syslog;
pub mod tail;
pub mod text;
