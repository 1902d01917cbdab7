//! However a program's output is cut, the same is logged and captured, and no byte is lost.
//!
//! The first byte decides on the cuts, the second on how much is captured.
#![no_main]

mod cuts;

use daemon::logs::capture::{OutputScanner, Piece, ScannerState};

const TOKENS: [&[u8]; 2] = [b"<!--XSUPERVISOR:BEGIN-->", b"<!--XSUPERVISOR:END-->"];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [way, limit, output @ ..] = bytes else {
        return;
    };
    let pieces = cuts::pieces(output, *way);
    let limit = i64::from(*limit);
    let whole = Found::by(limit, &[output], false);
    assert_eq!(whole, Found::by(limit, &pieces, false));
    assert_eq!(whole, Found::by(limit, &pieces, true));
    whole.accounts_for(output, limit);
});

#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    log: Vec<u8>,
    /// What is between the tokens, for each of them; the last may be open.
    inside: Vec<Vec<u8>>,
    captured: Vec<Vec<u8>>,
}

impl Found {
    /// `anew`: each piece goes to a scanner that goes on where another has stopped.
    fn by(limit: i64, pieces: &[&[u8]], anew: bool) -> Self {
        let mut found = Self::default();
        found.inside.push(Vec::new());
        let mut scanner = OutputScanner::new(limit, false);
        for piece in pieces {
            if anew {
                let state: ScannerState = scanner.state();
                scanner = OutputScanner::new(limit, false);
                scanner.resume(state);
            }
            scanner.feed(piece, |piece| found.take(piece));
        }
        scanner.finish(|piece| found.take(piece));
        found
    }

    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Log(text) => self.log.extend(text),
            Piece::Inside(text) => self.inside.last_mut().expect("there is one").extend(text),
            Piece::Captured(text) => {
                self.captured.push(text.to_vec());
                self.inside.push(Vec::new());
            }
        }
    }

    fn accounts_for(&self, output: &[u8], limit: i64) {
        let limit = usize::try_from(limit).expect("it is not negative");
        for (captured, inside) in self.captured.iter().zip(&self.inside) {
            assert_eq!(
                captured.as_slice(),
                &inside[inside.len().saturating_sub(limit)..]
            );
        }
        let inside: usize = self.inside.iter().map(Vec::len).sum();
        let tokens = output.len() - self.log.len() - inside;
        let closed = self.captured.len() * (TOKENS[0].len() + TOKENS[1].len());
        let is_open = tokens == closed + TOKENS[0].len();
        assert!(tokens == closed || is_open, "{tokens} bytes are gone");
        assert!(limit > 0 || tokens == 0);
        // And in their order.
        let mut again = Vec::new();
        for inside in &self.inside {
            again.extend_from_slice(inside);
        }
        assert!(is_part(&again, output) && is_part(&self.log, output));
    }
}

/// Whether all of it is in the whole, in this order.
fn is_part(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}
