//! What goes wrong around the daemon, injected: it stays alive, answers, says what is wrong, costs no time of its own, and goes on
//! by itself when the fault is gone. docs/faults.md is the table of it all.

mod children;
mod clients;
mod clock;
mod config;
mod descriptors;
mod disk;
mod exits;
mod listeners;
mod mounts;
mod pauses;
mod processes;
mod support;
mod table;
