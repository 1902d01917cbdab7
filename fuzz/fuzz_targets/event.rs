//! Whatever a daemon sends to a listener, the header is read without a panic, and the payload ends at the same place however
//! the pipe cuts it.
//!
//! The first byte decides on the cuts.
#![no_main]

mod cuts;

use protocol::listener::{EventHeader, PayloadDecoder, split_payload};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((way, event)) = bytes.split_first() else {
        return;
    };
    let end = event.iter().position(|byte| *byte == b'\n');
    let (line, payload) = event.split_at(end.map_or(event.len(), |end| end + 1));
    let Ok(line) = str::from_utf8(line) else {
        return;
    };
    if let Ok(header) = EventHeader::parse(line) {
        assert_eq!(EventHeader::parse(&header.to_string()), Ok(header));
        assert_eq!(
            taken(header.len, &[payload]),
            taken(header.len, &cuts::pieces(payload, *way))
        );
    }
    if let Ok(payload) = str::from_utf8(payload) {
        let (fields, data) = split_payload(payload);
        assert!(payload.ends_with(data));
        for (name, _) in fields.clone() {
            assert!(fields.get(name).is_some());
        }
    }
});

/// How many bytes belong to a payload of so many characters, and whether that is all of it.
fn taken(len: usize, pieces: &[&[u8]]) -> (usize, bool) {
    let mut decoder = PayloadDecoder::new(len);
    let mut taken = 0;
    for piece in pieces {
        let count = decoder.feed(piece);
        taken += count;
        if count < piece.len() {
            assert!(decoder.is_complete());
            break;
        }
    }
    (taken, decoder.is_complete())
}
