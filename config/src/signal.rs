//! Signals as a configuration names them.

use std::fmt;

use nix::libc::{SIGRTMAX, SIGRTMIN};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

/// The signal of `stopsignal`, by number: nix's own type has no real-time signals and no 0.
///
/// Supervisor takes what has a name in Python's `signal` module, so of the real-time signals only
/// the first and the last, and 0 under the name `SIG_DFL`: with it nothing is sent, and the process
/// is killed when `stopwaitsecs` are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalNumber(i32);

impl SignalNumber {
    /// SIGTERM.
    pub const TERM: Self = Self(Signal::SIGTERM as i32);
    /// SIGKILL.
    pub const KILL: Self = Self(Signal::SIGKILL as i32);

    /// The signal of a number, if it has a name.
    pub fn from_number(number: i64) -> Option<Self> {
        let number = i32::try_from(number).ok()?;
        let is_named = number == 0
            || number == SIGRTMIN()
            || number == SIGRTMAX()
            || Signal::try_from(number).is_ok();
        is_named.then_some(Self(number))
    }

    /// The signal of a name, in any case, with or without `SIG`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_uppercase();
        let number = match name.strip_prefix("SIG").unwrap_or(&name) {
            "_DFL" | "_BLOCK" => 0,
            "_IGN" | "_UNBLOCK" => 1,
            "_SETMASK" => 2,
            "RTMIN" => SIGRTMIN(),
            "RTMAX" => SIGRTMAX(),
            "CLD" => Signal::SIGCHLD as i32,
            "IOT" => Signal::SIGABRT as i32,
            "POLL" => Signal::SIGIO as i32,
            plain => format!("SIG{plain}").parse::<Signal>().ok()? as i32,
        };
        Some(Self(number))
    }

    /// The signal that `text` means: a number, or a name.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse::<i64>() {
            Ok(number) => Self::from_number(number),
            Err(_) => Self::from_name(text),
        }
    }

    /// Any number, named or not, as the kernel reports it.
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// Its number, from 0 to SIGRTMAX.
    pub const fn number(self) -> i32 {
        self.0
    }
}

/// The name that Supervisor logs.
impl fmt::Display for SignalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Signal::try_from(self.0) {
            Ok(Signal::SIGIO) => f.write_str("SIGPOLL"),
            Ok(signal) => f.write_str(signal.as_str()),
            Err(_) if self.0 == SIGRTMIN() => f.write_str("SIGRTMIN"),
            Err(_) if self.0 == SIGRTMAX() => f.write_str("SIGRTMAX"),
            Err(_) => write!(f, "signal {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_supervisor_accepts() {
        let accepted: Vec<i64> = (-2..70)
            .filter(|&number| SignalNumber::from_number(number).is_some())
            .collect();
        let expected: Vec<i64> = (0..=31).chain([34, 64]).collect();
        assert_eq!(accepted, expected);
    }

    #[test]
    fn names() {
        let rows = [
            ("sigterm", 15, "SIGTERM"),
            ("rtmin", 34, "SIGRTMIN"),
            ("SIGRTMAX", 64, "SIGRTMAX"),
            ("_DFL", 0, "signal 0"),
            ("SIG_IGN", 1, "SIGHUP"),
            ("SIG_SETMASK", 2, "SIGINT"),
            ("CLD", 17, "SIGCHLD"),
            ("IOT", 6, "SIGABRT"),
            ("IO", 29, "SIGPOLL"),
            ("POLL", 29, "SIGPOLL"),
            ("STKFLT", 16, "SIGSTKFLT"),
        ];
        for (name, number, shown) in rows {
            let signal = SignalNumber::from_name(name).unwrap();
            assert_eq!(
                (signal.number(), signal.to_string().as_str()),
                (number, shown)
            );
        }
        for name in ["", "SIG", "FOO", "RTMIN+1", "SIGSIGTERM", "15"] {
            assert_eq!(SignalNumber::from_name(name), None, "{name}");
        }
    }
}
