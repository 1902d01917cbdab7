//! The text format, version 0.0.4.

use std::fmt::{Display, Write as _};

use super::families::Family;

/// Text that grows.
#[derive(Debug)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// The head of a family; its samples follow.
    pub(super) fn family(&mut self, family: &Family) {
        let (name, help, kind) = (family.name, family.help, family.kind.name());
        // Writing to a string cannot fail, here and below.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A sample; `labels` are in braces or empty.
    pub(super) fn sample(&mut self, family: &Family, labels: &str, value: impl Display) {
        self.suffixed(family, "", labels, value);
    }

    /// A sample whose name goes on behind the family's.
    pub(super) fn suffixed(
        &mut self,
        family: &Family,
        suffix: &str,
        labels: &str,
        value: impl Display,
    ) {
        for part in [family.name, suffix, labels, " "] {
            self.0.push_str(part);
        }
        let _ = writeln!(self.0, "{value}");
    }

    /// A family of one sample.
    pub(super) fn one(&mut self, family: &Family, labels: &str, value: impl Display) {
        self.family(family);
        self.sample(family, labels, value);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Labels in braces.
pub(super) fn labels(pairs: &[(&str, &str)]) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in pairs.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{name}=\"");
        escape(value, &mut text);
        text.push('"');
    }
    text.push('}');
    text
}

fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::families::UP;

    #[test]
    fn samples_follow_their_family() {
        let mut text = Text::with_capacity(0);
        text.one(&UP, &labels(&[("group", "g"), ("name", "a\"b\\\n")]), 1);
        let text = text.finish();
        let mut lines = text.lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("# HELP supervisor_process_up ")
        );
        assert_eq!(lines.next(), Some("# TYPE supervisor_process_up gauge"));
        assert_eq!(
            lines.next(),
            Some(r#"supervisor_process_up{group="g",name="a\"b\\\n"} 1"#)
        );
    }
}
