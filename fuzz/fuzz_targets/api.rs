//! Whatever a client asks the JSON interface, its parameters are read without a panic, and never more than the route has.
//!
//! The first line is the method, the second the path and the query, the rest the body.
#![no_main]

libfuzzer_sys::fuzz_target!(|request: &[u8]| {
    let mut parts = request.splitn(3, |byte| *byte == b'\n');
    let (method, target) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if let (Ok(method), Ok(target)) = (str::from_utf8(method), str::from_utf8(target)) {
        let body = parts.next().unwrap_or_default();
        assert!(daemon::api::fuzzing::reads_parameters(method, target, body));
    }
});
