//! Warnings about what a configuration says in vain: unknown sections and options, names used twice.

use std::collections::BTreeMap;

use crate::document::{Document, Place, Section, Value};
use crate::environment::Pairs;
use crate::model::{LogLevel, Notice};
use crate::source::View;
use crate::table::{SectionKind, Typed, rows, rows_of};

/// A notice of level WARN.
pub(crate) fn warning(text: String) -> Notice {
    Notice {
        level: LogLevel::Warn,
        text,
    }
}

/// `file:line`
pub(crate) fn at(place: &Place) -> String {
    format!("{}:{}", place.file.spelled, place.line)
}

/// What to say of variables whose values were probably meant to be longer. Names only: values may
/// be secrets.
pub(crate) fn cut_notice(view: &View<'_>, row: &Typed<Pairs>, pairs: &Pairs) -> Option<Notice> {
    let value = view.raw(row.about.key).filter(|_| !pairs.cut.is_empty())?;
    Some(warning(format!(
        "{}: environment of [{}] has a special character outside quotes, which ends the value of {}",
        at(&value.place),
        view.section.name,
        pairs.cut.join(", "),
    )))
}

/// What a document says that nothing reads, and what it says twice.
pub(crate) fn vain(document: &Document) -> Vec<Notice> {
    let mut notices = Vec::new();
    for section in document.sections() {
        match SectionKind::of(&section.name) {
            Some(kind) => unknown_options(kind, section, &mut notices),
            None => notices.push(unknown_section(section)),
        }
    }
    unknown_defaults(document.defaults(), &mut notices);
    for repeated in document.repeated() {
        notices.push(warning(format!(
            "{}: option {} of [{}] is set again in line {}, which counts",
            at(&repeated.lost),
            repeated.option,
            repeated.section,
            repeated.line,
        )));
    }
    notices
}

fn unknown_section(section: &Section) -> Notice {
    let kinds = SectionKind::ALL.map(SectionKind::written);
    let (typed, rest) = match section.name.split_once(':') {
        Some((typed, rest)) => (format!("{typed}:"), rest),
        None => (section.name.to_string(), ""),
    };
    let meant = closest(&typed, kinds.into_iter()).map(|kind| format!("[{kind}{rest}]"));
    warning(format!(
        "{}: unknown section [{}] is ignored{}",
        at(&section.place),
        section.name,
        suggestion(meant.as_deref()),
    ))
}

fn unknown_options(kind: SectionKind, section: &Section, notices: &mut Vec<Notice>) {
    if matches!(kind, SectionKind::RpcInterface | SectionKind::CtlPlugin) {
        return;
    }
    let known = || rows_of(kind).map(|row| row.about().key);
    let unknown = section
        .options
        .iter()
        .filter(|(name, _)| !known().any(|key| key == name.as_str()));
    let unknown = unknown.map(|(name, value)| (name, value, closest(name, known())));
    push_unknown(&section.name, unknown, notices);
}

fn unknown_defaults(defaults: &BTreeMap<String, Value>, notices: &mut Vec<Notice>) {
    let known = || rows().map(|row| row.about().key);
    let unknown = defaults
        .iter()
        .filter(|(name, _)| !known().any(|key| key == name.as_str()));
    let unknown = unknown.map(|(name, value)| (name, value, closest(name, known())));
    push_unknown("DEFAULT", unknown, notices);
}

fn push_unknown<'a>(
    section: &str,
    unknown: impl Iterator<Item = (&'a String, &'a Value, Option<&'static str>)>,
    notices: &mut Vec<Notice>,
) {
    let mut unknown: Vec<_> = unknown.collect();
    unknown.sort_by_key(|(_, value, _)| value.place.line);
    notices.extend(unknown.into_iter().map(|(name, value, meant)| {
        warning(format!(
            "{}: unknown option {name} of [{section}] is ignored{}",
            at(&value.place),
            suggestion(meant),
        ))
    }));
}

fn suggestion(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!(", did you mean {meant}?"))
}

/// The candidate with the fewest edits, if those are few for the word's length.
fn closest(word: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let word = word.trim().to_lowercase();
    candidates
        .map(|candidate| (edits(&word, candidate), candidate))
        .filter(|&(edits, candidate)| edits <= candidate.len().min(word.len()) / 3)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_suggested() {
        let keys = ["autostart", "autorestart", "command", "user"];
        let rows = [
            ("autostrat", Some("autostart")),
            ("comand", Some("command")),
            ("Command", Some("command")),
            ("usr", Some("user")),
            ("group", None),
            ("x", None),
        ];
        for (word, want) in rows {
            assert_eq!(closest(word, keys.into_iter()), want, "{word}");
        }
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }
}
