//! Whatever a listener says means the same however the pipe cuts it, and follows the protocol's states.
//!
//! The first byte decides on the cuts; after each zero byte an event is sent, if the listener is READY.
#![no_main]

mod cuts;

use protocol::listener::{ListenerDecoder, ListenerInput, ListenerState};

/// A result and the line before it, in bytes.
const MOST: usize = 1024 * 1024 + 4096;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((way, output)) = bytes.split_first() else {
        return;
    };
    let whole = transcript(output, |part| vec![part], false);
    assert_eq!(
        whole,
        transcript(output, |part| cuts::pieces(part, *way), false)
    );
    assert_eq!(
        whole,
        transcript(output, |part| cuts::pieces(part, *way), true)
    );
});

/// What came out, and the state in the end. `anew`: each piece goes to a decoder that goes on where another has stopped.
fn transcript(
    output: &[u8],
    cut: impl Fn(&[u8]) -> Vec<&[u8]>,
    anew: bool,
) -> (Vec<String>, ListenerState) {
    let mut listener = ListenerDecoder::default();
    let mut said = Vec::new();
    for part in output.split(|byte| *byte == 0) {
        for piece in cut(part) {
            if anew {
                let (output, result) = listener.pending();
                let output = output.to_vec();
                listener = ListenerDecoder::resume(listener.state(), output, result);
            }
            listener.feed(piece);
            listen(&mut listener, &mut said);
        }
        let was_ready = listener.state() == ListenerState::Ready;
        assert_eq!(listener.dispatched(), was_ready);
    }
    (said, listener.state())
}

fn listen(listener: &mut ListenerDecoder, said: &mut Vec<String>) {
    let mut before = listener.state();
    while let Some(input) = listener.next_input() {
        let (from, to) = input.transition();
        assert_eq!(from, before);
        said.push(match input {
            // What is shown of it may be cut as well: it broke off a line without end.
            ListenerInput::Violation { from } => format!("violation in {from}"),
            input => format!("{input:?}"),
        });
        assert_eq!(listener.state(), to);
        before = to;
    }
    assert!(listener.pending().0.len() <= MOST);
}
