//! Events as the golden files hold them.
//!
//! An event is its header, then its payload, each line of it behind a bar: a payload that ends with a line feed has an empty last
//! line. A blank line parts events. Everything is as the listener read it, except that
//!
//! - the number after `pid:` is `PID` unless it is 0, and `len` is that of the payload so changed;
//! - backslashes, and characters nobody would see, are written as in Rust.
//!
//! Serials are exact, and so is the time of ticks.

use callboard_tests::Event;

/// The text of events in a golden file.
pub(crate) fn text<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    let records: Vec<_> = events.into_iter().map(record).collect();
    records.join("\n")
}

fn record(event: &Event) -> String {
    let payload = without_pid(&event.payload);
    let (header, announced) = event.header.rsplit_once(" len:").expect("a length, last");
    assert_eq!(announced, length(&event.payload), "{event:?}");
    let mut text = format!("{header} len:{}\n", length(&payload));
    for line in payload.split('\n') {
        text.push('|');
        text.extend(line.chars().map(visible));
        text.push('\n');
    }
    text
}

/// What `len` says of a payload: its characters.
fn length(payload: &str) -> String {
    payload.chars().count().to_string()
}

/// Masks the pid in the first line, where the fields are.
fn without_pid(payload: &str) -> String {
    let (fields, data) = payload
        .split_once('\n')
        .map_or((payload, None), |(fields, data)| (fields, Some(data)));
    let fields: Vec<_> = fields.split(' ').map(masked).collect();
    let fields = fields.join(" ");
    data.map_or_else(|| fields.clone(), |data| format!("{fields}\n{data}"))
}

fn masked(field: &str) -> &str {
    match field.strip_prefix("pid:") {
        Some(number) if number != "0" => {
            number.parse::<u32>().expect("a pid is a number");
            "pid:PID"
        }
        _ => field,
    }
}

fn visible(character: char) -> String {
    match character {
        '\\' => r"\\".to_owned(),
        hidden if hidden.is_control() || matches!(hidden, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
            hidden.escape_default().to_string()
        }
        other => other.to_string(),
    }
}

#[test]
fn records_are_exact_but_for_pids() {
    let rows = [
        (
            "pool:p eventname:X len:10",
            "pid:12 a:b",
            "pool:p eventname:X len:11\n|pid:PID a:b\n",
        ),
        ("e len:5", "pid:0", "e len:5\n|pid:0\n"),
        ("e len:10", "a:b\npid:1\n", "e len:10\n|a:b\n|pid:1\n|\n"),
        ("e len:0", "", "e len:0\n|\n"),
        ("e len:3", "\\é\0", "e len:3\n|\\\\é\\u{0}\n"),
    ];
    for (header, payload, want) in rows {
        let event = Event {
            header: header.to_owned(),
            payload: payload.to_owned(),
        };
        assert_eq!(text([&event]), want);
    }
}
