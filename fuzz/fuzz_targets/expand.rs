//! No format string makes the expander panic, and doubled percent signs keep a text as it is.
#![no_main]

libfuzzer_sys::fuzz_target!(|format: &str| {
    assert!(config::fuzzing::expands_to_itself(format));
});
