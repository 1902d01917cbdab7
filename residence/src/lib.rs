//! Giving back memory that is not needed for a while.
#![allow(unsafe_code, reason = "madvise(2) and malloc_trim(3)")]

use std::fs;
use std::io;

/// Lets go of the program's code as far as it is not in use, and of free heap pages at the end. What is needed again
/// is mapped again, from the page cache: tens of small faults.
///
/// Starting touches code all over a program (configuration, sockets, log-in) that it never runs again while it waits, and
/// the kernel maps sixteen pages around each touch. So this is for daemons that have just started, and for listeners that
/// wait a minute for the next tick.
///
/// # Errors
/// When the list of mappings cannot be read.
pub fn give_back() -> io::Result<()> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    for (start, length) in maps.lines().filter_map(code) {
        // SAFETY: the range is a mapping of this process, of a file, readable and executable but not writable, so every
        // page of it can be had again as it was. Failing is harmless.
        unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
    }
    // SAFETY: the allocator looks after itself.
    unsafe { libc::malloc_trim(0) };
    Ok(())
}

/// Address and length of a mapping of code from a file: `start-end r-xp offset device inode path`.
fn code(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let is_code = fields.next()? == "r-xp";
    let is_file = fields.nth(3)?.starts_with('/');
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    (is_code && is_file).then_some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_from_files_is_given_back() {
        let rows = [
            (
                "55d0a000-55d0c000 r-xp 00002000 fe:00 12 /usr/bin/x",
                Some((0x55d0_a000, 0x2000)),
            ),
            ("55d0a000-55d0c000 r--p 00002000 fe:00 12 /usr/bin/x", None),
            ("55d0a000-55d0c000 rw-p 00002000 fe:00 12 /usr/bin/x", None),
            ("7ffd0000-7ffd2000 r-xp 00000000 00:00 0 [vdso]", None),
            ("7ffd0000-7ffd2000 r-xp 00000000 00:00 0", None),
            ("", None),
        ];
        for (line, expected) in rows {
            assert_eq!(code(line), expected, "{line}");
        }
    }

    #[test]
    fn life_goes_on() {
        give_back().unwrap();
        assert_eq!("still here".len(), 10);
    }
}
