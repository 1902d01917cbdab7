//! Resident memory, from the kernel's process table.

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

    /// Resident pages of a single process: field 2 of `statm`. The same field of `stat` is less exact.
    fn pages(&mut self, pid: i32) -> Option<i64> {
        read(&format!("/proc/{pid}/statm"), &mut self.text).ok()?;
        self.text.split(' ').nth(1)?.parse().ok()
    }

    fn family_pages(&mut self, pid: i32) -> Option<i64> {
        let text = &mut self.text;
        let table = self.table.get_or_insert_with(|| read_table(text));
        let descendants = descendants(table, pid);
        let own = self.pages(pid)?;
        // Those that have ended meanwhile use nothing.
        let pages = descendants.into_iter().filter_map(|pid| self.pages(pid));
        Some(own + pages.sum::<i64>())
    }
}

impl Memory for ProcFs {
    fn rss(&mut self, pid: i32) -> Option<i64> {
        let pages = if self.cumulative {
            self.family_pages(pid)?
        } else {
            self.pages(pid)?
        };
        Some(pages * self.page / 1024 * 1024)
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
            rows.extend(parent(text).map(|parent| Row { parent, pid }));
        }
    }
    rows.sort_unstable();
    rows
}

/// Field 4 of `/proc/<pid>/stat`. Field 2, the name in parentheses, may hold anything.
fn parent(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Children, their children and so on, without the process itself.
fn descendants(table: &[Row], pid: i32) -> Vec<i32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        next += 1;
        let first = table.partition_point(|row| row.parent < member);
        for row in table[first..].iter().take_while(|row| row.parent == member) {
            // A pid used anew while the table was read could close a circle.
            if !family.contains(&row.pid) {
                family.push(row.pid);
            }
        }
    }
    family.split_off(1)
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

    const fn row(parent: i32, pid: i32) -> Row {
        Row { parent, pid }
    }

    #[test]
    fn descendants_are_found_at_any_depth() {
        let table = [
            row(0, 1),
            row(1, 10),
            row(1, 20),
            row(10, 11),
            row(10, 12),
            row(11, 13),
        ];
        let rows: [(i32, &[i32]); 5] = [
            (10, &[11, 12, 13]),
            (11, &[13]),
            (20, &[]),
            (1, &[10, 20, 11, 12, 13]),
            (99, &[]),
        ];
        for (pid, want) in rows {
            assert_eq!(descendants(&table, pid), want, "{pid}");
        }
    }

    #[test]
    fn a_circle_is_followed_once() {
        assert_eq!(descendants(&[row(1, 2), row(2, 1)], 1), [2]);
        assert_eq!(descendants(&[row(1, 1)], 1), []);
    }

    #[test]
    fn names_may_hold_anything() {
        for name in ["sh", "a) R 1", "x (y", "(", "a\nb"] {
            let stat = format!("9 ({name}) S 7 1 1 0 -1 0");
            assert_eq!(parent(&stat), Some(7), "{name}");
        }
        assert_eq!(parent(""), None);
        assert_eq!(parent("9 (sh) S"), None);
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
        let table = family.table.as_deref().expect("the table was read");
        assert!(descendants(table, me).contains(&pid));
        child.kill().expect("cat ends");
        child.wait().expect("cat ends");
        assert_eq!(single.rss(pid), None);
        family.refresh();
        assert_eq!(family.rss(pid), None);
    }
}
