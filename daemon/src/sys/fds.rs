//! Descriptors: pipes to children, and keeping everything else away from them.
//!
//! Every descriptor of the daemon is close-on-exec. What it inherited is made so at start
//! ([`protect_inherited`]).

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::unistd::pipe2;

/// The first descriptor beyond standard input, output and error.
pub(super) const FIRST_OWN: RawFd = 3;

/// The two ends of a pipe between the daemon and a child.
#[derive(Debug)]
pub struct ChildPipe {
    /// The daemon's end: non-blocking.
    pub ours: OwnedFd,
    /// The child's end: blocking, as programs expect their standard streams.
    pub theirs: OwnedFd,
}

/// A pipe for a child's stdout or stderr: we read, it writes.
pub fn output_pipe() -> nix::Result<ChildPipe> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    set_nonblocking(read.as_fd())?;
    Ok(ChildPipe {
        ours: read,
        theirs: write,
    })
}

/// A pipe for a child's stdin: it reads, we write.
pub fn input_pipe() -> nix::Result<ChildPipe> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    set_nonblocking(write.as_fd())?;
    Ok(ChildPipe {
        ours: write,
        theirs: read,
    })
}

/// Gives a pipe room for 1 MiB, the most that everybody may have, pipe(7); tells whether that was
/// possible. Memory is used only for what is in it.
pub fn enlarge_pipe(pipe: BorrowedFd<'_>) -> bool {
    const LARGE: i32 = 1024 * 1024;
    fcntl(pipe, FcntlArg::F_SETPIPE_SZ(LARGE)).is_ok()
}

/// Makes reads and writes fail with EAGAIN where they would wait.
///
/// The flag belongs to the open file: duplicates, in other processes too, share it.
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Whether there are descriptors left for what every daemon needs.
///
/// # Errors
/// There are not.
pub fn are_available() -> io::Result<()> {
    const FEW: usize = 16;
    let some: io::Result<Vec<File>> = (0..FEW).map(|_| File::open("/dev/null")).collect();
    some.map(drop)
}

/// Opens /dev/null for 0, 1 and 2 where they were closed, so that nothing else gets these numbers.
///
/// Rust's runtime does so before `main`, but does not promise it.
pub fn open_missing_standard() -> io::Result<()> {
    loop {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        if null.as_raw_fd() >= FIRST_OWN {
            return Ok(());
        }
        fcntl(&null, FcntlArg::F_SETFD(FdFlag::empty()))?;
        // Stays open for good.
        let _ = null.into_raw_fd();
    }
}

/// Keeps inherited descriptors from reaching children: all but 0, 1 and 2 become close-on-exec.
pub fn protect_inherited() -> io::Result<()> {
    if close_range_cloexec(FIRST_OWN).is_ok() {
        return Ok(());
    }
    // Kernels before 5.11.
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        match name.to_str().and_then(|name| name.parse::<RawFd>().ok()) {
            Some(fd) if fd >= FIRST_OWN => {
                // SAFETY: listed a moment ago by the kernel as open, and this thread closes
                // nothing meanwhile; the borrow ends with the call.
                let fd = unsafe { BorrowedFd::borrow_raw(fd) };
                let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
            }
            _ => {}
        }
    }
    Ok(())
}

fn close_range_cloexec(first: RawFd) -> nix::Result<()> {
    // SAFETY: with CLOSE_RANGE_CLOEXEC the call only sets flags, no descriptor is closed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    nix::errno::Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::os::fd::FromRawFd;

    use super::*;
    use crate::sys::testing::in_own_process;

    #[test]
    fn only_our_end_of_a_pipe_is_nonblocking() {
        for pipe in [output_pipe().unwrap(), input_pipe().unwrap()] {
            let flags =
                |fd: &OwnedFd| OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL).unwrap());
            assert!(flags(&pipe.ours).contains(OFlag::O_NONBLOCK));
            assert!(!flags(&pipe.theirs).contains(OFlag::O_NONBLOCK));
            for end in [&pipe.ours, &pipe.theirs] {
                assert_eq!(
                    fcntl(end, FcntlArg::F_GETFD).unwrap(),
                    FdFlag::FD_CLOEXEC.bits()
                );
            }
        }
    }

    #[test]
    fn pipes_point_the_right_way() {
        let output = output_pipe().unwrap();
        let (mut ours, mut theirs) = (fs::File::from(output.ours), fs::File::from(output.theirs));
        assert_eq!(
            ours.read(&mut [0]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        theirs.write_all(b"x").unwrap();
        assert_eq!(ours.read(&mut [0; 4]).unwrap(), 1);
        let input = input_pipe().unwrap();
        let (mut ours, mut theirs) = (fs::File::from(input.ours), fs::File::from(input.theirs));
        ours.write_all(b"yz").unwrap();
        assert_eq!(theirs.read(&mut [0; 4]).unwrap(), 2);
    }

    #[test]
    fn inherited_descriptors_become_close_on_exec() {
        in_own_process(
            "sys::fds::tests::inherited_descriptors_become_close_on_exec",
            || {
                let null = fs::File::open("/dev/null").unwrap();
                // SAFETY: dup returns a new descriptor that nobody else owns.
                let leaked = unsafe { OwnedFd::from_raw_fd(libc::dup(null.as_raw_fd())) };
                assert_eq!(fcntl(&leaked, FcntlArg::F_GETFD).unwrap(), 0);
                protect_inherited().unwrap();
                assert_eq!(
                    fcntl(&leaked, FcntlArg::F_GETFD).unwrap(),
                    FdFlag::FD_CLOEXEC.bits()
                );
                assert_eq!(fcntl(io::stdout(), FcntlArg::F_GETFD).unwrap(), 0);
            },
        );
    }

    #[test]
    fn closed_standard_descriptors_become_dev_null() {
        in_own_process(
            "sys::fds::tests::closed_standard_descriptors_become_dev_null",
            || {
                let before = io::stdout().as_fd().try_clone_to_owned().unwrap();
                let name = |fd: i32| fs::read_link(format!("/proc/self/fd/{fd}"));
                for fd in [0, 2] {
                    // SAFETY: nothing writes to them before they are open again.
                    unsafe { libc::close(fd) };
                    assert!(name(fd).is_err());
                }
                open_missing_standard().unwrap();
                for fd in [0, 2] {
                    assert_eq!(name(fd).unwrap().to_str(), Some("/dev/null"));
                }
                assert_eq!(name(1).unwrap(), name(before.as_raw_fd()).unwrap());
            },
        );
    }
}
