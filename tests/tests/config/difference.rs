//! Differences between JSON values, one per line.

use std::collections::BTreeSet;

use serde_json::Value;

/// Adds a line for each place where the values differ.
pub(crate) fn compare(place: &str, original: &Value, ours: &Value, lines: &mut Vec<String>) {
    match (original, ours) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for name in names {
                let (a, b) = (a.get(name), b.get(name));
                let place = format!("{place}.{name}");
                compare(
                    &place,
                    a.unwrap_or(&Value::Null),
                    b.unwrap_or(&Value::Null),
                    lines,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}.{at}"), a, b, lines);
            }
        }
        (a, b) if a == b => {}
        (a, b) => lines.push(format!("{place}: original {a}, ours {b}")),
    }
}

#[test]
fn places_are_named() {
    use serde_json::json;
    let mut lines = Vec::new();
    let (a, b) = (
        json!({"x": [1, {"y": 2}], "z": []}),
        json!({"x": [1, {"y": 3}], "z": [1]}),
    );
    compare("m", &a, &b, &mut lines);
    assert_eq!(
        lines,
        ["m.x.1.y: original 2, ours 3", "m.z: original [], ours [1]"]
    );
}
