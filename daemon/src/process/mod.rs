//! A managed process: an actor that does what the pure [`lifecycle`] decides.

mod actor;
pub mod children;
mod connect;
pub mod fcgi;
pub mod keepsake;
mod lane;
pub mod launch;
pub mod lifecycle;
mod log_files;
pub mod messages;
mod output;
mod pace;
mod perform;
pub mod reader;
pub mod record;
#[cfg(test)]
mod simulation;
pub mod snapshot;
pub mod status;
pub mod stdin;
mod timer;

pub use actor::{LogPaths, Process, Services, unix_now};
