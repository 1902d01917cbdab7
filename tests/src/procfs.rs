//! Reading the process table.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A row of the process table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Process id.
    pub pid: i32,
    /// The parent's process id.
    pub parent: i32,
    /// Process group id.
    pub group: i32,
    /// State letter, `Z` for a zombie.
    pub state: char,
    /// Name of the executable, at most 15 bytes.
    pub name: String,
}

/// All processes that can be read.
pub fn processes() -> Vec<Row> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| row(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// One row, if the process exists.
pub fn row(pid: i32) -> Option<Row> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let mut fields = tail.split_whitespace();
    Some(Row {
        pid,
        state: fields.next()?.chars().next()?,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        name: head.split_once('(')?.1.to_owned(),
    })
}

/// Whether the process exists and is no zombie.
pub fn is_alive(pid: i32) -> bool {
    row(pid).is_some_and(|row| row.state != 'Z')
}

/// Children of `parent` that have died and were not waited for.
pub fn zombies_of(parent: i32) -> Vec<Row> {
    processes()
        .into_iter()
        .filter(|row| row.parent == parent && row.state == 'Z')
        .collect()
}

/// Processes whose environment holds `entry`, a whole `NAME=value`.
///
/// Programs lead process groups of their own and may outlive their daemon; the environment they inherited
/// is what still tells whose they are.
pub fn with_environment(entry: &str) -> Vec<Row> {
    processes()
        .into_iter()
        .filter(|row| has_environment(row.pid, entry))
        .collect()
}

fn has_environment(pid: i32, entry: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|item| item == entry.as_bytes())
}

/// The environment a process was started with.
pub fn environment(pid: i32) -> BTreeMap<String, String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let pairs = text.split('\0').filter_map(|item| item.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Kills every process with `entry` in its environment, until none is left.
pub fn kill_with_environment(entry: &str) {
    loop {
        let alive = with_environment(entry);
        if alive.is_empty() {
            return;
        }
        for row in alive {
            // It may have gone since.
            let _ = kill(Pid::from_raw(row.pid), Signal::SIGKILL);
        }
    }
}
