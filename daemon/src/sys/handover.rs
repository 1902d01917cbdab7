//! Handing everything over to another program in this same process: execve(2) and what stays open.

use std::collections::HashSet;
use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, raise};
use nix::sys::stat::Mode;

/// Descriptors that came with us through execve(2), each to be taken once.
#[derive(Debug, Default)]
pub struct Inherited(HashSet<RawFd>);

impl Inherited {
    /// Takes a descriptor. `None`: it is not open, or somebody has it already.
    pub fn claim(&mut self, fd: RawFd) -> Option<OwnedFd> {
        if fd <= libc::STDERR_FILENO || !is_open(fd) || !self.0.insert(fd) {
            return None;
        }
        // SAFETY: it is open, and came from before this program began, so nothing in it owns it
        // but who has claimed it, which is nobody yet.
        Some(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// Whether the number is that of an open descriptor.
pub fn is_open(fd: RawFd) -> bool {
    flag(fd, FcntlArg::F_GETFD).is_ok()
}

/// Lets these descriptors stay open in the next program, or not.
///
/// # Errors
/// One of them is not open.
pub fn keep_across_exec(fds: &[RawFd], keep: bool) -> io::Result<()> {
    let flags = match keep {
        true => FdFlag::empty(),
        false => FdFlag::FD_CLOEXEC,
    };
    for fd in fds {
        flag(*fd, FcntlArg::F_SETFD(flags))?;
    }
    Ok(())
}

/// Another descriptor of the same open file.
///
/// # Errors
/// It is not open, or no number is left.
pub fn duplicate(fd: RawFd) -> nix::Result<OwnedFd> {
    let number = flag(fd, FcntlArg::F_DUPFD_CLOEXEC(libc::STDERR_FILENO + 1))?;
    // SAFETY: it was made this moment, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn flag(fd: RawFd, argument: FcntlArg<'_>) -> nix::Result<i32> {
    if fd < 0 {
        return Err(nix::errno::Errno::EBADF);
    }
    // SAFETY: a number that is not open is refused by the kernel; otherwise only a flag is read or
    // set, and the borrow ends with the call.
    fcntl(unsafe { BorrowedFd::borrow_raw(fd) }, argument)
}

/// A file in memory only, with this content, at its beginning.
///
/// # Errors
/// No memory or descriptor is left.
pub fn memory_file(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"state", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(content)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The program that is running, whatever has become of its file since.
///
/// # Errors
/// There is no /proc.
pub fn own_executable() -> io::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    Ok(open("/proc/self/exe", flags, Mode::empty())?)
}

/// Becomes another program.
///
/// # Errors
/// Those of execve(2); then nothing has happened.
pub fn execute(path: &CStr, argv: &[CString], envp: &[CString]) -> nix::Result<Infallible> {
    nix::unistd::execve(path, argv, envp)
}

/// Becomes the program in an open file.
///
/// # Errors
/// Those of execveat(2); then nothing has happened.
pub fn execute_file(file: &OwnedFd, argv: &[CString], envp: &[CString]) -> nix::Result<Infallible> {
    nix::unistd::fexecve(file, argv, envp)
}

/// Sends ourselves a signal that came at a bad time.
pub fn repeat_signal(number: i32) {
    if let Ok(signal) = Signal::try_from(number) {
        // A number that we ourselves have noted down.
        let _ = raise(signal);
    }
}

/// Removes a variable from the environment. To be called before there is a second thread.
pub fn forget_variable(name: &str) {
    // SAFETY: called while there is one thread, so nobody reads the environment meanwhile.
    unsafe { std::env::remove_var(name) };
}

/// Whether a path leads to the program that is running.
pub fn is_own_executable(path: &Path) -> bool {
    let identity = |path: &Path| {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    let own = identity(Path::new("/proc/self/exe"));
    own.is_some() && own == identity(path)
}

/// The number of a descriptor, for a note to the next program.
pub fn number(fd: &impl std::os::fd::AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_descriptor_is_claimed_once() {
        let file = File::open("/dev/null").unwrap();
        let fd = file.try_clone().unwrap();
        let number = std::os::fd::IntoRawFd::into_raw_fd(fd);
        let mut inherited = Inherited::default();
        let claimed = inherited.claim(number);
        assert!(claimed.is_some());
        assert!(inherited.claim(number).is_none());
        assert!(inherited.claim(1).is_none());
        assert!(inherited.claim(-1).is_none());
        assert!(!is_open(-1) && is_open(number));
    }

    #[test]
    fn descriptors_stay_or_go() {
        let file = memory_file(b"content").unwrap();
        let fd = file.as_raw_fd();
        let flags = || fcntl(&file, FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags(), FdFlag::FD_CLOEXEC.bits());
        keep_across_exec(&[fd], true).unwrap();
        assert_eq!(flags(), 0);
        keep_across_exec(&[fd], false).unwrap();
        assert_eq!(flags(), FdFlag::FD_CLOEXEC.bits());
        assert!(keep_across_exec(&[-1], true).is_err());
        let mut content = String::new();
        (&file).read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
    }

    #[test]
    fn the_running_program_is_recognised() {
        assert!(is_own_executable(&std::env::current_exe().unwrap()));
        assert!(!is_own_executable(Path::new("/bin/sh")));
        assert!(!is_own_executable(Path::new("/no/such")));
    }
}
