//! XML-RPC: values, calls, responses and faults, as bytes in both directions.
//!
//! The reader is as forgiving as Supervisor's (untyped values are strings, `<params>` may be missing, unknown
//! scalar types are text) but refuses document types and deep nesting. The writer produces Supervisor's layout
//! byte for byte, except that what XML 1.0 cannot carry becomes U+FFFD and a carriage return `&#13;`, so that every
//! client can parse every answer.

mod decode;
mod encode;
mod scalar;
#[cfg(test)]
mod tests;
mod value;

pub use decode::{Call, DecodeError, MAX_DEPTH, parse_array_response, parse_call, parse_response};
pub use encode::{Encoder, write_call, write_fault, write_response, write_response_with};
pub use value::{FaultValue, Value};
