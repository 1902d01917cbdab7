//! Whatever a daemon that goes on is given, it is read without a panic, and what was read can be handed on.
#![no_main]

use daemon::upgrade::state::State;

libfuzzer_sys::fuzz_target!(|document: &[u8]| {
    let Ok((state, _)) = State::read(document) else {
        return;
    };
    let _ = state.descriptors();
    // A path may be none that can be written.
    if let Ok(written) = state.write() {
        let (again, _) = State::read(&written).expect("what we write we can read");
        assert_eq!(again.write().expect("it could be written"), written);
    }
});
