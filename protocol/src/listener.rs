//! The event listener protocol, version 3.0, both ends, fed bytes.
//!
//! ```text
//!              READY\n                event sent
//! ACKNOWLEDGED ───────▶ READY ──────────────────────▶ BUSY
//!      ▲  │               │ any output                │ │
//!      │  │ anything else ▼                           │ │ no result line
//!      │  └───────────▶ UNKNOWN ◀─────────────────────┼─┘
//!      └──────────────────────────────────────────────┘ RESULT <n>\n<n bytes>
//! ```
//!
//! The daemon reads a listener's output with [`ListenerDecoder`] and writes an [`EventHeader`] and the payload. The
//! listener parses the header, measures the payload with [`PayloadDecoder`] and answers with [`write_result`].

mod decoder;
mod header;
mod payload;

pub use decoder::{ListenerDecoder, ListenerInput, ListenerState};
pub use header::{EventHeader, HeaderError};
pub use payload::{Fields, PayloadDecoder, payload_len, split_payload};

/// What a listener writes when it can take an event.
pub const READY: &[u8] = b"READY\n";

/// The result body that says an event was handled.
pub const OK: &[u8] = b"OK";

/// The result body by which a listener asks for the event to be sent again.
pub const FAIL: &[u8] = b"FAIL";

/// How a result line starts.
const RESULT: &[u8] = b"RESULT ";

/// Whether a result body accepts the event. Everything but `OK` rejects it.
pub fn accepts(body: &[u8]) -> bool {
    body == OK
}

/// Appends a result as listeners write it: a line with the length in bytes, then the body without a line feed.
pub fn write_result(body: &[u8], out: &mut Vec<u8>) {
    use std::io::Write as _;

    out.extend_from_slice(RESULT);
    // Writing to a vector cannot fail.
    let _ = writeln!(out, "{}", body.len());
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_accepts() {
        assert!(accepts(b"OK"));
        for body in [b"FAIL".as_slice(), b"", b"OK\n", b"ok", b" OK"] {
            assert!(!accepts(body), "{body:?}");
        }
    }

    #[test]
    fn results_carry_their_length() {
        let mut out = Vec::new();
        write_result(OK, &mut out);
        write_result(FAIL, &mut out);
        write_result(b"", &mut out);
        assert_eq!(out, b"RESULT 2\nOKRESULT 4\nFAILRESULT 0\n");
    }
}
