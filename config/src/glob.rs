//! Include patterns: Python's `glob.glob`, not recursive.
//!
//! `*`, `?` and `[...]` match within one name; a leading dot must be written; `**` is `*`; there
//! are no braces and no escapes. A pattern without wildcards matches what exists.

use std::path::Path;

use crate::path::{dirname, join};

/// Everything that matches, sorted by code point.
pub(crate) fn glob(pattern: &str) -> Vec<String> {
    let mut found = matches(pattern);
    found.sort_unstable();
    found
}

fn matches(pattern: &str) -> Vec<String> {
    let directory = dirname(pattern);
    let name = &pattern[pattern.rfind('/').map_or(0, |at| at + 1)..];
    if !has_wildcard(pattern) {
        let exists = if name.is_empty() {
            Path::new(directory).is_dir()
        } else {
            Path::new(pattern).symlink_metadata().is_ok()
        };
        return if exists {
            vec![pattern.to_owned()]
        } else {
            Vec::new()
        };
    }
    let directories = if has_wildcard(directory) && directory != pattern {
        matches(directory)
    } else {
        vec![directory.to_owned()]
    };
    directories
        .iter()
        .flat_map(|directory| within(directory, name))
        .collect()
}

/// What a pattern without slashes matches in one directory.
fn within(directory: &str, pattern: &str) -> Vec<String> {
    if !has_wildcard(pattern) {
        let path = join(directory, pattern);
        let exists = if pattern.is_empty() {
            Path::new(directory).is_dir()
        } else {
            Path::new(&path).symlink_metadata().is_ok()
        };
        return if exists { vec![path] } else { Vec::new() };
    }
    let Ok(entries) = Path::new(if directory.is_empty() { "." } else { directory }).read_dir()
    else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| pattern.starts_with('.') || !name.starts_with('.'))
        .filter(|name| matches_name(pattern, name))
        .map(|name| join(directory, &name))
        .collect()
}

fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// `fnmatch.fnmatchcase`. Backtracks to the last star only, so it is never exponential.
fn matches_name(pattern: &str, name: &str) -> bool {
    let pattern = parts(pattern);
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        if pattern.get(p) == Some(&Part::Star) {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|part| part.matches(name[n])) {
            p += 1;
            n += 1;
        } else if let Some((star_p, star_n)) = star {
            p = star_p + 1;
            n = star_n + 1;
            star = Some((star_p, star_n + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|part| *part == Part::Star)
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Star,
    Any,
    Literal(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Part {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Star | Self::Any => true,
            Self::Literal(literal) => *literal == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|&(low, high)| (low..=high).contains(&c)) != *negated
            }
        }
    }
}

fn parts(pattern: &str) -> Vec<Part> {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut parts = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        let c = pattern[at];
        at += 1;
        parts.push(match c {
            '*' => Part::Star,
            '?' => Part::Any,
            '[' => match class_end(&pattern, at) {
                Some(end) => {
                    let class = class(&pattern[at..end]);
                    at = end + 1;
                    class
                }
                None => Part::Literal('['),
            },
            c => Part::Literal(c),
        });
    }
    parts
}

/// The index of the bracket that closes a class; one in first place is a member of it.
fn class_end(pattern: &[char], start: usize) -> Option<usize> {
    let first = start + usize::from(pattern.get(start) == Some(&'!'));
    let from = first + usize::from(pattern.get(first) == Some(&']'));
    (from..pattern.len()).find(|&at| pattern[at] == ']')
}

fn class(members: &[char]) -> Part {
    let (negated, members) = match members {
        ['!', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut ranges = Vec::new();
    let mut rest = members;
    loop {
        rest = match rest {
            [low, '-', high, rest @ ..] => {
                ranges.push((*low, *high));
                rest
            }
            [single, rest @ ..] => {
                ranges.push((*single, *single));
                rest
            }
            [] => return Part::Class { negated, ranges },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked against Python's `fnmatch`.
    #[test]
    fn names() {
        let rows = [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf~", false),
            ("a**b", "axyb", true),
            ("?", "é", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]a]", "]", true),
            ("[!]a]", "]", false),
            ("[a", "[a", true),
            ("[z-a]", "m", false),
            ("[!z-a]", "m", true),
            ("[a-]", "-", true),
            ("[a-c-e]", "d", false),
            ("[a-c-e]", "-", true),
            ("[--0]", ".", true),
            ("a\\*", "a\\b", true),
            ("{a,b}", "a", false),
            ("*a*b*c", "xaxbxc", true),
            ("*a*b*c", "xaxbx", false),
        ];
        for (pattern, name, want) in rows {
            assert_eq!(matches_name(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn trees() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            "a/1.ini", "a/2.ini", "a/.h.ini", "b/1.ini", ".c/1.ini", "b/10.ini", "b/é.ini",
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let root = root.path().to_str().unwrap();
        let rows = [
            ("*/1.ini", "a/1.ini b/1.ini"),
            ("*/*.ini", "a/1.ini a/2.ini b/1.ini b/10.ini b/é.ini"),
            ("**/*.ini", "a/1.ini a/2.ini b/1.ini b/10.ini b/é.ini"),
            ("a/.*.ini", "a/.h.ini"),
            (".*/1.ini", ".c/1.ini"),
            ("a/1.ini", "a/1.ini"),
            ("a/x.ini", ""),
            ("[ab]/?.ini", "a/1.ini a/2.ini b/1.ini b/é.ini"),
            ("a/", "a/"),
            ("*/", "a/ b/"),
            ("x/*", ""),
            ("./a/1*", "./a/1.ini"),
        ];
        for (pattern, want) in rows {
            let found = glob(&format!("{root}/{pattern}"));
            let found: Vec<_> = found.iter().map(|path| &path[root.len() + 1..]).collect();
            assert_eq!(found.join(" "), want, "{pattern}");
        }
    }
}
