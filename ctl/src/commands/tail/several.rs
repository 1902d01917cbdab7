//! `tail -f` of several processes at once.

use client::ProcessInfo;
use config::python_repr;
use protocol::namespec::Namespec;

use super::{BANNER, Channel};
use crate::controller::Controller;
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::labels::Labels;
use crate::selection::{each_once, is_pattern};

/// Whether words of `tail -f` mean more than one log: several names, a group, wildcards.
pub(super) fn is_meant_by(names: &[&str]) -> bool {
    match names {
        [name] => is_pattern(name) || Namespec::parse(name).process.is_none(),
        names => names.len() > 1,
    }
}

/// Follows the logs of several processes, their lines labelled, until Ctrl-C. Without a channel both are followed.
pub(super) fn follow(
    ctl: &mut Controller,
    names: &[&str],
    channel: Option<Channel>,
) -> Result<(), Failure> {
    let processes = ctl.processes()?;
    let (found, unknown) = each_once(&processes, names);
    if let ([_, second], None) = (names, channel)
        && unknown.contains(second)
    {
        // What Supervisor makes of two names.
        let line = format!("Error: bad channel {}", python_repr(&second.to_lowercase()));
        return ctl.complain(line, ExitStatus::Failed);
    }
    for name in unknown {
        let line = format!("{name}: ERROR (no such process name)");
        ctl.complain(line, ExitStatus::Failed)?;
    }
    let mut logs = Vec::new();
    for info in found {
        let before = logs.len();
        logs.extend(logs_of(info, channel));
        if logs.len() == before {
            let line = format!("{}: ERROR (no log file)", info.namespec());
            ctl.complain(line, ExitStatus::Failed)?;
        }
    }
    match logs.is_empty() {
        true => Ok(()),
        false => copy(ctl, &logs),
    }
}

/// A log to follow.
struct Log {
    label: String,
    path: String,
}

/// The logs of a process that exist.
fn logs_of(info: &ProcessInfo, wanted: Option<Channel>) -> impl Iterator<Item = Log> {
    let files = [
        (Channel::Stdout, &info.stdout_logfile),
        (Channel::Stderr, &info.stderr_logfile),
    ];
    let files = files.into_iter().filter(move |(channel, file)| {
        !file.is_empty() && wanted.is_none_or(|wanted| wanted == *channel)
    });
    files.map(move |(channel, _)| {
        let (name, channel) = (info.namespec(), channel.name());
        Log {
            path: format!("/logtail/{name}/{channel}"),
            label: match wanted {
                Some(_) => name,
                None => format!("{name} {channel}"),
            },
        }
    })
}

fn copy(ctl: &mut Controller, logs: &[Log]) -> Result<(), Failure> {
    ctl.print(BANNER)?;
    let paths: Vec<_> = logs.iter().map(|log| log.path.clone()).collect();
    let mut labels = Labels::new(logs.iter().map(|log| log.label.as_str()));
    let ended = ctl.stream(|server, out| {
        let ended = server.follow_all(&paths, &mut |log, piece| {
            labels.write(log, piece, out).map_err(Failure::Output)
        });
        labels.finish(out).map_err(Failure::Output)?;
        ended
    });
    match ended {
        Err(Failure::Interrupted) => ctl.print(""),
        ended => ended,
    }
}
