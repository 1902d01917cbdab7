//! Remarks on a configuration that is right but says something in vain, or not what was meant.

use std::collections::BTreeMap;

use crate::document::{Document, Place, Section, Value};
use crate::environment::Pairs;
use crate::model::{LogLevel, Notice};
use crate::source::View;
use crate::table::{SectionKind, Typed, rows, rows_of};

/// A remark, with what it is about.
#[derive(Debug)]
pub(crate) struct Remark {
    pub(crate) level: LogLevel,
    pub(crate) text: String,
    pub(crate) place: Option<Place>,
    pub(crate) section: Option<String>,
    pub(crate) option: Option<String>,
    /// What was probably meant.
    pub(crate) suggestion: Option<String>,
    /// The activity log shows the place: it does not in messages that Supervisor has too.
    shows_place: bool,
}

impl Remark {
    /// A remark of level WARN.
    pub(crate) fn warning(text: String) -> Self {
        Self::new(LogLevel::Warn, text)
    }

    /// A remark of level CRIT.
    pub(crate) fn critical(text: String) -> Self {
        Self::new(LogLevel::Critical, text)
    }

    /// A remark of level INFO.
    pub(crate) fn info(text: String) -> Self {
        Self::new(LogLevel::Info, text)
    }

    fn new(level: LogLevel, text: String) -> Self {
        Self {
            level,
            text,
            place: None,
            section: None,
            option: None,
            suggestion: None,
            shows_place: false,
        }
    }

    /// It is about something that stands there.
    pub(crate) fn at(self, place: Option<&Place>) -> Self {
        Self {
            place: place.cloned(),
            ..self
        }
    }

    /// The same; the activity log shall say where.
    pub(crate) fn shown_at(self, place: &Place) -> Self {
        Self {
            shows_place: true,
            ..self.at(Some(place))
        }
    }

    /// The activity log shall say where.
    pub(crate) fn shown(self) -> Self {
        Self {
            shows_place: true,
            ..self
        }
    }

    /// It is about a section.
    pub(crate) fn of_section(self, section: &str) -> Self {
        Self {
            section: Some(section.to_owned()),
            ..self
        }
    }

    /// It is about an option.
    pub(crate) fn of_option(self, section: &str, option: &str) -> Self {
        Self {
            option: Some(option.to_owned()),
            ..self.of_section(section)
        }
    }

    /// It is about an option of the section that is being read.
    pub(crate) fn of_view(self, view: &View<'_>, option: &str) -> Self {
        let value = view.raw(option);
        let place = value.map_or(&view.section.place, |value| &value.place);
        self.of_option(&view.section.name, option).at(Some(place))
    }

    fn suggesting(mut self, meant: Option<String>) -> Self {
        if let Some(meant) = &meant {
            self.text = format!("{}, did you mean {meant}?", self.text);
        }
        Self {
            suggestion: meant,
            ..self
        }
    }

    /// The line of the activity log.
    pub(crate) fn into_notice(self) -> Notice {
        let text = match self.place {
            Some(place) if self.shows_place => format!("{place}: {}", self.text),
            _ => self.text,
        };
        Notice {
            level: self.level,
            text,
        }
    }
}

/// What to say of variables whose values were probably meant to be longer. Names only: values may
/// be secrets.
pub(crate) fn cut_values(view: &View<'_>, row: &Typed<Pairs>, pairs: &Pairs) -> Option<Remark> {
    let key = row.about.key;
    let value = view.raw(key).filter(|_| !pairs.cut.is_empty())?;
    let section = &view.section.name;
    let names = pairs.cut.join(", ");
    let text = format!(
        "environment of [{section}] has a special character outside quotes, which ends the value of {names}"
    );
    Some(
        Remark::warning(text)
            .of_option(section, key)
            .shown_at(&value.place),
    )
}

/// What a document says that nothing reads, and what it says twice.
pub(crate) fn vain(document: &Document) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for section in document.sections() {
        match SectionKind::of(&section.name) {
            Some(kind) => unknown_options(kind, section, &mut remarks),
            None => remarks.push(unknown_section(section)),
        }
    }
    unknown_defaults(document.defaults(), &mut remarks);
    for repeated in document.repeated() {
        let (section, option, line) = (&repeated.section, &repeated.option, repeated.line);
        let text =
            format!("option {option} of [{section}] is set again in line {line}, which counts");
        let remark = Remark::warning(text).of_option(section, option);
        remarks.push(remark.shown_at(&repeated.lost));
    }
    remarks
}

fn unknown_section(section: &Section) -> Remark {
    let kinds = SectionKind::ALL.map(SectionKind::written);
    let (typed, rest) = match section.name.split_once(':') {
        Some((typed, rest)) => (format!("{typed}:"), rest),
        None => (section.name.to_string(), ""),
    };
    let meant = closest(&typed, kinds.into_iter()).map(|kind| format!("[{kind}{rest}]"));
    Remark::warning(format!("unknown section [{}] is ignored", section.name))
        .suggesting(meant)
        .of_section(&section.name)
        .shown_at(&section.place)
}

fn unknown_options(kind: SectionKind, section: &Section, remarks: &mut Vec<Remark>) {
    if matches!(kind, SectionKind::RpcInterface | SectionKind::CtlPlugin) {
        return;
    }
    let known: Vec<_> = rows_of(kind).map(|row| row.about().key).collect();
    push_unknown(&section.name, &section.options, &known, remarks);
}

fn unknown_defaults(defaults: &BTreeMap<String, Value>, remarks: &mut Vec<Remark>) {
    let known: Vec<_> = rows().map(|row| row.about().key).collect();
    push_unknown("DEFAULT", defaults, &known, remarks);
}

fn push_unknown(
    section: &str,
    options: &BTreeMap<String, Value>,
    known: &[&'static str],
    remarks: &mut Vec<Remark>,
) {
    let unknown = options
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()));
    let mut unknown: Vec<_> = unknown.collect();
    unknown.sort_by_key(|(_, value)| value.place.line);
    remarks.extend(unknown.into_iter().map(|(name, value)| {
        let meant = closest(name, known.iter().copied()).map(str::to_owned);
        Remark::warning(format!("unknown option {name} of [{section}] is ignored"))
            .suggesting(meant)
            .of_option(section, name)
            .shown_at(&value.place)
    }));
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
