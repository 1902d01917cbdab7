//! A pool of event listeners: buffers what the bus delivers, speaks the listener protocol with
//! its processes.

mod actor;
pub mod dispatch;
mod result;

pub use actor::{Finish, Pool};
