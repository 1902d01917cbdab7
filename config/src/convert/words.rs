//! Texts, names and lists.

use super::{Invalid, ValueType};
use crate::environment::{Pairs, pairs};
use crate::python::{is_space, strip};

pub(crate) const TEXT: ValueType<String> = ValueType {
    name: "text",
    accepts: "any text",
    convert: |text, _| Ok(text.to_owned()),
};

/// Supervisor checks a name (see [`name`]) before the names in it are replaced, and not again.
pub(crate) const NAME: ValueType<String> = ValueType {
    name: "name",
    accepts: "a text without blanks, `:` and `/`",
    convert: |text, _| Ok(text.to_owned()),
};

/// Python code, as `module:name`.
pub(crate) const fn factory(accepts: &'static str) -> ValueType<String> {
    ValueType {
        name: "factory",
        accepts,
        ..TEXT
    }
}

pub(crate) const EVENT_LIST: ValueType<Vec<String>> = ValueType {
    name: "events",
    accepts: "names of events separated by commas",
    ..LIST
};

pub(crate) const LIST: ValueType<Vec<String>> = ValueType {
    name: "list",
    accepts: "words separated by commas",
    convert: |text, _| match text {
        "" => Ok(Vec::new()),
        text => Ok(text.split(',').map(|word| strip(word).to_owned()).collect()),
    },
};

pub(crate) const WORDS: ValueType<Vec<String>> = ValueType {
    name: "patterns",
    accepts: "words separated by blanks",
    convert: |text, _| {
        let words = text.split(is_space).filter(|word| !word.is_empty());
        Ok(words.map(str::to_owned).collect())
    },
};

pub(crate) const ENVIRONMENT: ValueType<Pairs> = ValueType {
    name: "environment",
    accepts: "`KEY=value` pairs separated by commas; anything but letters, digits and `_/.+-():` in quotes",
    convert: |text, _| pairs(text),
};

/// A name that neither breaks the event protocol nor an address of the web pages.
pub(crate) fn name(text: &str) -> Result<&str, Invalid> {
    let stripped = strip(text);
    match [' ', ':', '/'].into_iter().find(|&c| stripped.contains(c)) {
        None => Ok(stripped),
        Some(character) => Err(Invalid::Name {
            name: text.to_owned(),
            character,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(name(" a.b "), Ok("a.b"));
        assert_eq!(name(""), Ok(""));
        let error = |text| name(text).map_err(|error| error.to_string());
        assert_eq!(
            error("a b"),
            Err("Invalid name: 'a b' because of character: ' '".to_owned())
        );
        assert_eq!(
            error(" a:/"),
            Err("Invalid name: ' a:/' because of character: ':'".to_owned())
        );
    }
}
