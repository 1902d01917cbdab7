//! Numbers, and words that stand for one of a few things.

use std::time::Duration;

use super::{Invalid, ValueType};
use crate::model::{
    AutoRestart, EventLen, LogLevel, ProgramsOnDeath, Role, SignalNumber, SyncPolicy,
};
use crate::python::{int, strip};

pub(crate) const INTEGER: ValueType<i64> = ValueType {
    name: "integer",
    accepts: "a decimal number, perhaps with a sign",
    convert: |text, _| integer(text),
};

pub(crate) const BOOLEAN: ValueType<bool> = ValueType {
    name: "boolean",
    accepts: "`true`, `yes`, `on`, `1`, or `false`, `no`, `off`, `0`",
    convert: |text, _| boolean(text).ok_or_else(|| Invalid::Boolean(text.to_owned())),
};

pub(crate) const BYTES: ValueType<i64> = ValueType {
    name: "bytes",
    accepts: "a number of bytes, or with a suffix `KB`, `MB` or `GB` (powers of 1024)",
    convert: |text, _| bytes(text),
};

pub(crate) const OCTAL: ValueType<u32> = ValueType {
    name: "octal",
    accepts: "an octal number",
    convert: |text, _| {
        let value = int(text, 8).and_then(|value| u32::try_from(value).ok());
        value.ok_or_else(|| Invalid::Octal(text.to_owned()))
    },
};

pub(crate) const LOG_LEVEL: ValueType<LogLevel> = ValueType {
    name: "log level",
    accepts: "`critical`, `error`, `warn`, `info`, `debug`, `trace` or `blather`",
    convert: |text, _| log_level(text).ok_or_else(|| Invalid::LogLevel(text.to_owned())),
};

pub(crate) const SIGNAL: ValueType<SignalNumber> = ValueType {
    name: "signal",
    accepts: "a name, with or without `SIG`, or a number: 1 to 31, 34, 64, or 0 for none",
    convert: |text, _| signal(text),
};

pub(crate) const EXIT_CODES: ValueType<Vec<i32>> = ValueType {
    name: "exit codes",
    accepts: "numbers from 0 to 255, separated by commas",
    convert: |text, _| exit_codes(text).ok_or_else(|| Invalid::ExitCodes(text.to_owned())),
};

pub(crate) const ROLE: ValueType<Role> = ValueType {
    name: "role",
    accepts: "`read-only`, `operator` or `admin`",
    convert: |text, _| match text.to_lowercase().as_str() {
        "read-only" => Ok(Role::ReadOnly),
        "operator" => Ok(Role::Operator),
        "admin" => Ok(Role::Admin),
        other => Err(Invalid::Role(other.to_owned())),
    },
};

pub(crate) const EVENT_LEN: ValueType<EventLen> = ValueType {
    name: "unit",
    accepts: "`characters` or `bytes`",
    convert: |text, _| match text.to_lowercase().as_str() {
        "characters" => Ok(EventLen::Characters),
        "bytes" => Ok(EventLen::Bytes),
        other => Err(Invalid::EventLen(other.to_owned())),
    },
};

pub(crate) const SYNC_POLICY: ValueType<SyncPolicy> = ValueType {
    name: "sync",
    accepts: "`always`, `never`, or a number of seconds from 1 to 86400",
    convert: |text, _| match text.to_lowercase().as_str() {
        "always" => Ok(SyncPolicy::Always),
        "never" => Ok(SyncPolicy::Never),
        seconds => int(seconds, 10)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| (1..=86_400).contains(seconds))
            .map(|seconds| SyncPolicy::Within(Duration::from_secs(seconds)))
            .ok_or_else(|| Invalid::BufferFileSync(text.to_owned())),
    },
};

pub(crate) const PROGRAMS_ON_DEATH: ValueType<ProgramsOnDeath> = ValueType {
    name: "fate",
    accepts: "`leave`, `keep` or `kill`",
    convert: |text, _| match text.to_lowercase().as_str() {
        "leave" => Ok(ProgramsOnDeath::Leave),
        "keep" => Ok(ProgramsOnDeath::Keep),
        "kill" => Ok(ProgramsOnDeath::Kill),
        other => Err(Invalid::ProgramsOnDeath(other.to_owned())),
    },
};

pub(crate) const AUTO_RESTART: ValueType<AutoRestart> = ValueType {
    name: "autorestart",
    accepts: "`unexpected` or a boolean",
    convert: |text, _| match boolean(text) {
        Some(true) => Ok(AutoRestart::Always),
        Some(false) => Ok(AutoRestart::Never),
        None if text.eq_ignore_ascii_case("unexpected") => Ok(AutoRestart::Unexpected),
        None => Err(Invalid::AutoRestart(text.to_lowercase())),
    },
};

/// A number of any size; one too large is the nearest there is.
pub(super) fn integer(text: &str) -> Result<i64, Invalid> {
    int(text, 10).ok_or_else(|| Invalid::Integer(text.to_owned()))
}

/// A number within bounds.
pub(super) fn bounded(text: &str, low: i64, high: i64) -> Result<i64, Invalid> {
    match integer(text)? {
        value if value < low => Err(Invalid::TooLow { value, bound: low }),
        value if value > high => Err(Invalid::TooHigh { value, bound: high }),
        value => Ok(value),
    }
}

fn boolean(text: &str) -> Option<bool> {
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    if ["yes", "true", "on", "1"].iter().any(is) {
        Some(true)
    } else if ["no", "false", "off", "0"].iter().any(is) {
        Some(false)
    } else {
        None
    }
}

fn bytes(text: &str) -> Result<i64, Invalid> {
    let text = text.to_lowercase();
    let (number, unit) = [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)]
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))
        .unwrap_or((&text, 1));
    Ok(integer(number)?.saturating_mul(unit))
}

fn log_level(text: &str) -> Option<LogLevel> {
    let levels = [
        ("critical", LogLevel::Critical),
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
        ("blather", LogLevel::Blather),
    ];
    let found = levels
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    found.map(|&(_, level)| level)
}

fn signal(text: &str) -> Result<SignalNumber, Invalid> {
    match int(text, 10) {
        Some(number) => {
            SignalNumber::from_number(number).ok_or_else(|| Invalid::SignalNumber(text.to_owned()))
        }
        None => {
            SignalNumber::from_name(strip(text)).ok_or_else(|| Invalid::SignalName(text.to_owned()))
        }
    }
}

fn exit_codes(text: &str) -> Option<Vec<i32>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let codes = text.split(',').map(|code| {
        let code = u8::try_from(int(code, 10)?).ok()?;
        Some(i32::from(code))
    });
    codes.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Context;
    use super::*;

    fn run<T: std::fmt::Debug>(kind: ValueType<T>, text: &str) -> String {
        match (kind.convert)(text, &Context::new(Path::new("/"), None)) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn numbers() {
        let rows = [
            (run(INTEGER, " -1_0 "), "-10"),
            (
                run(INTEGER, "1.5"),
                "invalid literal for int() with base 10: '1.5'",
            ),
            (run(BYTES, "50MB"), "52428800"),
            (run(BYTES, "2 gb"), "2147483648"),
            (run(BYTES, "-1kB"), "-1024"),
            (run(BYTES, "99999999999GB"), "9223372036854775807"),
            (
                run(BYTES, "1K"),
                "invalid literal for int() with base 10: '1k'",
            ),
            (
                run(BYTES, "1.5MB"),
                "invalid literal for int() with base 10: '1.5'",
            ),
            (
                run(BYTES, "MB"),
                "invalid literal for int() with base 10: ''",
            ),
            (run(OCTAL, "022"), "18"),
            (run(OCTAL, "99"), "99 can not be converted to an octal type"),
            (run(OCTAL, "-1"), "-1 can not be converted to an octal type"),
            (run(EXIT_CODES, "0, 2,255"), "[0, 2, 255]"),
            (run(EXIT_CODES, ""), "[]"),
            (
                run(EXIT_CODES, "0,"),
                "not a valid list of exit codes: '0,'",
            ),
            (
                run(EXIT_CODES, "256"),
                "not a valid list of exit codes: '256'",
            ),
        ];
        for (got, want) in rows {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn words() {
        let rows = [
            (run(BOOLEAN, "YES"), "true"),
            (run(BOOLEAN, "0"), "false"),
            (run(BOOLEAN, "y"), "not a valid boolean value: 'y'"),
            (run(LOG_LEVEL, "Blather"), "Blather"),
            (
                run(LOG_LEVEL, "Warning"),
                "bad logging level name 'Warning'",
            ),
            (run(PROGRAMS_ON_DEATH, "Keep"), "Keep"),
            (
                run(PROGRAMS_ON_DEATH, "Stay"),
                "invalid 'programs_on_death' value 'stay'",
            ),
            (run(AUTO_RESTART, "On"), "Always"),
            (run(AUTO_RESTART, "Unexpected"), "Unexpected"),
            (
                run(AUTO_RESTART, "Some'times"),
                "invalid 'autorestart' value \"some'times\"",
            ),
            (run(SIGNAL, " sigterm "), "SignalNumber(15)"),
            (run(SIGNAL, " 9 "), "SignalNumber(9)"),
            (run(SIGNAL, "0"), "SignalNumber(0)"),
            (run(SIGNAL, "64"), "SignalNumber(64)"),
            (run(SIGNAL, "FOO"), "value 'FOO' is not a valid signal name"),
            (run(SIGNAL, "35"), "value '35' is not a valid signal number"),
            (run(SIGNAL, "-1"), "value '-1' is not a valid signal number"),
        ];
        for (got, want) in rows {
            assert_eq!(got, want);
        }
    }
}
