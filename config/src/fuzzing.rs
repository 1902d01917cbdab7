//! Properties of the parts that take any text, for the fuzz targets in `fuzz/` and for tests here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::document::{Document, SourceFile, Value};
use crate::expand::{Names, Replacement, expand};
use crate::{environment, reader, shlex};

/// Whether what is read from `bytes`, written down again, is read as the same.
pub fn rereads_alike(bytes: &[u8]) -> bool {
    let document = read(bytes);
    let text = written(&document);
    let mut errors = Vec::new();
    let again = read_into(text.as_bytes(), &mut errors);
    errors.is_empty() && written(&again) == text
}

fn read(bytes: &[u8]) -> Document {
    read_into(bytes, &mut Vec::new())
}

fn read_into(bytes: &[u8], errors: &mut Vec<reader::SyntaxError>) -> Document {
    let file = SourceFile {
        spelled: "f".to_owned(),
        here: "/".to_owned(),
    };
    let mut document = Document::default();
    errors.extend(reader::read(bytes, &Arc::new(file), &mut document));
    document
}

fn written(document: &Document) -> String {
    let mut text = String::new();
    write_section(&mut text, "DEFAULT", document.defaults());
    for section in document.sections() {
        write_section(&mut text, &section.name, &section.options);
    }
    text
}

fn write_section(text: &mut String, name: &str, options: &BTreeMap<String, Value>) {
    let _ = writeln!(text, "[{name}]");
    for (key, value) in options {
        let _ = writeln!(text, "{key}={}", value.text.replace('\n', "\n "));
    }
}

/// Whether a format string can be expanded, and whether it stands for itself once its percent signs
/// are doubled.
pub fn expands_to_itself(format: &str) -> bool {
    let _ = expand(format, "fuzz", &Few);
    let doubled = format.replace('%', "%%");
    expand(&doubled, "fuzz", &Few).is_ok_and(|expanded| expanded == format)
}

/// Whether the words of a command line, each in quotes, are the same words.
pub fn splits_alike(text: &str) -> bool {
    let Ok(words) = shlex::split(text) else {
        return true;
    };
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    shlex::split(&quoted.join(" ")) == Ok(words)
}

/// Whether the variables of an `environment=`, their values in quotes, are the same variables.
pub fn sets_alike(text: &str) -> bool {
    let Ok(read) = environment::pairs(text) else {
        return true;
    };
    let variables = read.variables.iter();
    let quoted = variables.map(|(name, value)| format!("{}={}", quoted(name), quoted(value)));
    let again = environment::pairs(&quoted.collect::<Vec<_>>().join(","));
    again.is_ok_and(|again| again.variables == read.variables && again.cut.is_empty())
}

fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A name of each kind.
struct Few;

impl Names for Few {
    fn get(&self, name: &str) -> Option<Replacement<'_>> {
        match name {
            "here" => Some(Replacement::Text("/é")),
            "ENV_E" => Some(Replacement::Text("")),
            "process_num" => Some(Replacement::Number(-7)),
            _ => None,
        }
    }

    fn all(&self) -> Vec<String> {
        ["here", "ENV_E", "process_num"].map(str::to_owned).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_read_can_be_written_and_read_again(
            lines in "((\\[|\\]|[ab;#=: \t%]|DEFAULT|é|\u{a0}|\u{feff}){0,6}(\n|\r\n|\r)){0,8}"
        ) {
            prop_assert!(rereads_alike(lines.as_bytes()), "{lines:?}");
        }

        #[test]
        fn bytes_of_any_kind_are_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(rereads_alike(&bytes));
        }

        #[test]
        fn quoted_words_stand_for_themselves(text in "([ab=,'\"\\\\ \n#@é]|A=1){0,20}") {
            prop_assert!(splits_alike(&text));
            prop_assert!(sets_alike(&text));
        }

        #[test]
        fn doubled_percent_signs_stand_for_themselves(format in "(%|\\(|\\)|here|process_num|[0-9.*sdxc]|\\PC){0,12}") {
            prop_assert!(expands_to_itself(&format));
        }
    }
}
