//! Resident memory, from the kernel's process table.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};

use nix::unistd::{SysconfVar, sysconf};

/// The page size where the system does not tell, in bytes.
const USUAL_PAGE: i64 = 4096;

/// Something that knows how much memory processes use.
pub(crate) trait Memory {
    /// Resident set size of a process in bytes, a multiple of 1024; `None`: it cannot be told, or the process is gone.
    fn rss(&mut self, pid: i32) -> Option<i64>;

    /// Time has passed: what was read is out of date.
    fn refresh(&mut self);
}

/// Memory as `/proc` shows it: the numbers `ps` prints.
#[derive(Debug)]
pub(crate) struct ProcFs {
    page: i64,
    cumulative: bool,
    /// All processes, read when first asked for; only for cumulative numbers.
    table: Option<Vec<Row>>,
    /// Files of `/proc` are read into here.
    text: String,
}

/// A process in the kernel's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    parent: i32,
    pid: i32,
    /// Resident pages.
    pages: i64,
}

impl ProcFs {
    /// Numbers of single processes or, `cumulative`, of processes with all their descendants.
    pub(crate) fn new(cumulative: bool) -> Self {
        let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
        Self {
            page: page.unwrap_or(USUAL_PAGE),
            cumulative,
            table: None,
            text: String::new(),
        }
    }

    fn pages(&mut self, pid: i32) -> Option<i64> {
        if self.cumulative {
            let text = &mut self.text;
            let table = self.table.get_or_insert_with(|| read_table(text));
            return family_pages(table, pid);
        }
        read(&format!("/proc/{pid}/statm"), &mut self.text).ok()?;
        self.text.split(' ').nth(1)?.parse().ok()
    }
}

impl Memory for ProcFs {
    fn rss(&mut self, pid: i32) -> Option<i64> {
        Some(self.pages(pid)? * self.page / 1024 * 1024)
    }

    fn refresh(&mut self) {
        self.table = None;
    }
}

/// Reads all processes, sorted by parent. Those that end meanwhile are left out.
fn read_table(text: &mut String) -> Vec<Row> {
    let mut rows = Vec::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return rows;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if read(&format!("/proc/{pid}/stat"), text).is_ok() {
            rows.extend(parse_stat(pid, text));
        }
    }
    rows.sort_unstable();
    rows
}

/// Reads parent and resident pages, fields 4 and 24 of `/proc/<pid>/stat`. Field 2, the name in parentheses, may hold anything.
fn parse_stat(pid: i32, stat: &str) -> Option<Row> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    Some(Row {
        parent: fields.nth(1)?.parse().ok()?,
        pid,
        pages: fields.nth(19)?.parse().ok()?,
    })
}

/// Pages of a process and all its descendants; `None`: there is no such process.
fn family_pages(table: &[Row], pid: i32) -> Option<i64> {
    let root = table.iter().find(|row| row.pid == pid)?;
    let mut total = 0;
    let mut seen = HashSet::from([root.pid]);
    let mut pending = vec![*root];
    while let Some(member) = pending.pop() {
        total += member.pages;
        let first = table.partition_point(|row| row.parent < member.pid);
        let children = table[first..]
            .iter()
            .take_while(|row| row.parent == member.pid);
        // A pid used anew while the table was read could close a circle.
        pending.extend(children.filter(|row| seen.insert(row.pid)));
    }
    Some(total)
}

fn read(path: &str, text: &mut String) -> io::Result<()> {
    text.clear();
    let mut bytes = std::mem::take(text).into_bytes();
    File::open(path)?.read_to_end(&mut bytes)?;
    *text = String::from_utf8(bytes).unwrap_or_else(|error| {
        // Only a process's name is not ASCII.
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    const TABLE: [Row; 6] = [
        row(0, 1, 100),
        row(1, 10, 1),
        row(1, 20, 2),
        row(10, 11, 4),
        row(10, 12, 8),
        row(11, 13, 16),
    ];

    const fn row(parent: i32, pid: i32, pages: i64) -> Row {
        Row { parent, pid, pages }
    }

    #[test]
    fn a_family_is_a_process_and_its_descendants() {
        let rows = [
            (10, Some(29)),
            (11, Some(20)),
            (20, Some(2)),
            (1, Some(131)),
            (99, None),
        ];
        for (pid, want) in rows {
            assert_eq!(family_pages(&TABLE, pid), want, "{pid}");
        }
    }

    #[test]
    fn a_circle_is_counted_once() {
        assert_eq!(family_pages(&[row(1, 2, 7), row(2, 1, 5)], 1), Some(12));
        assert_eq!(family_pages(&[row(1, 1, 5)], 1), Some(5));
    }

    #[test]
    fn names_may_hold_anything() {
        let rest = "S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 1000 42 0 0";
        for name in ["sh", "a) R 1", "x (y", "(", "a\nb"] {
            let stat = format!("9 ({name}) {rest}");
            assert_eq!(parse_stat(9, &stat), Some(row(7, 9, 42)), "{name}");
        }
        assert_eq!(parse_stat(9, ""), None);
        assert_eq!(parse_stat(9, "9 (sh) S 7"), None);
    }

    #[test]
    fn a_child_adds_to_its_parents_family() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("cat runs");
        let pid = child.id().cast_signed();
        let me = std::process::id().cast_signed();
        let (mut single, mut family) = (ProcFs::new(false), ProcFs::new(true));
        let own = single.rss(me).expect("this process is there");
        assert!(own > 0 && own % 1024 == 0);
        assert!(family.rss(me).expect("this process is there") > 0);
        let rows = family.table.as_deref().expect("the table was read");
        assert!(rows.iter().any(|row| row.pid == pid && row.parent == me));
        child.kill().expect("cat ends");
        child.wait().expect("cat ends");
        assert_eq!(single.rss(pid), None);
        family.refresh();
        assert_eq!(family.rss(pid), None);
    }
}
