//! Command lines and `environment=` are taken apart without a panic, and what was read, quoted, is read the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    assert!(config::fuzzing::splits_alike(text));
    assert!(config::fuzzing::sets_alike(text));
});
