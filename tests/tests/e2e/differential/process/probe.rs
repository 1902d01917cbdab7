//! What a process inherited, read from outside.

use std::fs;

use callboard_tests::{Daemon, procfs};

/// Identity, masks, limits, directory, descriptors and environment of a process.
pub(super) fn look(daemon: &Daemon, pid: i32) -> Vec<String> {
    let session = |pid| stat_field(pid, 3);
    let mut lines = vec![
        format!(
            "leads its process group: {}",
            stat_field(pid, 2) == pid.to_string()
        ),
        format!(
            "session of the daemon: {}",
            session(pid) == session(daemon.pid())
        ),
        format!(
            "terminal and niceness: {} {}",
            stat_field(pid, 4),
            stat_field(pid, 16)
        ),
        format!("directory: {}", link(pid, "cwd")),
    ];
    lines.extend(status(pid));
    lines.extend(limits(pid));
    lines.extend(descriptors(pid));
    lines.extend(environment(daemon, pid));
    lines
}

/// A field of `/proc/pid/stat`, counted from the state.
fn stat_field(pid: i32, index: usize) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let (_, tail) = stat.rsplit_once(") ").unwrap_or_default();
    tail.split(' ').nth(index).unwrap_or_default().to_owned()
}

fn link(pid: i32, name: &str) -> String {
    fs::read_link(format!("/proc/{pid}/{name}"))
        .map(|path| path.display().to_string())
        .unwrap_or_default()
}

fn status(pid: i32) -> Vec<String> {
    const FIELDS: [&str; 10] = [
        "Umask:",
        "Uid:",
        "Gid:",
        "Groups:",
        "SigBlk:",
        "SigIgn:",
        "SigCgt:",
        "CapEff:",
        "CapBnd:",
        "NoNewPrivs:",
    ];
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let chosen = status
        .lines()
        .filter(|line| FIELDS.iter().any(|field| line.starts_with(field)));
    chosen.map(str::to_owned).collect()
}

fn limits(pid: i32) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    limits.lines().map(str::to_owned).collect()
}

/// Kinds of descriptors; equal names mean equal pipes or sockets.
fn descriptors(pid: i32) -> Vec<String> {
    let mut numbers: Vec<i32> = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let targets: Vec<_> = numbers
        .iter()
        .map(|number| link(pid, &format!("fd/{number}")))
        .collect();
    let name = |target: &String| {
        let first = targets
            .iter()
            .position(|other| other == target)
            .unwrap_or_default();
        match target.split_once(":[") {
            Some((kind, _)) => format!("{kind} {first}"),
            None => target.clone(),
        }
    };
    let lines = numbers.iter().zip(&targets);
    lines
        .map(|(number, target)| format!("descriptor {number}: {}", name(target)))
        .collect()
}

/// The whole environment; of `PATH`, which leads to the flavour's own commands, whether it is the daemon's.
fn environment(daemon: &Daemon, pid: i32) -> Vec<String> {
    let inherited = procfs::environment(daemon.pid());
    procfs::environment(pid)
        .into_iter()
        .map(|(name, value)| match name.as_str() {
            "PATH" if inherited.get("PATH") == Some(&value) => "PATH of the daemon".to_owned(),
            _ => format!("{name}={value}"),
        })
        .collect()
}
