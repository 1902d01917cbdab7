use proptest::prelude::*;

use super::*;

/// What came out: the log, everything announced as log event, the captures.
#[derive(Debug, Default, PartialEq, Eq)]
struct Result {
    log: Vec<u8>,
    announced: Vec<u8>,
    captured: Vec<Vec<u8>>,
}

impl Result {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Log(text) => {
                self.log.extend(text);
                self.announced.extend(text);
            }
            Piece::Inside(text) => self.announced.extend(text),
            Piece::Captured(text) => self.captured.push(text.to_vec()),
        }
    }
}

fn scan(limit: i64, chunks: &[&[u8]]) -> Result {
    let mut scanner = OutputScanner::new(limit, false);
    let mut result = Result::default();
    for chunk in chunks {
        scanner.feed(chunk, |piece| {
            assert!(!matches!(piece, Piece::Log(b"") | Piece::Inside(b"")));
            result.take(piece);
        });
    }
    scanner.finish(|piece| result.take(piece));
    result
}

fn with_tokens(text: &str) -> Vec<u8> {
    text.replace('(', "<!--XSUPERVISOR:BEGIN-->")
        .replace(')', "<!--XSUPERVISOR:END-->")
        .into_bytes()
}

#[test]
fn captures_are_taken_out_of_the_log() {
    // Parentheses stand for the tokens.
    let rows: [(&str, &str, &[&str]); 9] = [
        ("hi", "hi", &[]),
        ("a(b)c", "ac", &["b"]),
        ("()", "", &[""]),
        ("(a)(b)c(d)", "c", &["a", "b", "d"]),
        ("a)b", "a<!--XSUPERVISOR:END-->b", &[]),
        ("a(b(c)d", "ad", &["b<!--XSUPERVISOR:BEGIN-->c"]),
        ("a(lost", "a", &[]),
        ("a(b)c(lost<!--XSUPERVISOR:", "ac", &["b"]),
        (
            "end<!--XSUPERVISOR:BEGIN--",
            "end<!--XSUPERVISOR:BEGIN--",
            &[],
        ),
    ];
    for (input, log, captured) in rows {
        let input = with_tokens(input);
        let result = scan(1000, &[&input]);
        assert_eq!(String::from_utf8_lossy(&result.log), log);
        let expected: Vec<_> = captured
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
        assert_eq!(result.captured, expected);
    }
}

#[test]
fn without_a_limit_tokens_are_text() {
    let input = with_tokens("a(b)c");
    for limit in [0, -1] {
        let result = scan(limit, &[&input]);
        assert_eq!((result.log, result.captured.len()), (input.clone(), 0));
    }
}

#[test]
fn the_newest_bytes_are_kept() {
    let rows: [(&[&str], &str); 4] = [
        (&["(abc)"], "abc"),
        (&["(abcdef)"], "cdef"),
        (&["(abc", "de)"], "bcde"),
        (&["(a", "b", "c", "d", "e", "f)"], "cdef"),
    ];
    for (chunks, kept) in rows {
        let chunks: Vec<_> = chunks.iter().map(|chunk| with_tokens(chunk)).collect();
        let chunks: Vec<_> = chunks.iter().map(Vec::as_slice).collect();
        assert_eq!(scan(4, &chunks).captured, [kept.as_bytes()]);
    }
}

#[test]
fn only_a_possible_token_is_held_back() {
    let mut scanner = OutputScanner::new(100, false);
    let rows: [(&[u8], &[u8]); 6] = [
        (b"hello", b"hello"),
        (b"a < b <", b"a < b "),
        (b"!--", b""),
        (b"X", b""),
        (b" no", b"<!--X no"),
        (b"<<!--XSUPERVISOR:BEGIN--", b"<"),
    ];
    for (chunk, passed) in rows {
        let mut result = Result::default();
        scanner.feed(chunk, |piece| result.take(piece));
        assert_eq!(result.log, passed);
    }
}

#[test]
fn escape_sequences_are_removed_from_every_piece() {
    let input = with_tokens("\x1b[1mlog(\x1b[2minside\x1b[m)(\x1b[m)\x1b[m");
    let mut scanner = OutputScanner::new(100, true);
    let mut result = Result::default();
    scanner.feed(&input, |piece| result.take(piece));
    assert_eq!(result.log, b"log");
    assert_eq!(result.announced, b"loginside");
    assert_eq!(result.captured, [&b"inside"[..], b""]);
    let mut without_capture = OutputScanner::new(0, true);
    let mut passed = Vec::new();
    without_capture.feed(b"\x1b[1mx", |piece| passed.push(format!("{piece:?}")));
    assert_eq!(passed, ["Log([120])"]);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_result(
        text in "(\\(|\\)|<|<!--|<!--XSUPERVISOR:|BEGIN|END|-->|x|\n){0,30}",
        cuts in prop::collection::vec(0_usize..1000, 0..20),
        limit in 1_i64..200,
    ) {
        let input = with_tokens(&text);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(input.len())).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let chunks: Vec<_> = cuts.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect();
        prop_assert_eq!(scan(limit, &chunks), scan(limit, &[&input]));
    }
}

#[test]
fn a_chunk_of_nothing_but_escapes_is_passed_on_empty() {
    for limit in [0, 100] {
        let mut scanner = OutputScanner::new(limit, true);
        let mut pieces = Vec::new();
        for chunk in [&b"\x1b[1m"[..], b"", b"<!--XSUPERVISOR:BEGIN-->"] {
            scanner.feed(chunk, |piece| {
                if let Piece::Log(text) = piece {
                    pieces.push(text.to_vec());
                }
            });
        }
        let expected: &[&[u8]] = match limit {
            0 => &[b"", b"<!--XSUPERVISOR:BEGIN-->"],
            _ => &[b""],
        };
        assert_eq!(pieces, expected, "capture up to {limit} bytes");
    }
}
