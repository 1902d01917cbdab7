//! The supervisor daemon, as a library that `supervisord` and the tests share.

pub mod access;
pub mod api;
pub mod bus;
pub mod check;
pub mod http;
pub mod keeper;
pub mod logs;
pub mod metrics;
pub mod pool;
pub mod process;
pub mod rpc;
#[cfg(test)]
mod seeds;
pub mod startup;
pub mod supervisor;
pub mod sys;
pub mod terminal;
pub mod upgrade;
pub mod vitals;
