//! `mstart`, `mstop` and `mrestart`, as the plug-in supervisor-wildcards has them: patterns for names of processes,
//! whatever their groups.

use client::ProcessInfo;

use super::{Command, Completes, restart, start, stop};
use crate::controller::{Controller, Flow};
use crate::failure::Failure;
use protocol::glob;

pub(super) const MSTART: Command = Command {
    name: "mstart",
    help: "mstart <pattern> [...]\tStart every process whose name matches: mstart 'web*'\n\
           \t\t\tA pattern with a colon is for group:name",
    completes: Completes::Processes,
    run: |ctl, args| run(ctl, args, start::start),
};

pub(super) const MSTOP: Command = Command {
    name: "mstop",
    help: "mstop <pattern> [...]\tStop every process whose name matches: mstop 'web*'\n\
           \t\t\tA pattern with a colon is for group:name",
    completes: Completes::Processes,
    run: |ctl, args| run(ctl, args, stop::stop),
};

pub(super) const MRESTART: Command = Command {
    name: "mrestart",
    help: "mrestart <pattern> [...]\tStop and start every process whose name matches: mrestart 'web*'\n\
           \t\t\tA pattern with a colon is for group:name",
    completes: Completes::Processes,
    run: |ctl, args| run(ctl, args, restart::restart),
};

/// Acts on everything that matches. That nothing does is no problem for the exit status, as with the plug-in.
fn run(
    ctl: &mut Controller,
    args: &str,
    act: fn(&mut Controller, &[&str]) -> Result<(), Failure>,
) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let patterns: Vec<_> = args.split_whitespace().collect();
    let processes = ctl.processes()?;
    let names = matching(&processes, &patterns);
    if names.is_empty() {
        ctl.print("No process matched given expression.")?;
        return Ok(Flow::Continue);
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    act(ctl, &names)?;
    Ok(Flow::Continue)
}

/// The full names of the processes that match any of the patterns, in the server's order.
fn matching(processes: &[ProcessInfo], patterns: &[&str]) -> Vec<String> {
    let patterns = match patterns.contains(&"all") {
        true => &["*"],
        false => patterns,
    };
    let matched = processes.iter().filter(|info| {
        let full = full_name(info);
        patterns.iter().any(|pattern| {
            let name = match pattern.contains(':') {
                true => &full,
                false => &info.name,
            };
            glob::matches(pattern, name)
        })
    });
    matched.map(full_name).collect()
}

fn full_name(info: &ProcessInfo) -> String {
    format!("{}:{}", info.group, info.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_for_names_without_the_group() {
        let names = [("web", "web"), ("g", "web_1"), ("web2", "x"), ("g", "y")];
        let processes = names.map(|(group, name)| ProcessInfo {
            group: group.into(),
            name: name.into(),
            ..ProcessInfo::default()
        });
        let rows: [(&[&str], &str); 7] = [
            (&["web*"], "web:web g:web_1"),
            (&["web", "y", "*"], "web:web g:web_1 web2:x g:y"),
            (&["y", "web"], "web:web g:y"),
            (&["g:*"], "g:web_1 g:y"),
            (&["n", "all"], "web:web g:web_1 web2:x g:y"),
            (&["n*"], ""),
            (&[], ""),
        ];
        for (patterns, expected) in rows {
            let matched = matching(&processes, patterns);
            assert_eq!(matched.join(" "), expected, "{patterns:?}");
        }
    }
}
