//! Escape sequences go and everything else stays, by the rule as it is written; a cut outside of sequences changes nothing.
//!
//! And the text of what is left is the same however it is cut, as far as it is UTF-8. The first byte decides on the cuts.
#![no_main]

mod cuts;

use daemon::logs::ansi::strip;
use daemon::logs::text::TextDecoder;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((way, output)) = bytes.split_first() else {
        return;
    };
    let stripped = strip(output);
    let (kept, open) = by_the_book(output);
    assert_eq!(*stripped, *kept);
    let mut place = 0;
    for piece in cuts::pieces(output, *way) {
        if !open[place] {
            let (first, second) = output.split_at(place);
            assert_eq!([strip(first), strip(second)].concat(), kept);
        }
        place += piece.len();
    }
    decode(output, *way);
});

/// What stays, and for every place whether a cut there is within a sequence.
fn by_the_book(output: &[u8]) -> (Vec<u8>, Vec<bool>) {
    let (mut kept, mut open, mut inside) = (Vec::new(), Vec::new(), false);
    for (place, byte) in output.iter().enumerate() {
        let begun = output[..place].ends_with(b"\x1b") && *byte == b'[';
        open.push(inside || begun);
        if inside {
            inside = !b"HfABCDRsuJKhlpm".contains(byte);
        } else if output[place..].starts_with(b"\x1b[") {
            inside = true;
        } else {
            kept.push(*byte);
        }
    }
    (kept, open)
}

fn decode(output: &[u8], way: u8) {
    let mut decoder = TextDecoder::default();
    let mut text = String::new();
    for piece in cuts::pieces(output, way) {
        text.push_str(&decoder.decode(piece));
        assert!(decoder.held().len() <= 3);
        decoder = TextDecoder::after(&decoder.held().to_vec());
    }
    let rest = decoder.finish();
    if let Ok(whole) = std::str::from_utf8(output) {
        assert_eq!((text.as_str(), rest), (whole, None));
    }
}
