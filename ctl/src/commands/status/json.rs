//! Process infos for programs to read.

use std::fmt::Write as _;

use client::ProcessInfo;

/// An array with an object per process, an object per line.
pub(super) fn array(processes: &[&ProcessInfo]) -> String {
    let objects: Vec<_> = processes.iter().map(|info| object(info)).collect();
    match objects.as_slice() {
        [] => "[]".to_owned(),
        objects => format!("[\n{}\n]", objects.join(",\n")),
    }
}

fn object(info: &ProcessInfo) -> String {
    let texts = [
        ("group", info.group.as_str()),
        ("name", &info.name),
        ("state", &info.statename),
        ("description", &info.description),
        ("spawnerr", &info.spawnerr),
        ("stdout_logfile", &info.stdout_logfile),
        ("stderr_logfile", &info.stderr_logfile),
    ];
    let numbers = [
        ("pid", info.pid),
        ("start", info.start),
        ("stop", info.stop),
        ("now", info.now),
        ("exitstatus", info.exitstatus),
    ];
    let texts = texts.map(|(key, text)| format!("\"{key}\":{}", quoted(text)));
    let numbers = numbers.map(|(key, number)| format!("\"{key}\":{number}"));
    format!("{{{},{}}}", texts.join(","), numbers.join(","))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..' ' => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infos_become_objects() {
        let info = ProcessInfo {
            group: "g".into(),
            name: "a\"\\\n\u{1b}ü".into(),
            statename: "RUNNING".into(),
            pid: 7,
            exitstatus: -1,
            ..ProcessInfo::default()
        };
        let expected = r#"[
{"group":"g","name":"a\"\\\u000a\u001bü","state":"RUNNING","description":"","spawnerr":"","stdout_logfile":"","stderr_logfile":"","pid":7,"start":0,"stop":0,"now":0,"exitstatus":-1}
]"#;
        assert_eq!(array(&[&info]), expected);
        assert_eq!(array(&[&info, &info]).lines().count(), 4);
        assert_eq!(array(&[]), "[]");
    }
}
