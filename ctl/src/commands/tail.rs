//! `tail`

mod several;

use client::CallError;
use config::python_repr;
use protocol::faults::FaultCode;
use protocol::xmlrpc::Value;

use super::{Command, Completes, usage_error};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "tail",
    help: "tail [-f] <name> [stdout|stderr] (default stdout)\n\
           Ex:\n\
           tail -f <name>\t\tFollow the stdout of a process; of several names, both logs of each\n\
           \t\t\tCtrl-C to exit.\n\
           tail -100 <name>\tLast 100 *bytes* of its stdout\n\
           tail <name> stderr\tLast 1600 *bytes* of its stderr",
    completes: Completes::Processes,
    run,
};

/// Bytes shown unless asked otherwise.
pub(super) const DEFAULT_BYTES: i32 = 1600;

/// How much of a log to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The last bytes, then what comes.
    Follow,
    /// The last bytes.
    Last(i32),
}

impl Extent {
    /// Reads `-f` or `-<bytes>`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix('-')? {
            "f" => Some(Self::Follow),
            digits => {
                let bytes = digits.parse::<i64>().ok()?;
                let limit = i64::from(i32::MAX);
                let bytes = bytes.clamp(-limit, limit);
                i32::try_from(bytes).ok().map(Self::Last)
            }
        }
    }
}

/// One of the two logs of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Stdout,
    Stderr,
}

impl Channel {
    const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    const fn read_method(self) -> &'static str {
        match self {
            Self::Stdout => "supervisor.readProcessStdoutLog",
            Self::Stderr => "supervisor.readProcessStderrLog",
        }
    }
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Request<'a> {
    /// One log.
    One {
        name: &'a str,
        channel: Channel,
        extent: Extent,
    },
    /// To follow several, or both of each process without a channel.
    Several {
        names: &'a [&'a str],
        channel: Option<Channel>,
    },
}

/// What begins a log that is followed.
const BANNER: &str = "==> Press Ctrl-C to exit <==";

/// What is wrong with what was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    /// Deserves the whole help.
    Usage(&'static str),
    /// Is said in a line.
    Line(String),
}

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let words: Vec<_> = args.split_whitespace().collect();
    match parse(&words) {
        Ok(request) => show(ctl, &request)?,
        Err(Problem::Usage(problem)) => {
            return usage_error(ctl, &COMMAND, problem, ExitStatus::Failed);
        }
        Err(Problem::Line(problem)) => {
            ctl.complain(format_args!("Error: {problem}"), ExitStatus::Failed)?;
        }
    }
    Ok(Flow::Continue)
}

fn parse<'a>(words: &'a [&'a str]) -> Result<Request<'a>, Problem> {
    if let Some(several) = parse_several(words) {
        return Ok(several);
    }
    match words.len() {
        0 => return Err(Problem::Usage("too few arguments")),
        4.. => return Err(Problem::Usage("too many arguments")),
        _ => {}
    }
    let (option, rest) = match words {
        [option, rest @ ..] if option.starts_with('-') => (Some(*option), rest),
        rest => (None, rest),
    };
    let (name, channel) = match rest {
        [] => return Err(Problem::Line("tail requires process name".to_owned())),
        [name] => (*name, Channel::Stdout),
        // Of three words the one in the middle is nobody's.
        [name, .., channel] => (*name, parse_channel(channel)?),
    };
    let extent = match option {
        None => Extent::Last(DEFAULT_BYTES),
        Some(option) => {
            Extent::parse(option).ok_or_else(|| Problem::Line(format!("bad argument {option}")))?
        }
    };
    Ok(Request::One {
        name,
        channel,
        extent,
    })
}

/// `-f` with several names, and maybe a channel behind them.
fn parse_several<'a>(words: &'a [&'a str]) -> Option<Request<'a>> {
    let ["-f", rest @ ..] = words else {
        return None;
    };
    let (names, channel) = match rest {
        [names @ .., last] if !names.is_empty() => match parse_channel(last) {
            Ok(channel) => (names, Some(channel)),
            Err(_) => (rest, None),
        },
        names => (names, None),
    };
    several::is_meant_by(names).then_some(Request::Several { names, channel })
}

fn parse_channel(word: &str) -> Result<Channel, Problem> {
    match word.to_lowercase().as_str() {
        "stdout" => Ok(Channel::Stdout),
        "stderr" => Ok(Channel::Stderr),
        word => Err(Problem::Line(format!("bad channel {}", python_repr(word)))),
    }
}

fn show(ctl: &mut Controller, request: &Request<'_>) -> Result<(), Failure> {
    match *request {
        Request::Several { names, channel } => several::follow(ctl, names, channel),
        Request::One {
            name,
            channel,
            extent: Extent::Follow,
        } => follow(ctl, &format!("/logtail/{name}/{}", channel.name())),
        Request::One {
            name,
            channel,
            extent: Extent::Last(bytes),
        } => show_last(ctl, name, channel, bytes),
    }
}

fn show_last(
    ctl: &mut Controller,
    name: &str,
    channel: Channel,
    bytes: i32,
) -> Result<(), Failure> {
    let params = [name.into(), (-bytes).into(), 0.into()];
    let answer = ctl.call(channel.read_method(), &params);
    match &answer {
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::BadName) => {
            let line = format!("{name}: ERROR (no such process name)");
            ctl.complain(line, ExitStatus::Failed)
        }
        _ => print_log(ctl, name, channel.read_method(), answer),
    }
}

/// Copies a log stream to the output until Ctrl-C.
pub(super) fn follow(ctl: &mut Controller, path: &str) -> Result<(), Failure> {
    ctl.print(BANNER)?;
    match ctl.stream(|server, out| server.follow(path, out)) {
        Err(Failure::Interrupted) => ctl.print(""),
        ended => ended,
    }
}

/// Prints a piece of a log, or why there is none.
pub(super) fn print_log(
    ctl: &mut Controller,
    name: &str,
    method: &str,
    answer: Result<Value, Failure>,
) -> Result<(), Failure> {
    let problem = match &answer {
        Err(Failure::Call(error)) => match error.fault() {
            Some(FaultCode::NoFile) => Some("no log file"),
            Some(FaultCode::Failed) => Some("unknown error reading log"),
            _ => None,
        },
        _ => None,
    };
    if let Some(problem) = problem {
        let line = format!("{name}: ERROR ({problem})");
        return ctl.complain(line, ExitStatus::Failed);
    }
    let text = answer?;
    let text = text.as_str();
    ctl.print(text.ok_or_else(|| CallError::unexpected(method))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Result<String, Problem> {
        let words: Vec<_> = line.split_whitespace().collect();
        parse(&words).map(|request| match request {
            Request::One {
                name,
                channel,
                extent,
            } => format!("{extent:?} {channel:?} {name}"),
            Request::Several { names, channel } => format!("{channel:?} {names:?}"),
        })
    }

    #[test]
    fn requests_are_read() {
        let rows = [
            ("cat", "Last(1600) Stdout cat"),
            ("cat stderr", "Last(1600) Stderr cat"),
            ("-f cat", "Follow Stdout cat"),
            ("-f cat STDERR", "Follow Stderr cat"),
            ("-f stdout", "Follow Stdout stdout"),
            ("-10 cat", "Last(10) Stdout cat"),
            ("--10 cat", "Last(-10) Stdout cat"),
            ("-99999999999 cat", "Last(2147483647) Stdout cat"),
            ("cat whatever stdout", "Last(1600) Stdout cat"),
            ("web*", "Last(1600) Stdout web*"),
            ("-f a b", r#"None ["a", "b"]"#),
            ("-f a b c", r#"None ["a", "b", "c"]"#),
            ("-f a b stderr", r#"Some(Stderr) ["a", "b"]"#),
            ("-f g:* stdout", r#"Some(Stdout) ["g:*"]"#),
            ("-f web*", r#"None ["web*"]"#),
        ];
        for (line, expected) in rows {
            assert_eq!(request(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn problems_are_found_in_supervisors_order() {
        let rows = [
            ("", Problem::Usage("too few arguments")),
            ("-1 a b c", Problem::Usage("too many arguments")),
            ("-x a foo", Problem::Line("bad channel 'foo'".to_owned())),
            ("a FOO", Problem::Line("bad channel 'foo'".to_owned())),
            ("-x", Problem::Line("tail requires process name".to_owned())),
            ("-x a", Problem::Line("bad argument -x".to_owned())),
            ("- a", Problem::Line("bad argument -".to_owned())),
        ];
        for (line, problem) in rows {
            assert_eq!(request(line), Err(problem), "{line}");
        }
    }
}
