//! One conversion of a format string: `%`, a name, flags, width, precision and a letter.

use super::{BadFormat, Replacement, WIDEST};
use crate::python::{python_ascii, python_repr};

/// The letters of Python's conversions.
pub(super) const KINDS: &str = "sradiuoxXeEfFgGc";

/// A conversion as it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Conversion<'f> {
    pub(super) key: Option<&'f str>,
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
    /// Width or precision is `*`.
    pub(super) star: bool,
    width: usize,
    precision: Option<usize>,
    pub(super) kind: char,
    /// The percent sign and the letter are all there is.
    pub(super) bare: bool,
}

/// Reads the conversion at the start of `text`, which is a percent sign; also its length in bytes.
pub(super) fn parse(text: &str) -> Result<(Conversion<'_>, usize), BadFormat> {
    let mut conversion = Conversion::default();
    let mut rest = text.strip_prefix('%').unwrap_or(text);
    if let Some(after) = rest.strip_prefix('(') {
        let end = closing_parenthesis(after).ok_or(BadFormat::IncompleteKey)?;
        conversion.key = Some(&after[..end]);
        rest = &after[end + 1..];
    }
    rest = conversion.flags(rest);
    (conversion.width, rest) = conversion.size(rest, BadFormat::TooWide)?;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = conversion.size(after, BadFormat::TooPrecise)?;
        conversion.precision = Some(precision);
        rest = after;
    }
    rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
    conversion.kind = rest.chars().next().ok_or(BadFormat::Incomplete)?;
    let length = text.len() - rest.len() + conversion.kind.len_utf8();
    conversion.bare = length == 1 + conversion.kind.len_utf8();
    Ok((conversion, length))
}

/// Where the parenthesis that is open at the start of `text` closes.
fn closing_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// What to say of a conversion without a name, which could only format the mapping itself.
pub(super) fn nameless(kind: char) -> BadFormat {
    match kind {
        'd' | 'i' | 'u' => wrong_type(kind, "a real number", "dict"),
        'o' | 'x' | 'X' => wrong_type(kind, "an integer", "dict"),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => BadFormat::NotReal("dict"),
        'c' => BadFormat::NotCharacter,
        _ => BadFormat::Nameless(kind),
    }
}

fn wrong_type(conversion: char, wanted: &'static str, found: &'static str) -> BadFormat {
    BadFormat::WrongType {
        conversion,
        wanted,
        found,
    }
}

impl<'f> Conversion<'f> {
    fn flags(&mut self, text: &'f str) -> &'f str {
        let mut rest = text;
        while let Some(flag) = rest.chars().next() {
            match flag {
                '-' => self.left = true,
                '+' => self.plus = true,
                ' ' => self.blank = true,
                '#' => self.alternate = true,
                '0' => self.zero = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        rest
    }

    /// Reads a width or precision, which may be missing (0) or `*`.
    fn size(&mut self, text: &'f str, too_big: BadFormat) -> Result<(usize, &'f str), BadFormat> {
        if let Some(rest) = text.strip_prefix('*') {
            self.star = true;
            return Ok((0, rest));
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        match text[..digits].parse() {
            Ok(size) if size <= WIDEST => Ok((size, &text[digits..])),
            _ if digits == 0 => Ok((0, text)),
            _ => Err(too_big),
        }
    }

    /// Writes `value` as this conversion wants it.
    pub(super) fn write(&self, out: &mut String, value: Replacement<'_>) -> Result<(), BadFormat> {
        match (self.kind, value) {
            ('s', Replacement::Text(text)) => self.pad_text(out, text),
            ('r', Replacement::Text(text)) => self.pad_text(out, &python_repr(text)),
            ('a', Replacement::Text(text)) => self.pad_text(out, &python_ascii(text)),
            ('s' | 'r' | 'a', Replacement::Number(number)) => {
                self.pad_text(out, &number.to_string());
            }
            ('c', value) => {
                let mut buffer = [0; 4];
                self.pad(out, "", character(value)?.encode_utf8(&mut buffer), false);
            }
            (_, Replacement::Text(_)) => {
                return Err(match nameless(self.kind) {
                    BadFormat::WrongType {
                        conversion, wanted, ..
                    } => wrong_type(conversion, wanted, "str"),
                    _ => BadFormat::NotReal("str"),
                });
            }
            ('d' | 'i' | 'u' | 'o' | 'x' | 'X', Replacement::Number(number)) => {
                self.write_integer(out, number);
            }
            (_, Replacement::Number(number)) => self.write_real(out, number),
        }
        Ok(())
    }

    fn write_integer(&self, out: &mut String, number: i64) {
        let magnitude = number.unsigned_abs();
        let (prefix, digits) = match self.kind {
            'o' => ("0o", format!("{magnitude:o}")),
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            _ => ("", magnitude.to_string()),
        };
        let digits = format!("{digits:0>width$}", width = self.precision.unwrap_or(0));
        let prefix = if self.alternate { prefix } else { "" };
        self.pad(
            out,
            &format!("{}{prefix}", self.sign(number)),
            &digits,
            self.zero,
        );
    }

    #[allow(clippy::cast_precision_loss)] // as Python does it
    fn write_real(&self, out: &mut String, number: i64) {
        let magnitude = number.unsigned_abs() as f64;
        let precision = self.precision.unwrap_or(6);
        let digits = match self.kind {
            'e' => exponential(magnitude, precision),
            'E' => exponential(magnitude, precision).to_uppercase(),
            'g' => general(magnitude, precision, self.alternate),
            'G' => general(magnitude, precision, self.alternate).to_uppercase(),
            _ => format!("{magnitude:.precision$}"),
        };
        let point = if self.alternate && !digits.contains(['.', 'e', 'E']) {
            "."
        } else {
            ""
        };
        self.pad(
            out,
            self.sign(number),
            &format!("{digits}{point}"),
            self.zero,
        );
    }

    fn sign(&self, number: i64) -> &'static str {
        match number {
            ..0 => "-",
            _ if self.plus => "+",
            _ if self.blank => " ",
            _ => "",
        }
    }

    fn pad_text(&self, out: &mut String, text: &str) {
        let cut = self
            .precision
            .and_then(|most| text.char_indices().nth(most));
        self.pad(out, "", cut.map_or(text, |(end, _)| &text[..end]), false);
    }

    /// Writes sign and text in the conversion's width; zeros go between the two.
    fn pad(&self, out: &mut String, sign: &str, text: &str, zeros: bool) {
        let missing = self.width.saturating_sub(sign.len() + text.chars().count());
        let fill = |out: &mut String, c: char| out.extend(std::iter::repeat_n(c, missing));
        if !self.left && !zeros {
            fill(out, ' ');
        }
        out.push_str(sign);
        if !self.left && zeros {
            fill(out, '0');
        }
        out.push_str(text);
        if self.left {
            fill(out, ' ');
        }
    }
}

/// The character that `%c` makes of a value.
fn character(value: Replacement<'_>) -> Result<char, BadFormat> {
    match value {
        Replacement::Number(number) => u32::try_from(number)
            .ok()
            .and_then(char::from_u32)
            .ok_or(BadFormat::NoSuchCharacter),
        Replacement::Text(text) => {
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(BadFormat::NotCharacter),
            }
        }
    }
}

/// `%e`: one digit, the rest after the point, and an exponent of at least two digits.
fn exponential(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}e+{exponent:0>2}"),
        None => text,
    }
}

/// `%g` of a whole number: as short as the precision in significant digits allows.
fn general(magnitude: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let text = exponential(magnitude, precision - 1);
    let (mantissa, exponent) = text.split_once("e+").unwrap_or((&text, "0"));
    let places = exponent.parse().unwrap_or(0);
    let (digits, exponent) = if places < precision {
        (
            format!("{magnitude:.*}", precision - 1 - places),
            String::new(),
        )
    } else {
        (mantissa.to_owned(), format!("e+{exponent}"))
    };
    let digits = match digits.contains('.') && !keep_zeros {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => &digits,
    };
    format!("{digits}{exponent}")
}
