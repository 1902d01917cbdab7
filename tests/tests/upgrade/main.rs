//! Upgrades in place: the daemon becomes another program in the same process, and nothing is stopped.

mod descriptors;
mod events;
mod installed;
mod lives;
mod output;
mod refusals;
mod requests;
mod streams;
mod ways;
