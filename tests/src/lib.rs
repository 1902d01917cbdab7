//! Fixtures for the end-to-end suites.
//!
//! Every suite runs real processes: a supervisord in a temporary directory, its programs, its event
//! listeners. [`Daemon`] starts one of either [`Flavour`]: the original (Supervisor 4.3.0, installed
//! below the target directory) or ours. [`scenario`] runs the same steps against both and compares
//! what they left behind; [`deliberate`] lists the differences that are wanted, each with its reason.
//!
//! `CALLBOARD_FLAVOUR=original` runs the suites against the original, which tells a wrong
//! expectation from a wrong daemon.

pub mod browser;
pub mod clock;
pub mod daemon;
pub mod deliberate;
pub mod diff;
pub mod events;
pub mod flavour;
pub mod http;
pub mod namespace;
pub mod normalise;
pub mod originals;
pub mod procfs;
pub mod random;
pub mod scenario;
pub mod venv;
pub mod wait;
pub mod workspace;
pub mod xmlrpc;

pub use daemon::{CtlOutput, Daemon, free_port};
pub use events::Event;
pub use flavour::Flavour;
pub use namespace::Namespace;
pub use xmlrpc::Fault;
