//! The keeper: a tiny parent of the daemon that outlives it, `programs_on_death=keep` or `kill`.
//!
//! ```text
//! keeper ──┬── daemon ──┬── program          the daemon is killed:
//!          │  records,  ├── program          programs come to the keeper, which keeps
//!          │  pipe ends └── program          their pipes open, and starts the daemon again
//!          └◀─────────┘
//! ```
//!
//! The daemon forks it once, when everything is in order and before there is an event loop: the
//! parent becomes the keeper, the child goes on as the daemon. From then on the daemon tells the
//! keeper over a socket, at each change and before anything else happens, what a successor would
//! need: [`wire`] has the messages, [`store`] what the keeper makes of them, [`host`] the keeper's
//! loop, [`line`] the daemon's end. To the keeper a record is bytes, a pid and open descriptors: it
//! stays what it is when the daemon is upgraded in place. What a record says is up to those who
//! write it (`process::keepsake`, `supervisor::keepsake`, [`estate`]); a successor reads the
//! [`estate`] and goes on as after an upgrade.
//!
//! The keeper reaps a program that has come to it only when no record names its pid any more:
//! until then its pid cannot become somebody else's.

pub mod estate;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod host;
pub mod legacy;
mod line;
mod outbox;
mod split;
mod store;
mod strays;
mod wire;

pub use legacy::Legacy;
pub use line::{Keeper, Kept};
pub use split::{Side, split};
