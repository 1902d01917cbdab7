//! What the shell offers on Tab.

use client::ProcessInfo;

use crate::commands::{self, Completes, find};

/// Where the word that ends the text starts. `:`, `*` and `-` belong to words.
pub(crate) fn word_start(text: &str) -> usize {
    const BREAKS: &str = " \t\n`~!@#$%^&()=+[{]}\\|;'\",<>/?";
    text.rfind(|character| BREAKS.contains(character))
        .map_or(0, |before| before + 1)
}

/// The words `typed`, a part of `line`, may become, sorted, each with a space behind it.
pub(crate) fn candidates<'a>(
    line: &str,
    typed: &str,
    processes: impl FnOnce() -> &'a mut Vec<ProcessInfo>,
) -> Vec<String> {
    let mut words = line.split_whitespace();
    let names = match words.next() {
        None => command_names(),
        Some(_) if words.next().is_none() && !line.ends_with(' ') => command_names(),
        Some(command) => match find(command).map(|command| command.completes) {
            Some(Completes::Commands) => command_names(),
            Some(Completes::Groups) => groups(processes()),
            Some(Completes::Processes) => namespecs(processes(), typed.contains(':')),
            Some(Completes::Nothing) | None => Vec::new(),
        },
    };
    let fitting = names.into_iter().filter(|name| name.starts_with(typed));
    let mut fitting: Vec<_> = fitting.map(|name| name + " ").collect();
    fitting.sort_unstable();
    fitting
}

fn command_names() -> Vec<String> {
    let names = commands::all().map(|command| command.name.to_owned());
    names.collect()
}

fn groups(processes: &[ProcessInfo]) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for info in processes {
        if !groups.contains(&info.group) {
            groups.push(info.group.clone());
        }
    }
    groups
}

/// Names as they are typed: alone where the group has the same name, in full otherwise or when asked for, the whole
/// group once with them.
fn namespecs(processes: &[ProcessInfo], in_full: bool) -> Vec<String> {
    let mut names = Vec::new();
    for info in processes {
        if !in_full && info.name == info.group {
            names.push(info.name.clone());
            continue;
        }
        names.push(format!("{}:{}", info.group, info.name));
        let whole = format!("{}:*", info.group);
        if !names.contains(&whole) {
            names.push(whole);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> String {
        let names = [("cat", "cat"), ("web", "a-1"), ("web", "a-2")];
        let info = |(group, name): (&str, &str)| ProcessInfo {
            group: group.into(),
            name: name.into(),
            ..ProcessInfo::default()
        };
        let mut processes = names.map(info).to_vec();
        let typed = &line[word_start(line)..];
        candidates(line, typed, || &mut processes).concat()
    }

    #[test]
    fn words_are_completed() {
        let rows = [
            ("sta", "start status "),
            ("zzz", ""),
            ("ms", "mstart mstop "),
            ("serialrestart c", "cat "),
            ("help re", "reload remove reread restart "),
            ("start ", "cat web:* web:a-1 web:a-2 "),
            ("start c", "cat "),
            ("start cat:", "cat:* cat:cat "),
            ("stop web:a-", "web:a-1 web:a-2 "),
            ("signal HUP web:*", "web:* "),
            ("remove ", "cat web "),
            ("remove w", "web "),
            ("reload x", ""),
            ("nonsense c", ""),
        ];
        for (line, expected) in rows {
            assert_eq!(offered(line), expected, "{line}");
        }
        assert!(offered("").starts_with("add avail clear "));
        assert!(
            offered("")
                .split(' ')
                .rev()
                .skip(1)
                .is_sorted_by(|a, b| a > b)
        );
    }
}
