//! Which processes the words of a command mean.

use client::ProcessInfo;
use protocol::namespec::Namespec;

use protocol::glob;

/// The processes a word means, in the server's order: one by its name, those of a group by `group:*`. Where that finds
/// nothing, wildcards match canonical names and `group:name`.
pub(crate) fn meant<'a>(processes: &'a [ProcessInfo], word: &str) -> Vec<&'a ProcessInfo> {
    let spec = Namespec::parse(word);
    let named: Vec<_> = processes.iter().filter(|info| is(info, spec)).collect();
    if named.is_empty() && glob::is_pattern(word) {
        return processes.iter().filter(|info| fits(info, word)).collect();
    }
    named
}

/// The processes the words mean, each once, in the order of the words; and the words that mean none.
pub(crate) fn each_once<'a, 'w>(
    processes: &'a [ProcessInfo],
    words: &[&'w str],
) -> (Vec<&'a ProcessInfo>, Vec<&'w str>) {
    let mut found: Vec<&ProcessInfo> = Vec::new();
    let mut unknown = Vec::new();
    for word in words {
        let meant = meant(processes, word);
        if meant.is_empty() {
            unknown.push(*word);
        }
        for info in meant {
            if !found.iter().any(|known| std::ptr::eq(*known, info)) {
                found.push(info);
            }
        }
    }
    (found, unknown)
}

/// Replaces words with wildcards by the names they match, each once. Words that name something as they are, or match
/// nothing, stay.
pub(crate) fn expand(processes: &[ProcessInfo], words: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        let spec = Namespec::parse(word);
        let matched = meant(processes, word);
        if matched.iter().all(|info| is(info, spec)) {
            names.push((*word).to_owned());
            continue;
        }
        for name in matched.into_iter().map(ProcessInfo::namespec) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Whether a word may be a pattern: it has wildcards other than the `*` of `group:*`.
pub(crate) fn is_pattern(word: &str) -> bool {
    match Namespec::parse(word) {
        Namespec {
            group,
            process: None,
        } => glob::is_pattern(group),
        _ => glob::is_pattern(word),
    }
}

fn is(info: &ProcessInfo, spec: Namespec<'_>) -> bool {
    info.group == spec.group && spec.process.is_none_or(|process| info.name == process)
}

fn fits(info: &ProcessInfo, pattern: &str) -> bool {
    glob::matches(pattern, &info.namespec())
        || glob::matches(pattern, &format!("{}:{}", info.group, info.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes() -> Vec<ProcessInfo> {
        let names = ["cat:cat", "g:x", "g:y", "web1:web1", "web2:web2", "w*:w*"];
        let info = |name: &str| {
            let (group, name) = name.split_once(':').unwrap();
            ProcessInfo {
                group: group.into(),
                name: name.into(),
                ..ProcessInfo::default()
            }
        };
        names.map(info).to_vec()
    }

    #[test]
    fn words_with_wildcards_become_names() {
        let rows: [(&[&str], &str); 14] = [
            (&["web*"], "web1 web2"),
            (&["web?", "cat"], "web1 web2 cat"),
            (&["web[!1]"], "web2"),
            (&["g:[xz]"], "g:x"),
            (&["cat:c*"], "cat"),
            (&["web1", "web*"], "web1 web2"),
            (&["web*", "web1"], "web1 web2 web1"),
            (&["cat", "cat"], "cat cat"),
            (&["g:*", "g:"], "g:* g:"),
            (&["n:*", "nobody"], "n:* nobody"),
            (&["a*"], "a*"),
            // This one exists.
            (&["w*"], "w*"),
            (&["*:*"], "cat g:x g:y web1 web2 w*"),
            (&["z*:*"], "z*:*"),
        ];
        for (words, expected) in rows {
            let names = expand(&processes(), words);
            assert_eq!(names.join(" "), expected, "{words:?}");
        }
    }

    #[test]
    fn words_mean_processes_once() {
        let processes = processes();
        let words = ["web2", "nobody", "g:*", "web[12]", "g:y", "a*"];
        let (found, unknown) = each_once(&processes, &words);
        let names: Vec<_> = found.iter().map(|info| info.namespec()).collect();
        assert_eq!(names, ["web2", "g:x", "g:y", "web1"]);
        assert_eq!(unknown, ["nobody", "a*"]);
    }
}
