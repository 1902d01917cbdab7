//! Python's `%` formatting on a mapping: what stands behind `%(here)s` and `%(process_num)02d`.
//!
//! Three deliberate differences: a conversion without a name (`date +%s`) is refused, where Python
//! prints the whole mapping, environment included; a width or precision over [`WIDEST`] is
//! refused; and `%(ENV_X:-default)s` stands for `default` when the variable is unset or empty.

mod conversion;

use std::borrow::Cow;

use thiserror::Error;

use crate::python::python_repr;
use conversion::Conversion;

/// The largest width and precision of a conversion.
const WIDEST: usize = 65_536;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replacement<'a> {
    /// A text.
    Text(&'a str),
    /// A number, which the numeric conversions accept too.
    Number(i64),
}

/// The names a format string may use.
pub(crate) trait Names {
    /// What `name` stands for, if it may be used.
    fn get(&self, name: &str) -> Option<Replacement<'_>>;
    /// Every name that may be used, for a message.
    fn all(&self) -> Vec<String>;
}

/// A format string that cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpandError {
    /// It uses a name that is not there.
    #[error(
        "Format string {} for {} contains names ({}) which cannot be expanded. Available names: {available}",
        python_repr(format),
        python_repr(what),
        python_repr(name)
    )]
    UnknownName {
        /// The format string.
        format: String,
        /// What it is the value of.
        what: String,
        /// The name.
        name: String,
        /// The names that are there, never their values.
        available: String,
    },
    /// It is no format string.
    #[error(
        "Format string {} for {} is badly formatted: {why}",
        python_repr(format),
        python_repr(what)
    )]
    BadFormat {
        /// The format string.
        format: String,
        /// What it is the value of.
        what: String,
        /// Why not.
        why: BadFormat,
    },
}

/// Why a text is no format string, in Python's words where Python refuses it too.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the messages say it
pub enum BadFormat {
    #[error("incomplete format")]
    Incomplete,
    #[error("incomplete format key")]
    IncompleteKey,
    #[error("unsupported format character '{}' (0x{:x}) at index {index}", if matches!(character, '\x1f'..='\x7e') { *character } else { '?' }, u32::from(*character))]
    Unsupported { character: char, index: usize },
    #[error("%{conversion} format: {wanted} is required, not {found}")]
    WrongType {
        conversion: char,
        wanted: &'static str,
        found: &'static str,
    },
    #[error("must be real number, not {0}")]
    NotReal(&'static str),
    #[error("%c requires int or char")]
    NotCharacter,
    #[error("%c arg not in range(0x110000)")]
    NoSuchCharacter,
    #[error("* wants int")]
    StarWithoutNumber,
    #[error("not enough arguments for format string")]
    NotEnoughArguments,
    #[error("width too big")]
    TooWide,
    #[error("precision too big")]
    TooPrecise,
    #[error(
        "%{0} needs a name in parentheses; a percent sign that is meant literally is written %%"
    )]
    Nameless(char),
}

/// Replaces every conversion in `format`; `what` names the option in messages. A text without
/// conversions is not copied.
///
/// # Errors
/// [`ExpandError`]; it shows the format string, but never what a name stands for.
pub(crate) fn expand<'f>(
    format: &'f str,
    what: &str,
    names: &impl Names,
) -> Result<Cow<'f, str>, ExpandError> {
    let Some(first) = format.find('%') else {
        return Ok(Cow::Borrowed(format));
    };
    let mut out = String::with_capacity(format.len() + 32);
    out.push_str(&format[..first]);
    let mut at = first;
    loop {
        let (conversion, length) =
            conversion::parse(&format[at..]).map_err(|why| bad_format(format, what, why))?;
        let written = write(&mut out, &conversion, names, || {
            char_index(format, at + length)
        });
        written.map_err(|refusal| match refusal {
            Refusal::UnknownName(name) => unknown_name(format, what, name, names),
            Refusal::BadFormat(why) => bad_format(format, what, why),
        })?;
        at += length;
        let Some(plain) = format[at..].find('%') else {
            out.push_str(&format[at..]);
            return Ok(Cow::Owned(out));
        };
        out.push_str(&format[at..at + plain]);
        at += plain;
    }
}

enum Refusal {
    UnknownName(String),
    BadFormat(BadFormat),
}

impl From<BadFormat> for Refusal {
    fn from(why: BadFormat) -> Self {
        Self::BadFormat(why)
    }
}

/// Writes what one conversion yields. `end` is the index in characters of what follows it.
fn write(
    out: &mut String,
    conversion: &Conversion<'_>,
    names: &impl Names,
    end: impl Fn() -> usize,
) -> Result<(), Refusal> {
    let value = match conversion.key {
        Some(key) => Some(look_up(key, names).ok_or_else(|| Refusal::UnknownName(key.to_owned()))?),
        None => None,
    };
    if conversion.star {
        return Err(match value {
            Some(Replacement::Number(_)) => BadFormat::NotEnoughArguments,
            _ => BadFormat::StarWithoutNumber,
        }
        .into());
    }
    match (conversion.kind, value) {
        ('%', None) if conversion.bare => out.push('%'),
        (kind, _) if !conversion::KINDS.contains(kind) => {
            return Err(BadFormat::Unsupported {
                character: kind,
                index: end() - 1,
            }
            .into());
        }
        (kind, None) => return Err(conversion::nameless(kind).into()),
        (_, Some(value)) => conversion.write(out, value)?,
    }
    Ok(())
}

/// Looks a name up; one of the form `ENV_X:-default` need not exist.
fn look_up<'a>(key: &'a str, names: &'a impl Names) -> Option<Replacement<'a>> {
    if let Some(value) = names.get(key) {
        return Some(value);
    }
    let (name, default) = key.split_once(":-")?;
    if !name.starts_with("ENV_") {
        return None;
    }
    match names.get(name) {
        None | Some(Replacement::Text("")) => Some(Replacement::Text(default)),
        found => found,
    }
}

fn char_index(format: &str, at: usize) -> usize {
    format[..at].chars().count()
}

fn bad_format(format: &str, what: &str, why: BadFormat) -> ExpandError {
    ExpandError::BadFormat {
        format: format.to_owned(),
        what: what.to_owned(),
        why,
    }
}

fn unknown_name(format: &str, what: &str, name: String, names: &impl Names) -> ExpandError {
    let mut available = names.all();
    available.sort_unstable();
    available.dedup();
    ExpandError::UnknownName {
        format: format.to_owned(),
        what: what.to_owned(),
        name,
        available: available.join(", "),
    }
}

#[cfg(test)]
mod tests;
