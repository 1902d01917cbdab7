//! Texts to scalars and names.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{DecodeError, Value};

/// Clients disagree about padding; its absence loses nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The names in the structs of processes, most of what clients read: they need no copy each.
const FREQUENT_NAMES: [&str; 14] = [
    "name",
    "group",
    "start",
    "stop",
    "now",
    "state",
    "statename",
    "spawnerr",
    "exitstatus",
    "logfile",
    "stdout_logfile",
    "stderr_logfile",
    "pid",
    "description",
];

pub(super) fn member_name(name: Cow<'_, str>) -> Cow<'static, str> {
    match FREQUENT_NAMES.into_iter().find(|known| *known == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.into_owned()),
    }
}

/// A number past 32 bits becomes the nearest that is not: the daemon's offsets and lengths mean the same.
pub(super) fn int(text: &str) -> Result<Value, DecodeError> {
    let digits = text.trim();
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecodeError::BadScalar {
            kind: "int",
            text: text.to_owned(),
        });
    }
    let limit = if digits.starts_with('-') {
        i32::MIN
    } else {
        i32::MAX
    };
    Ok(Value::Int(digits.parse().unwrap_or(limit)))
}

pub(super) fn double(text: &str) -> Result<Value, DecodeError> {
    match text.trim().parse() {
        Ok(number) => Ok(Value::Double(number)),
        Err(_) => Err(DecodeError::BadScalar {
            kind: "double",
            text: text.to_owned(),
        }),
    }
}

pub(super) fn base64_text(mut text: String) -> Result<Value, DecodeError> {
    // Line breaks for the most part; RFC 2045 wants whatever is not of the alphabet to be passed over.
    text.retain(|character| {
        character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=')
    });
    let bytes = BASE64.decode(&text).ok();
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(decoded) => Ok(Value::String(decoded)),
        None => Err(DecodeError::BadScalar {
            kind: "base64",
            text,
        }),
    }
}
