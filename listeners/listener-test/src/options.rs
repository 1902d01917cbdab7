//! The command line.

use std::time::Duration;

use getopt::{Spec, getopt};
use listener_kit::{Refusal, duration};
use protocol::events::{EventSet, EventType};

use crate::cases;

/// What `--help` shows.
pub(crate) const USAGE: &str = r#"supervisor-listener-test [options] -- command [argument]...

Starts an event listener, plays supervisord for it, and says what it does
wrong and how to repair that. The listener is started anew for each check and
gets made-up events: do not give it the power to act on real processes.

Options:

-e -- The types of events the listener subscribes to, separated by commas, as
      in "events=" of its section. Default: EVENT, which is all of them.

-c -- A check to make; may be given several times. Default: all of them.

-l -- List the checks and exit.

-t -- How many seconds the listener has for an answer, or for its end.
      Default: 10.

-b -- Announce lengths in bytes, as a section with event_len=bytes does.

-u -- What SUPERVISOR_SERVER_URL is to be for the listener. Default: as in the
      environment, or else an address nobody answers at.

-s -- Be strict: advice counts as a failure.

-j -- Print one JSON object instead of text.

-h -- Show this text.

The long forms are --events=, --check=, --list, --timeout=, --bytes, --url=,
--strict, --json and --help.

The exit code is 0 if the listener passes, 1 if it does not, 255 if the
command line makes no sense.

Example:

supervisor-listener-test -e PROCESS_STATE,TICK_60 -- python3 listener.py -v
"#;

const SPEC: Spec<'_> = Spec {
    short: "he:c:lt:bu:sj",
    long: &[
        "help", "events=", "check=", "list", "timeout=", "bytes", "url=", "strict", "json",
    ],
};

/// What to test, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Types of events to send.
    pub(crate) events: EventSet,
    /// Names of the checks to make; empty: all.
    pub(crate) checks: Vec<String>,
    /// Show the checks only.
    pub(crate) list: bool,
    /// Time for an answer.
    pub(crate) timeout: Duration,
    /// Lengths are in bytes.
    pub(crate) bytes: bool,
    /// Address of the supervisor.
    pub(crate) url: Option<String>,
    /// Advice counts.
    pub(crate) strict: bool,
    /// Report in JSON.
    pub(crate) json: bool,
    /// The listener.
    pub(crate) command: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            events: EventSet::from_iter([EventType::Event]),
            checks: Vec::new(),
            list: false,
            timeout: Duration::from_secs(10),
            bytes: false,
            url: None,
            strict: false,
            json: false,
            command: Vec::new(),
        }
    }
}

impl Options {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// When help is asked for, one cannot be read, or there is no command.
    pub(crate) fn parse(args: &[String]) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let parsed = getopt(args, SPEC).map_err(|error| Refusal::Complaint(error.to_string()))?;
        for (option, value) in parsed.options {
            match option.as_str() {
                "-h" | "--help" => return Err(Refusal::Help),
                "-e" | "--events" => options.events = events(&value)?,
                "-c" | "--check" => options.checks.push(check(value)?),
                "-l" | "--list" => options.list = true,
                "-t" | "--timeout" => options.timeout = timeout(&value)?,
                "-b" | "--bytes" => options.bytes = true,
                "-u" | "--url" => options.url = Some(value),
                "-s" | "--strict" => options.strict = true,
                _ => options.json = true, // -j, --json
            }
        }
        options.command = parsed.rest;
        if options.command.is_empty() && !options.list {
            return Err(Refusal::Complaint("there is no command to test".into()));
        }
        Ok(options)
    }
}

fn events(list: &str) -> Result<EventSet, Refusal> {
    let named = |name: &str| {
        let name = name.trim().to_uppercase();
        EventType::from_name(&name)
            .ok_or_else(|| Refusal::Complaint(format!("unknown event type {name:?}")))
    };
    list.split(',').map(named).collect()
}

fn check(name: String) -> Result<String, Refusal> {
    match cases::CASES.iter().any(|case| case.name == name) {
        true => Ok(name),
        false => Err(Refusal::Complaint(format!("unknown check {name:?}"))),
    }
}

fn timeout(value: &str) -> Result<Duration, Refusal> {
    let timeout = duration(value).filter(|timeout| !timeout.is_zero());
    timeout.ok_or_else(|| Refusal::Complaint(format!("no time: {value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Refusal> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let short = "-e tick,PROCESS_LOG -c start -c eof -l -t 0.5 -b -u unix:///s -s -j -- a -b";
        let long = "--events=TICK,process_log --check=start --check eof --list --timeout 0.5 \
                    --bytes --url=unix:///s --strict --json a -b";
        let want = Options {
            events: EventSet::from_iter([EventType::Tick, EventType::ProcessLog]),
            checks: vec!["start".into(), "eof".into()],
            list: true,
            timeout: Duration::from_millis(500),
            bytes: true,
            url: Some("unix:///s".into()),
            strict: true,
            json: true,
            command: vec!["a".into(), "-b".into()],
        };
        assert_eq!(parse(short), Ok(want.clone()));
        assert_eq!(parse(long), Ok(want));
        let command = vec!["cat".into()];
        assert_eq!(
            parse("cat"),
            Ok(Options {
                command,
                ..Options::default()
            })
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let rows = [
            ("", "there is no command to test"),
            ("-x", "option -x not recognized"),
            ("-e TICK_7 a", "unknown event type \"TICK_7\""),
            ("-e TICK, a", "unknown event type \"\""),
            ("-c teapot a", "unknown check \"teapot\""),
            ("-t 0 a", "no time: \"0\""),
            ("-t -1 a", "no time: \"-1\""),
        ];
        for (line, want) in rows {
            assert_eq!(parse(line), Err(Refusal::Complaint(want.into())), "{line}");
        }
        assert_eq!(parse("-s --help"), Err(Refusal::Help));
    }
}
