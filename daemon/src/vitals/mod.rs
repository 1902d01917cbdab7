//! What processes use of the machine, read from procfs when somebody wants to know; proc(5).
//!
//! Nothing is sampled while nobody looks: an idle daemon stays idle.

mod pace;
mod stat;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

pub use pace::Pace;
use stat::Stat;

/// What one process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Resident memory in bytes.
    pub memory: u64,
    /// CPU time so far, in user and kernel mode.
    pub cpu: Duration,
    /// Open descriptors; `None` where we may not look or did not.
    pub descriptors: Option<u32>,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// One file is read.
    Quick,
    /// Descriptors are counted as well, which takes several times as long.
    Descriptors,
}

/// The units in which procfs counts.
#[derive(Debug, Clone, Copy)]
pub struct Units {
    /// Bytes in a page.
    page: u64,
    /// Clock ticks in a second.
    ticks: u64,
}

impl Units {
    /// Those of this machine.
    pub fn of_this_machine() -> Self {
        use nix::unistd::{SysconfVar, sysconf};
        let ask = |variable, usual| match sysconf(variable) {
            Ok(Some(value)) => u64::try_from(value).unwrap_or(usual).max(1),
            _ => usual,
        };
        Self {
            page: ask(SysconfVar::PAGE_SIZE, 4096),
            ticks: ask(SysconfVar::CLK_TCK, 100),
        }
    }

    fn bytes(self, pages: u64) -> u64 {
        pages.saturating_mul(self.page)
    }

    fn time(self, ticks: u64) -> Duration {
        let (whole, rest) = (ticks / self.ticks, ticks % self.ticks);
        Duration::from_secs(whole) + Duration::from_nanos(rest * 1_000_000_000 / self.ticks)
    }
}

/// What the process `pid` uses now.
///
/// # Errors
/// When procfs does not show it: it has gone, or procfs hides it.
pub fn usage_of(pid: i32, units: Units, detail: Detail) -> io::Result<Usage> {
    let mut buffer = [0; STAT_BYTES];
    let line = read_stat(pid, &mut buffer)?;
    let stat = Stat::parse(line).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Usage {
        memory: units.bytes(stat.resident_pages),
        cpu: units.time(stat.user_ticks.saturating_add(stat.system_ticks)),
        descriptors: match detail {
            Detail::Quick => None,
            Detail::Descriptors => descriptors_of(pid),
        },
    })
}

/// More than a line of `/proc/PID/stat` takes: 52 numbers and a short name.
const STAT_BYTES: usize = 2048;

/// Reads the line without touching the heap: a scrape reads thousands.
fn read_stat(pid: i32, buffer: &mut [u8; STAT_BYTES]) -> io::Result<&[u8]> {
    let mut path = [0; 32];
    let mut rest = &mut path[..];
    write!(rest, "/proc/{pid}/stat")?;
    let unused = rest.len();
    let length = path.len() - unused;
    let path = std::str::from_utf8(&path[..length]).map_err(|_| io::ErrorKind::InvalidInput)?;
    // procfs gives the whole line at once.
    let length = File::open(path)?.read(buffer)?;
    Ok(&buffer[..length])
}

/// Open descriptors of a process; `None` where we may not look.
pub fn descriptors_of(pid: i32) -> Option<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    u32::try_from(entries.count()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let pid = std::process::id().cast_signed();
        let units = Units::of_this_machine();
        let usage = usage_of(pid, units, Detail::Descriptors).unwrap();
        assert!(usage.memory > 100_000, "{usage:?}");
        assert!(
            usage.descriptors.is_some_and(|count| count > 2),
            "{usage:?}"
        );
        let quick = usage_of(pid, units, Detail::Quick).unwrap();
        assert_eq!(quick.descriptors, None);
    }

    #[test]
    fn ticks_become_time() {
        let units = Units {
            page: 4096,
            ticks: 100,
        };
        assert_eq!(units.time(1_234), Duration::from_millis(12_340));
        assert_eq!(units.bytes(3), 12_288);
    }

    #[test]
    fn who_has_gone_uses_nothing() {
        assert!(usage_of(i32::MAX, Units::of_this_machine(), Detail::Quick).is_err());
    }
}
