//! Whatever a server answers, the client reads it without a panic, and arrays alike whole and in pieces.
#![no_main]

use protocol::xmlrpc::{Value, parse_array_response, parse_response, write_response};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut elements = Vec::new();
    let in_pieces = parse_array_response(bytes, &mut |element| elements.push(element));
    let whole = parse_response(bytes);
    if let Ok(Ok(value)) = &whole {
        let mut written = Vec::new();
        write_response(value, &mut written);
        let again = parse_response(&written).expect("what we write we can read");
        assert!(again.is_ok());
        if let (Ok(Ok(())), Value::Array(expected)) = (in_pieces, value) {
            // By their text: a number that is none differs from itself.
            assert_eq!(format!("{elements:?}"), format!("{expected:?}"));
        }
    }
});
