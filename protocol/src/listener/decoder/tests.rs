use proptest::prelude::*;

use super::*;

use ListenerState::{Acknowledged, Busy, Ready, Unknown};

/// A decoder brought into `state` by the shortest way.
fn decoder(state: ListenerState) -> ListenerDecoder {
    let mut decoder = ListenerDecoder::default();
    let way: &[u8] = match state {
        Acknowledged => b"",
        Ready | Busy => b"READY\n",
        Unknown => b"hello\n",
    };
    decoder.feed(way);
    while decoder.next_input().is_some() {}
    if state == Busy {
        assert!(decoder.dispatched());
    }
    assert_eq!(decoder.state(), state);
    decoder
}

/// Feeds `pieces`, sends an event after each that leaves the listener READY, and writes down what came out.
fn transcript(decoder: &mut ListenerDecoder, pieces: &[&[u8]]) -> Vec<String> {
    let mut said = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        let mut before = decoder.state();
        while let Some(input) = decoder.next_input() {
            let (from, to) = input.transition();
            assert_eq!(from, before);
            said.push(match input {
                ListenerInput::Ready => "ready".into(),
                ListenerInput::Result(body) => format!("result {}", body.escape_ascii()),
                ListenerInput::BadResultLine(line) => format!("bad {}", line.escape_ascii()),
                ListenerInput::Violation { from } => format!("violation {from}"),
            });
            before = to;
            assert_eq!(decoder.state(), to);
        }
    }
    said
}

#[test]
fn every_state_meets_every_input() {
    let rows: &[(ListenerState, &[u8], &[&str], ListenerState)] = &[
        (Acknowledged, b"", &[], Acknowledged),
        (Acknowledged, b"READY", &[], Acknowledged),
        (Acknowledged, b"READY\n", &["ready"], Ready),
        (Acknowledged, b"hello", &[], Acknowledged),
        (
            Acknowledged,
            b"hello\n",
            &["violation ACKNOWLEDGED"],
            Unknown,
        ),
        (
            Acknowledged,
            b"ready\n",
            &["violation ACKNOWLEDGED"],
            Unknown,
        ),
        (
            Acknowledged,
            b"RESULT 2\nOK",
            &["violation ACKNOWLEDGED"],
            Unknown,
        ),
        (
            Acknowledged,
            b"READY\nREADY\n",
            &["ready", "violation READY"],
            Unknown,
        ),
        (
            Acknowledged,
            b"READY\nRESULT 2\nOK",
            &["ready", "violation READY"],
            Unknown,
        ),
        (Ready, b"", &[], Ready),
        (Ready, b"x", &["violation READY"], Unknown),
        (Ready, b"READY\n", &["violation READY"], Unknown),
        (Ready, b"RESULT 2\nOK", &["violation READY"], Unknown),
        (Busy, b"", &[], Busy),
        (Busy, b"RESULT 2", &[], Busy),
        (Busy, b"RESULT 2\n", &[], Busy),
        (Busy, b"RESULT 2\nO", &[], Busy),
        (Busy, b"RESULT 2\nOK", &["result OK"], Acknowledged),
        (Busy, b"RESULT 4\nFAIL", &["result FAIL"], Acknowledged),
        (Busy, b"RESULT 3\nOK\n", &["result OK\\n"], Acknowledged),
        (Busy, b"RESULT 2\nOKREADY\n", &["result OK", "ready"], Ready),
        (
            Busy,
            b"RESULT 2\nOK\nREADY",
            &["result OK", "violation ACKNOWLEDGED"],
            Unknown,
        ),
        (Busy, b"RESULT 0\n", &["result "], Acknowledged),
        (Busy, b"RESULT 0\nREADY\n", &["result ", "ready"], Ready),
        (Busy, b"1234567 2\nOK", &["result OK"], Acknowledged),
        (Busy, b"RESULT  +2 \r\nOK", &["result OK"], Acknowledged),
        (
            Busy,
            b"RESULT 1_0\n0123456789",
            &["result 0123456789"],
            Acknowledged,
        ),
        (Busy, b"RESULT -1\nx", &["bad RESULT -1"], Unknown),
        (Busy, b"RESULT 2.0\nOK", &["bad RESULT 2.0"], Unknown),
        (Busy, b"RESULT 1__0\n", &["bad RESULT 1__0"], Unknown),
        (Busy, b"RESULT 1048577\n", &["bad RESULT 1048577"], Unknown),
        (
            Busy,
            b"RESULT 99999999999999999999999\n",
            &["bad RESULT 99999999999999999999999"],
            Unknown,
        ),
        (Busy, b"RESULT \n", &["bad RESULT "], Unknown),
        (Busy, b"READY\n", &["bad READY"], Unknown),
        (Busy, b"\n", &["bad "], Unknown),
        (Busy, b"RESULT \xff\n", &["bad RESULT \\xff"], Unknown),
        (Unknown, b"", &[], Unknown),
        (Unknown, b"READY\n", &[], Unknown),
        (Unknown, b"RESULT 2\nOK", &[], Unknown),
    ];
    for (state, output, said, after) in rows {
        let mut decoder = decoder(*state);
        assert_eq!(
            transcript(&mut decoder, &[output]),
            *said,
            "{state} {output:?}"
        );
        assert_eq!(decoder.state(), *after, "{state} {output:?}");
    }
}

#[test]
fn an_event_goes_to_a_ready_listener_only() {
    for state in [Acknowledged, Ready, Busy, Unknown] {
        let mut decoder = decoder(state);
        assert_eq!(decoder.dispatched(), state == Ready);
        assert_eq!(decoder.state(), if state == Ready { Busy } else { state });
    }
}

#[test]
fn nothing_is_pending_once_a_listener_talks_on_in_unknown() {
    let mut decoder = decoder(Busy);
    decoder.feed(b"RESULT x\n");
    assert!(decoder.next_input().is_some());
    decoder.feed(b"READY\n");
    assert_eq!(decoder.pending(), (&b""[..], None));
}

#[test]
fn a_line_without_end_is_a_violation() {
    let mut decoder = decoder(Busy);
    decoder.feed(&[b'x'; MAX_RESULT_LINE]);
    assert_eq!(decoder.next_input(), None);
    decoder.feed(b"x\n");
    assert_eq!(
        decoder.next_input(),
        Some(ListenerInput::Violation { from: Busy })
    );
}

#[test]
fn the_largest_result_is_taken_and_its_memory_given_back() {
    let mut decoder = decoder(Busy);
    decoder.feed(format!("RESULT {MAX_RESULT}\n").as_bytes());
    assert_eq!(decoder.next_input(), None);
    decoder.feed(&vec![b'x'; MAX_RESULT]);
    let result = decoder.next_input().expect("complete");
    assert!(matches!(result, ListenerInput::Result(body) if body.len() == MAX_RESULT));
    decoder.feed(b"READY\n");
    assert_eq!(decoder.next_input(), Some(ListenerInput::Ready));
    assert!(decoder.buffer.capacity() <= KEPT_CAPACITY);
}

#[test]
fn codes_are_supervisors() {
    let codes = [Ready, Busy, Acknowledged, Unknown].map(ListenerState::code);
    assert_eq!(codes, [10, 20, 30, 40]);
}

/// Output made of plausible tokens and some noise.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"READY\n".to_vec()),
        Just(b"RESULT 2\nOK".to_vec()),
        Just(b"RESULT 0\n".to_vec()),
        Just(b"RESULT 4\nFAIL".to_vec()),
        Just(b"RESULT x\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(token, 0..6).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn splitting_the_output_changes_nothing(
        output in output(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        busy in any::<bool>(),
    ) {
        let state = if busy { Busy } else { Acknowledged };
        let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(output.len() + 1)).collect();
        at.extend([0, output.len()]);
        at.sort_unstable();
        let pieces: Vec<_> = at.windows(2).map(|pair| &output[pair[0]..pair[1]]).collect();
        let (mut whole, mut split) = (decoder(state), decoder(state));
        prop_assert_eq!(transcript(&mut whole, &[&output]), transcript(&mut split, &pieces));
        prop_assert_eq!(whole.state(), split.state());
    }

    #[test]
    fn lengths_are_read_like_python(number in 0..=MAX_RESULT) {
        prop_assert_eq!(result_length(format!("RESULT {number}").as_bytes()), Some(number));
        prop_assert_eq!(result_length(format!("RESULT -{number}x").as_bytes()), None);
    }
}

#[test]
fn a_decoder_goes_on_where_another_has_stopped() {
    let said = b"READY\nRESULT 4\nFAILREADY\n";
    for cut in 0..=said.len() {
        let mut listener = ListenerDecoder::default();
        let mut heard = Vec::new();
        let listen = |listener: &mut ListenerDecoder, heard: &mut Vec<String>| {
            while let Some(input) = listener.next_input() {
                heard.push(format!("{input:?}"));
                listener.dispatched();
            }
        };
        // What follows READY before an event was sent would be a violation.
        let (first, rest) = said.split_at(cut);
        for byte in first {
            listener.feed(&[*byte]);
            listen(&mut listener, &mut heard);
        }
        let (output, result) = listener.pending();
        let state = ListenerState::from_code(listener.state().code()).unwrap();
        let mut listener = ListenerDecoder::resume(state, output.to_vec(), result);
        for byte in rest {
            listener.feed(&[*byte]);
            listen(&mut listener, &mut heard);
        }
        assert_eq!(heard.len(), 3, "{cut}: {heard:?}");
        assert_eq!(listener.state(), ListenerState::Busy, "{cut}");
    }
    assert_eq!(ListenerState::from_code(0), None);
}
