//! Events as a listener received them.

use std::path::Path;

/// One record of a listener: the header line and the payload, exactly as delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The header line without its end.
    pub header: String,
    /// The payload.
    pub payload: String,
}

impl Event {
    /// The value of a header token such as `serial`.
    pub fn token<'a>(&'a self, key: &str) -> Option<&'a str> {
        token(&self.header, key)
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        self.token("eventname").unwrap_or_default()
    }

    /// The value of a token in the payload's first line, such as `processname`.
    pub fn field<'a>(&'a self, key: &str) -> Option<&'a str> {
        token(self.payload.lines().next().unwrap_or_default(), key)
    }

    /// `processname`, or nothing.
    pub fn process(&self) -> &str {
        self.field("processname").unwrap_or_default()
    }

    /// A number in the header.
    pub fn number(&self, key: &str) -> i64 {
        let value = self
            .token(key)
            .unwrap_or_else(|| panic!("no {key} in {:?}", self.header));
        value
            .parse()
            .unwrap_or_else(|_| panic!("{key} is no number in {:?}", self.header))
    }

    /// `NAME payload`, for short assertions.
    pub fn line(&self) -> String {
        format!("{} {}", self.name(), self.payload)
    }
}

fn token<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split(' ')
        .find_map(|item| item.split_once(':').filter(|(name, _)| *name == key))
        .map(|(_, value)| value)
}

/// Reads what a recording listener wrote so far; a record still being written is left out.
pub fn read(path: &Path) -> Vec<Event> {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut rest: &str = &text;
    let mut events = Vec::new();
    while let Some((event, after)) = split(rest) {
        events.push(event);
        rest = after;
    }
    events
}

/// Splits off a record: a header line, then `len` code points.
fn split(text: &str) -> Option<(Event, &str)> {
    let (header, rest) = text.split_once('\n')?;
    let length: usize = token(header, "len")?.parse().ok()?;
    let end = match rest.char_indices().nth(length) {
        Some((index, _)) => index,
        None if rest.chars().count() == length => rest.len(),
        None => return None,
    };
    Some((
        Event {
            header: header.to_owned(),
            payload: rest[..end].to_owned(),
        },
        &rest[end..],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_counts_code_points() {
        let (event, rest) =
            split("ver:3.0 eventname:X len:3\nd\u{e9}tver:").expect("a whole record");
        assert_eq!(
            (event.name(), event.payload.as_str(), rest),
            ("X", "d\u{e9}t", "ver:")
        );
    }

    #[test]
    fn an_unfinished_record_waits() {
        assert_eq!(split("ver:3.0 len:4\nabc"), None);
        assert_eq!(split("ver:3.0 len:"), None);
    }
}
