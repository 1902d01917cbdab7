//! Whatever a client posts, it is read without a panic, no deeper than allowed, and what was read can be sent again.
#![no_main]

use protocol::xmlrpc::{MAX_DEPTH, Value, parse_call, write_call};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(call) = parse_call(bytes) else {
        return;
    };
    assert!(!call.method.is_empty());
    assert!(call.params.iter().all(|param| depth(param) <= MAX_DEPTH));
    let mut written = Vec::new();
    write_call(&call.method, &call.params, &mut written);
    let again = parse_call(&written).expect("what we write we can read");
    let mut rewritten = Vec::new();
    write_call(&again.method, &again.params, &mut rewritten);
    assert_eq!(written, rewritten);
});

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(elements) => elements.iter().map(depth).max(),
        Value::Struct(members) => members.iter().map(|(_, member)| depth(member)).max(),
        _ => None,
    };
    1 + inner.unwrap_or(0)
}
