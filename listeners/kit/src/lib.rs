//! Everything an event listener needs besides its own idea: the protocol loop, the way back to the supervisor, mail, and the
//! small formats Supervisor's listeners share.
//!
//! ```no_run
//! use listener_kit::{Listener, Outcome};
//!
//! fn main() -> std::process::ExitCode {
//!     Listener::stdio().serve(|event| {
//!         if event.header.eventname == "PROCESS_STATE_FATAL" {
//!             let process = event.fields().get("processname").unwrap_or("?");
//!             eprintln!("{process} cannot be started");
//!         }
//!         Outcome::Done
//!     })
//! }
//! ```
//!
//! Standard output belongs to the protocol. Whatever a listener has to say goes to [`log`]. supervisord sends the next event
//! only after the answer to the one before, so a handler may take its time; events wait in the pool meanwhile.
//!
//! Features:
//! - `async`: `AsyncListener`, whose handler may await. It brings tokio; without it there is no runtime and no thread.
//! - `smtp`: mail by SMTP, and the options that choose it.
//! - `testing`: a daemon that drives a listener within a test, and a supervisor that is a list.
//! - `tls`: which certificates to trust, the same for all listeners that speak HTTPS.
//!
//! `supervisor-listener-test` checks a finished listener from outside, in whatever language it is written.

#[cfg(feature = "async")]
mod async_listener;
mod error_text;
mod identity;
mod listener;
mod mail;
mod numbers;
mod python;
#[cfg(feature = "tls")]
mod roots;
mod shell;
mod stamp;
mod supervisor;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod ticks;
mod usage;

#[cfg(feature = "async")]
pub use async_listener::AsyncListener;
pub use error_text::error_text;
pub use identity::Identity;
pub use listener::{Event, ListenError, Listener, Outcome};
pub use mail::{
    Carrier, DEFAULT_SENDMAIL, Delivery, Mail, MailError, Mailer, Outbox, Refused, Sendmail,
};
#[cfg(feature = "smtp")]
pub use mail::{Carrying, MailOptions, Smtp};
pub use numbers::{byte_size, duration, integer, seconds};
pub use protocol::listener::{EventHeader, Fields, HeaderError};
pub use python::{repr, repr_list};
#[cfg(feature = "tls")]
pub use roots::{RootsError, roots};
pub use shell::{Shell, ShellError};
pub use stamp::{asctime, log_stamp, zone_name};
pub use supervisor::{Supervisor, complain_unsupervised, connect, is_supervised};
pub use ticks::{StaleTicks, unix_now};
pub use usage::{Refusal, arguments, given};

use std::io::{self, LineWriter, Stderr};

/// Where a listener writes what is meant for people: standard error, a line at a time.
pub type Log = LineWriter<Stderr>;

/// Opens the log.
pub fn log() -> Log {
    LineWriter::new(io::stderr())
}
