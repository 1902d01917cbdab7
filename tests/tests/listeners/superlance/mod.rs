//! superlance's listeners and ours, option by option: the same events and the same supervisord must lead to the same answers,
//! log, mail and calls.
//!
//! Here the daemon is played by the test, which can tick as often as it likes. `daemons`, and `superlance` of the end-to-end
//! suite, let the same listeners work under real ones.

mod batch;
mod case;
mod crashmail;
mod daemons;
mod deliberate;
mod httpok;
mod listener;
mod memmon;
mod smtp;
mod stage;
mod supervisor;
mod target;
mod usage;
