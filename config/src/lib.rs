//! The configuration file: text in, values out.
#![warn(missing_docs)]

pub mod model;
