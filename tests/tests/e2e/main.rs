//! End-to-end suites: real daemons, real programs, real listeners.
//!
//! One executable, one module per subject. `differential` holds the comparisons with the original; the other
//! suites state what is expected in so many words.

mod architecture;
mod bad_input;
mod config;
mod daemonize;
mod demo;
mod differential;
mod durable;
mod events;
mod events_failures;
mod fcgi;
mod harness;
mod hostile;
mod http;
mod init;
mod lifecycle;
mod logs;
mod reload;
mod rpc;
mod rpc_raw;
mod rpc_stdin;
mod scale;
mod shell;
mod signals;
mod soak;
mod standing;
mod stopping;
mod superlance;
mod threats;
mod tools;
mod volume;
