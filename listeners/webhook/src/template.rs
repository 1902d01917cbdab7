//! Bodies made to order.

use std::fmt::Write as _;

use serde_json::Value;

use crate::notice::Notice;

/// What can be put in a template.
const FIELDS: [&str; 19] = [
    "channel",
    "count",
    "data",
    "eventname",
    "expected",
    "from_state",
    "groupname",
    "pid",
    "pool",
    "poolserial",
    "process",
    "processname",
    "received",
    "serial",
    "server",
    "state",
    "summary",
    "tries",
    "type",
];

/// `when`, which only ticks have, is the twentieth.
const TICK_FIELD: &str = "when";

/// A text with places for fields, `{like_this}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    /// Values are escaped as within a JSON string.
    json: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

/// Why a template is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// It names a field there is not.
    #[error("there is no field {{{0}}}; there are {known}", known = known())]
    Unknown(String),
    /// With fields filled in it is no JSON.
    #[error("the template makes no JSON: {0}")]
    NoJson(String),
}

fn known() -> String {
    format!("{} and {TICK_FIELD}", FIELDS.join(", "))
}

impl Template {
    /// Reads a template; `json`: it makes JSON.
    ///
    /// # Errors
    /// When it names unknown fields, or should make JSON and does not.
    pub(crate) fn parse(text: &str, json: bool) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, name, after)) = next_field(rest) {
            if name != TICK_FIELD && !FIELDS.contains(&name) {
                return Err(TemplateError::Unknown(name.to_owned()));
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Field(name.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = Self { parts, json };
        if json {
            template.check()?;
        }
        Ok(template)
    }

    /// Fills in the fields. Of several events `summary` has a line each and `count` the number; every other field is that of
    /// the last. A field the event does not have is empty.
    pub(crate) fn fill(&self, notices: &[Notice]) -> String {
        let value = |name: &str| value(name, notices);
        self.fill_with(value)
    }

    fn fill_with(&self, value: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Field(name) if self.json => push_escaped(&value(name), &mut text),
                Part::Field(name) => text.push_str(&value(name)),
            }
        }
        text
    }

    /// Fills in what is valid within quotes and as a number.
    fn check(&self) -> Result<(), TemplateError> {
        let text = self.fill_with(|_| "1".to_owned());
        match serde_json::from_str::<Value>(&text) {
            Ok(_) => Ok(()),
            Err(error) => Err(TemplateError::NoJson(error.to_string())),
        }
    }
}

/// The text before the next field, its name, and the text after it. A brace that encloses anything but a name is text.
fn next_field(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{') {
        let start = from + open + 1;
        let is_name = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
        let length = text.bytes().skip(start).take_while(is_name).count();
        let end = start + length;
        if length > 0 && text[end..].starts_with('}') {
            return Some((&text[..start - 1], &text[start..end], &text[end + 1..]));
        }
        from = start;
    }
    None
}

fn value(name: &str, notices: &[Notice]) -> String {
    let Some(last) = notices.last() else {
        return String::new();
    };
    match name {
        "count" => notices.len().to_string(),
        "summary" => {
            let lines: Vec<_> = notices.iter().map(Notice::summary).collect();
            lines.join("\n")
        }
        "process" => last.process(),
        "state" => last.state().to_owned(),
        "eventname" => last.eventname.clone(),
        "server" => last.server.clone(),
        "serial" => last.serial.to_string(),
        "pool" => last.pool.clone(),
        "poolserial" => last.poolserial.to_string(),
        "received" => last.received.to_string(),
        "data" => last.data.clone(),
        other => last.field(other),
    }
}

/// Appends text as it stands between the quotes of a JSON string.
fn push_escaped(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if u32::from(control) < 0x20 => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;
    use proptest::prelude::*;

    #[test]
    fn fields_are_filled_in() {
        let fatal = notice(
            "PROCESS_STATE_FATAL",
            "processname:p groupname:g from_state:BACKOFF",
        );
        let said = notice("REMOTE_COMMUNICATION", "type:t\nsay \"hi\"\n\tbye\\");
        let both = [fatal.clone(), said.clone()];
        let rows = [
            (
                r#"{"text": "{process} is {state}"}"#,
                &both[..1],
                r#"{"text": "g:p is FATAL"}"#,
            ),
            (
                r#"{"a":{"b":"{data}"}}"#,
                &both[1..],
                r#"{"a":{"b":"say \"hi\"\n\u0009bye\\"}}"#,
            ),
            (
                r#"{"n":{count},"pid":"{pid}"}"#,
                &both[..],
                r#"{"n":2,"pid":""}"#,
            ),
            (
                r#"["{summary}"]"#,
                &both[..],
                r#"["PROCESS_STATE_FATAL g:p from_state:BACKOFF\nREMOTE_COMMUNICATION type:t: say \"hi\""]"#,
            ),
            (
                r#"["{server} {pool} {serial} {type}{}"]"#,
                &both[1..],
                r#"["board hook 3 t{}"]"#,
            ),
        ];
        for (text, notices, want) in rows {
            let template = Template::parse(text, true).expect(text);
            assert_eq!(template.fill(notices), want);
        }
        let plain = Template::parse("{data}", false).expect("a template");
        assert_eq!(plain.fill(&both), "say \"hi\"\n\tbye\\");
    }

    #[test]
    fn every_field_has_a_value() {
        for name in FIELDS.iter().chain([&TICK_FIELD]) {
            let payload = format!("processname:p groupname:g {name}:1\ndata");
            let value = value(name, &[notice("PROCESS_STATE_FATAL", &payload)]);
            assert!(!value.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_makes_no_body_is_refused() {
        let error = Template::parse("{\"a\": \"{colour}\"}", true).expect_err("no such field");
        assert!(
            error
                .to_string()
                .starts_with("there is no field {colour}; there are channel,")
        );
        let error = Template::parse("{\"text\": {summary}", true).expect_err("no JSON");
        assert!(
            error
                .to_string()
                .starts_with("the template makes no JSON: EOF")
        );
        assert!(Template::parse("{summary", false).is_ok());
    }

    proptest! {
        #[test]
        fn filled_in_text_is_json(data in "\\PC*|[\\x00-\\x7f]*") {
            let template = Template::parse("[\"{data}\"]", true).expect("a template");
            let mut notice = notice("TICK_5", "");
            notice.data = data.clone();
            let values: Vec<String> = serde_json::from_str(&template.fill(&[notice])).expect("JSON");
            prop_assert_eq!(values, [data]);
        }

        #[test]
        fn no_text_panics(text in "[{}a_\"é]*") {
            let _ = Template::parse(&text, false);
        }
    }
}
