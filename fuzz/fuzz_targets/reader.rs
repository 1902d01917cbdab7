//! Whatever is in a configuration file, it is read without a panic, and the same again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(config::fuzzing::rereads_alike(bytes));
});
