//! What two processes must agree on: states, events, faults, names and the wire formats.
//!
//! Nothing here does input or output or knows a clock or a runtime; every codec is fed bytes.

pub mod events;
pub mod faults;
pub mod glob;
pub mod listener;
pub mod methods;
pub mod namespec;
pub mod states;
pub mod xmlrpc;
