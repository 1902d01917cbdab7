//! What output that does not fit means.

use crate::fault::Kind;

/// Text in the place of READY. `result` is the body of the result just given, if there was one.
pub(crate) fn instead_of_ready(text: &[u8], result: Option<&[u8]>) -> Kind {
    if let Some(body) = result {
        if !is_result(body) || is_result(&[body, first_word(text)].concat()) {
            return Kind::WrongLength;
        }
        if text.starts_with(b"\n") || text.starts_with(b"\r\n") {
            return Kind::LineFeedAfterResult;
        }
    }
    match text {
        b"READY" => Kind::NoLineFeed,
        text if text.starts_with(b"READY\r") => Kind::CarriageReturn,
        text if text.starts_with(b"RESULT") => Kind::ResultUnasked,
        text if text.starts_with(b"READY") => Kind::NoLineFeed,
        _ => Kind::TextBeforeReady,
    }
}

/// Text after READY.
pub(crate) fn after_ready(text: &[u8]) -> Kind {
    match text {
        text if text.starts_with(b"READY") => Kind::ReadyTwice,
        text if text.starts_with(b"RESULT") => Kind::ResultUnasked,
        _ => Kind::TextAfterReady,
    }
}

/// A result line without a length, and what follows.
pub(crate) fn instead_of_result(text: &[u8]) -> Kind {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match line {
        line if line.starts_with(b"READY") => Kind::ReadyInsteadOfResult,
        line if line.starts_with(b"RESULT") || is_result(line) => Kind::BadResultLine,
        _ => Kind::PrintsWhileBusy,
    }
}

/// The body of a result; `None`: it is one.
pub(crate) fn of_body(body: &[u8]) -> Option<Kind> {
    if is_result(body) {
        return None;
    }
    let cut = [b"OK".as_slice(), b"FAIL"]
        .iter()
        .any(|result| body.starts_with(result) || result.starts_with(body));
    Some(match cut {
        true => Kind::WrongLength,
        false => Kind::UnknownResult,
    })
}

fn is_result(body: &[u8]) -> bool {
    matches!(body, b"OK" | b"FAIL")
}

/// The letters before what could be READY.
fn first_word(text: &[u8]) -> &[u8] {
    let end = text.windows(5).position(|window| window == b"READY");
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Output, the body of the result before it, and what that means.
    type Row<'a> = (&'a [u8], Option<&'a [u8]>, Kind);

    #[test]
    fn what_comes_instead_of_ready_is_told_apart() {
        let rows: [Row<'_>; 11] = [
            (b"READY", None, Kind::NoLineFeed),
            (b"READY ", None, Kind::NoLineFeed),
            (b"READY\r\n", None, Kind::CarriageReturn),
            (b"RESULT 2\nOK", None, Kind::ResultUnasked),
            (b"hello", None, Kind::TextBeforeReady),
            (b"\nREADY\n", None, Kind::TextBeforeReady),
            (b"\nREADY\n", Some(b"OK"), Kind::LineFeedAfterResult),
            (b"\r\nREADY\n", Some(b"OK"), Kind::LineFeedAfterResult),
            (b"KREADY\n", Some(b"O"), Kind::WrongLength),
            (b"ADY\n", Some(b"OKRE"), Kind::WrongLength),
            (b"done\n", Some(b"OK"), Kind::TextBeforeReady),
        ];
        for (text, result, want) in rows {
            assert_eq!(instead_of_ready(text, result), want, "{text:?} {result:?}");
        }
    }

    #[test]
    fn what_comes_after_ready_is_told_apart() {
        assert_eq!(after_ready(b"READY\n"), Kind::ReadyTwice);
        assert_eq!(after_ready(b"RESULT 2\nOK"), Kind::ResultUnasked);
        assert_eq!(after_ready(b"\n"), Kind::TextAfterReady);
    }

    #[test]
    fn what_comes_instead_of_a_result_is_told_apart() {
        let rows: [(&[u8], Kind); 5] = [
            (b"READY\n", Kind::ReadyInsteadOfResult),
            (b"RESULT two\nOK", Kind::BadResultLine),
            (b"OK\n", Kind::BadResultLine),
            (b"got TICK_5\nRESULT 2\nOK", Kind::PrintsWhileBusy),
            (b"", Kind::PrintsWhileBusy),
        ];
        for (text, want) in rows {
            assert_eq!(instead_of_result(text), want, "{text:?}");
        }
    }

    #[test]
    fn bodies_are_told_apart() {
        let rows: [(&[u8], Option<Kind>); 8] = [
            (b"OK", None),
            (b"FAIL", None),
            (b"OK\n", Some(Kind::WrongLength)),
            (b"OKRE", Some(Kind::WrongLength)),
            (b"O", Some(Kind::WrongLength)),
            (b"", Some(Kind::WrongLength)),
            (b"FAI", Some(Kind::WrongLength)),
            (b"done", Some(Kind::UnknownResult)),
        ];
        for (body, want) in rows {
            assert_eq!(of_body(body), want, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in prop::collection::vec(any::<u8>(), 0..16), body in prop::collection::vec(any::<u8>(), 0..6)) {
            let _ = (instead_of_ready(&text, Some(&body)), instead_of_result(&text), after_ready(&text), of_body(&body));
        }
    }
}
