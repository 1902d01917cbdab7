//! Whatever daemon and keeper tell each other, it is read without a panic, and what was understood, told again, is understood
//! the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(daemon::keeper::fuzzing::reads_packets(bytes));
    assert!(daemon::keeper::fuzzing::reads_estates(bytes));
});
