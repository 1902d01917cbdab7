//! Everything the daemon asks of the kernel beyond files and sockets: the workspace's unsafe corner.
//!
//! Callers see plain values; every `unsafe` block is in here and says why it holds.
#![allow(
    unsafe_code,
    reason = "clone, raw system calls between clone and exec, and wait statuses nix refuses to decode"
)]

pub mod aside;
pub mod clock;
pub mod command;
pub mod daemonize;
pub mod fds;
pub mod handover;
pub mod identity;
pub mod kernel;
pub mod limits;
pub mod links;
pub mod packets;
pub mod parent;
pub mod pidfile;
pub mod privileges;
pub mod readiness;
pub mod signal;
pub mod spawn;
pub mod wait;

pub use residence;

use nix::errno::Errno;

/// The symbolic name of an error, for instance `ENOENT`; its number if it has none.
pub fn errno_name(errno: Errno) -> String {
    match errno {
        Errno::UnknownErrno => (errno as i32).to_string(),
        known => format!("{known:?}"),
    }
}

/// The symbolic name of what went wrong in an I/O operation: Supervisor's way to tell a cause.
pub fn io_error_name(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => match Errno::from_raw(number) {
            Errno::UnknownErrno => number.to_string(),
            known => errno_name(known),
        },
        None => error.to_string(),
    }
}

#[cfg(test)]
mod testing;
