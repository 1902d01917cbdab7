//! The supervisor: owns the groups, answers requests, reloads, and shuts down in order.

mod actor;
mod closing;
mod group;
mod inquiries;
pub mod keepsake;
pub mod messages;
mod requests;
pub mod snapshot;
mod upgrading;

pub use actor::{Boot, Supervisor};
pub use closing::{OsSignal, Outcome};
