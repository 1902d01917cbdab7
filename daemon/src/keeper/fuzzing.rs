//! Properties of what daemon and keeper read of each other, for the fuzz target in `fuzz/` and for a test here.

use super::estate::Estate;
use super::wire::{Ending, Left, LeftBody, Told};

/// Whether what is understood of a packet is understood again when it is told again.
pub fn reads_packets(packet: &[u8]) -> bool {
    let told = Told::read(packet).is_none_or(|told| Told::read(&told.write()) == Some(told));
    let ending = Ending::told(packet);
    told && ending.is_none_or(|ending| Ending::told(&ending.tell()) == Some(ending))
}

/// Whether an estate, written again, is the same file; what its records say is understood or refused.
pub fn reads_estates(file: &[u8]) -> bool {
    let Some(left) = Left::read(file) else {
        return true;
    };
    let is_same = left.write() == file;
    let records = left
        .records
        .into_iter()
        .filter_map(|record| match record.body {
            LeftBody::Bytes(body) => Some((record.key, body, record.descriptors)),
            LeftBody::File(_) => None,
        });
    let _ = Estate::of(records);
    is_same
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read(mut bytes: Vec<u8>, kind in 0u8..7) {
            prop_assert!(reads_packets(&bytes));
            prop_assert!(reads_estates(&bytes));
            bytes.insert(0, kind);
            prop_assert!(reads_packets(&bytes));
            let file = [b"callboard estate 1\n", bytes.as_slice()].concat();
            prop_assert!(reads_estates(&file));
        }
    }
}
