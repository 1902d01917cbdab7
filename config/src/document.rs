//! The files of a configuration as sections of raw texts, each text with its place.
//!
//! The map is our own and not the one of a library for `.ini` files: the syntax has to be ours
//! anyway (see [`reader`](crate::reader)), every value must remember its file and line, for
//! messages and because `%(here)s` depends on it, and a library would have to be handed the values
//! in an escaped text only to parse them a second time.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// One file that has been read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Its path for messages: as given with `-c`, or as an include pattern yields it.
    pub(crate) spelled: String,
    /// Its directory, absolute: what `%(here)s` stands for in it.
    pub(crate) here: String,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: Arc<SourceFile>,
    /// The line, from 1.
    pub(crate) line: usize,
}

/// `file:line`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.spelled, self.line)
    }
}

/// The raw text of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// Trimmed, comments removed, lines joined with `\n`.
    pub(crate) text: String,
    /// Where the option's name stands.
    pub(crate) place: Place,
}

/// One section, merged from everywhere it appears.
#[derive(Debug)]
pub(crate) struct Section {
    /// The text between the brackets.
    pub(crate) name: Arc<str>,
    /// Where it appears first.
    pub(crate) place: Place,
    /// By lower-case name; the last setting counts.
    pub(crate) options: BTreeMap<String, Value>,
}

/// An option that one file sets twice in one section.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repeated {
    /// The section's name.
    pub(crate) section: Arc<str>,
    /// The option.
    pub(crate) option: String,
    /// The setting that is lost.
    pub(crate) lost: Place,
    /// The line of the one that replaces it.
    pub(crate) line: usize,
}

/// Everything that has been read so far.
#[derive(Debug, Default)]
pub(crate) struct Document {
    sections: Vec<Section>,
    index: HashMap<Arc<str>, usize>,
    defaults: BTreeMap<String, Value>,
    repeated: Vec<Repeated>,
}

/// Which section the reader is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectionId {
    /// `[DEFAULT]`
    Defaults,
    /// Any other, by number.
    Numbered(usize),
}

impl Document {
    /// The sections in the order of their first appearance, `[DEFAULT]` not among them.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section of this name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.index.get(name).map(|&at| &self.sections[at])
    }

    /// What `[DEFAULT]` sets.
    pub(crate) fn defaults(&self) -> &BTreeMap<String, Value> {
        &self.defaults
    }

    /// Options lost to a later line of the same file.
    pub(crate) fn repeated(&self) -> &[Repeated] {
        &self.repeated
    }

    /// An option of a section, or else what `[DEFAULT]` says.
    pub(crate) fn value<'a>(&'a self, section: &'a Section, option: &str) -> Option<&'a Value> {
        section
            .options
            .get(option)
            .or_else(|| self.defaults.get(option))
    }

    /// Opens a section, a new one if need be.
    pub(crate) fn enter(&mut self, name: &str, place: Place) -> SectionId {
        if name == "DEFAULT" {
            return SectionId::Defaults;
        }
        if let Some(&at) = self.index.get(name) {
            return SectionId::Numbered(at);
        }
        let name: Arc<str> = name.into();
        self.index.insert(name.clone(), self.sections.len());
        self.sections.push(Section {
            name,
            place,
            options: BTreeMap::new(),
        });
        SectionId::Numbered(self.sections.len() - 1)
    }

    /// Sets an option of a section.
    pub(crate) fn set(&mut self, section: SectionId, option: String, value: Value) {
        let (name, options) = match section {
            SectionId::Defaults => (None, &mut self.defaults),
            SectionId::Numbered(at) => {
                let section = &mut self.sections[at];
                (Some(&section.name), &mut section.options)
            }
        };
        let line = value.place.line;
        let file = value.place.file.clone();
        let Some(old) = options.insert(option.clone(), value) else {
            return;
        };
        if Arc::ptr_eq(&old.place.file, &file) {
            self.repeated.push(Repeated {
                section: name.cloned().unwrap_or_else(|| "DEFAULT".into()),
                option,
                lost: old.place,
                line,
            });
        }
    }
}
