//! Who talks to the daemon: clients other people wrote, as published; many of them at once; and both tools with both
//! daemons, every command and every call in every state a process can be brought into.

mod ansible;
mod checks;
mod crowd;
mod curl;
mod deliberate;
mod further;
mod install;
mod matrix;
mod node;
mod plugin;
mod python;
mod transcript;
