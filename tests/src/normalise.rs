//! Masking what differs from run to run: pids, times, temporary paths, generated names, ports.

use std::path::Path;

use serde_json::Value;

/// What belongs to one run.
pub struct Run<'a> {
    /// The fixture's directory.
    pub dir: &'a Path,
    /// The fixture's port.
    pub port: u16,
}

impl Run<'_> {
    /// Masks a line or a longer text.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.replace(&self.dir.display().to_string(), "<dir>");
        text = text.replace(&self.port.to_string(), "<port>");
        text = mask_programs(&text);
        for marker in ["pid ", "pid:", "when:", "s.sock.", "fd ", "pid="] {
            text = mask_after(&text, marker, |c| c.is_ascii_digit(), "N");
        }
        text = mask_after(&text, "' (", |c| c.is_ascii_digit(), "N");
        text = mask_after(
            &text,
            "uptime ",
            |c| c.is_ascii_digit() || c == ':',
            "H:MM:SS",
        );
        text = mask_after(
            &text,
            "---board-",
            |c| c.is_ascii_alphanumeric() || c == '_',
            "XXXXXXXX",
        );
        text.split_inclusive('\n')
            .map(without_place)
            .map(|line| mask_stop_times(&line))
            .collect()
    }

    /// Masks a value of a call: texts as [`Run::text`], numbers by the name of their field.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| (name.clone(), self.member(name, value)));
                Value::Object(members.collect())
            }
            other => other.clone(),
        }
    }

    /// Zero means "never" or "none" and is kept.
    fn member(&self, name: &str, value: &Value) -> Value {
        let varies = matches!(name, "start" | "stop" | "now" | "pid");
        match value {
            Value::Number(number) if varies && number.as_i64() != Some(0) => {
                Value::String(format!("<{name}>"))
            }
            other => self.value(other),
        }
    }

    /// Masks a line of the activity log, its time included.
    pub fn log_line(&self, line: &str) -> String {
        let message = match line.split_once(' ') {
            Some((date, rest)) if is_date(date) => rest
                .split_once(' ')
                .map_or(rest, |(_time, message)| message),
            _ => line,
        };
        self.text(message)
    }
}

/// Removes ` (line 3)`, ` (line 3, option x)` or ` (file, line 3)` from the end of a line: ours says where a
/// mistake in the configuration is, the original does not. `bad_input` looks at those places.
fn without_place(line: &str) -> String {
    let (text, end) = line
        .strip_suffix('\n')
        .map_or((line, ""), |text| (text, "\n"));
    let place = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("));
    let is_place = |inner: &str| {
        let words = inner
            .split_once("line ")
            .filter(|(file, _)| file.is_empty() || file.ends_with(", "));
        words.is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    match place {
        Some((message, inner)) if is_place(inner) => format!("{message}{end}"),
        _ => line.to_owned(),
    }
}

/// Masks the directory of the program in `For help, use /path/to/program -h`.
fn mask_programs(text: &str) -> String {
    const HINT: &str = "For help, use ";
    let Some((before, after)) = text.split_once(HINT) else {
        return text.to_owned();
    };
    let (path, rest) = after.split_once(' ').unwrap_or((after, ""));
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("{before}{HINT}{name} {rest}")
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Replaces the longest run of `class` after each `marker`, if there is one.
fn mask_after(text: &str, marker: &str, class: impl Fn(char) -> bool, mask: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(index) = rest.find(marker) {
        let after = &rest[index + marker.len()..];
        let end = after.find(|c| !class(c)).unwrap_or(after.len());
        masked.push_str(&rest[..index + marker.len()]);
        if end > 0 {
            masked.push_str(mask);
        }
        rest = &after[end..];
    }
    masked + rest
}

/// Masks `Nov 21 11:17 AM`.
fn mask_stop_times(text: &str) -> String {
    const LENGTH: usize = "Nov 21 11:17 AM".len();
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.get(..LENGTH).is_some_and(is_stop_time) {
            masked.push_str("<stop time>");
            rest = &rest[LENGTH..];
        } else {
            masked.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    masked
}

fn is_stop_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"Aaa 00 00:00 AA";
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'A' => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            b'0' => byte.is_ascii_digit(),
            literal => byte == *literal,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run() -> Run<'static> {
        Run {
            dir: Path::new("/tmp/x1"),
            port: 40123,
        }
    }

    #[test]
    fn texts_lose_what_varies() {
        let rows = [
            ("spawned: 'a' with pid 77", "spawned: 'a' with pid N"),
            ("pid 5, uptime 0:00:05", "pid N, uptime H:MM:SS"),
            (
                "killing 'a' (12) with SIGKILL",
                "killing 'a' (N) with SIGKILL",
            ),
            ("at Nov 21 11:17 AM.", "at <stop time>."),
            (
                "/tmp/x1/logs/a-stdout---board-ab1_cd2e.log",
                "<dir>/logs/a-stdout---board-XXXXXXXX.log",
            ),
            ("processname:a pid:0", "processname:a pid:N"),
            ("rapid fire", "rapid fire"),
            (
                "bad (file: '/x') (line 3, option y)\nbad",
                "bad (file: '/x')\nbad",
            ),
            ("bad (/tmp/x1/c, line 3)", "bad"),
            ("bad (line of sight)", "bad (line of sight)"),
            ("For help, use /a/b/c -h\n", "For help, use c -h\n"),
        ];
        for (text, expected) in rows {
            assert_eq!(run().text(text), expected);
        }
    }

    #[test]
    fn numbers_are_masked_by_name_and_zero_is_kept() {
        let value = json!({"pid": 7, "stop": 0, "state": 20});
        assert_eq!(
            run().value(&value),
            json!({"pid": "<pid>", "stop": 0, "state": 20})
        );
    }

    #[test]
    fn log_lines_lose_their_time_and_continuations_do_not() {
        assert_eq!(run().log_line("2026-11-21 11:19:25,374 INFO x"), "INFO x");
        assert_eq!(run().log_line("plain output"), "plain output");
    }
}
