//! The pidfile: written at start, removed at exit if it still is ours.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use super::links;

/// A pidfile this process has written.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes our pid and a newline, over whatever was there: Supervisor does not check either.
    ///
    /// An existing file keeps its owner and mode, and it keeps its content if writing fails: it is
    /// cut to its new length only afterwards. A new file goes away again if it cannot be written.
    pub fn write(path: &Path) -> io::Result<Self> {
        let created = OpenOptions::new().write(true).create_new(true).open(path);
        match created {
            Ok(file) => {
                fill(file).inspect_err(|_| {
                    // What went wrong first is what is told.
                    let _ = fs::remove_file(path);
                })?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // Created after all if it is a link that leads nowhere.
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(false);
                fill(links::open(path, &options, 0)?)?;
            }
            Err(error) => return Err(error),
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// One that this process has written, before it became another program.
    pub fn known(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Removes the file, unless another daemon has written its own pid there meanwhile.
    pub fn remove(self) {
        if fs::read_to_string(&self.path).is_ok_and(|text| text == contents()) {
            // Nobody is left who could act on a failure.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn fill(mut file: File) -> io::Result<()> {
    let text = contents();
    file.write_all(text.as_bytes())?;
    match file.metadata()?.is_file() {
        true => file.set_len(text.len() as u64),
        false => Ok(()),
    }
}

fn contents() -> String {
    format!("{}\n", process::id())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

    use super::*;
    use crate::sys::testing::in_own_process;

    #[test]
    fn is_removed_only_while_it_is_ours() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pid");
        fs::write(&path, "1\nleft over").unwrap();
        let pidfile = PidFile::write(&path).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{}\n", process::id())
        );
        pidfile.remove();
        assert!(!path.exists());
        let pidfile = PidFile::write(&path).unwrap();
        fs::write(&path, "1\n").unwrap();
        pidfile.remove();
        assert!(path.exists());
        assert!(PidFile::write(&directory.path().join("missing/pid")).is_err());
    }
    #[test]
    fn a_file_that_is_there_already_stays_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "1\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for _ in 0..2 {
            PidFile::write(&link).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), contents());
            // The second time there is nothing at the end of the link.
            fs::remove_file(&file).unwrap();
        }
        assert!(link.is_symlink());
        PidFile::write(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn a_full_disk_costs_nothing_that_was_there() {
        in_own_process(
            "sys::pidfile::tests::a_full_disk_costs_nothing_that_was_there",
            || {
                let directory = tempfile::tempdir().unwrap();
                let (old, new) = (directory.path().join("old"), directory.path().join("new"));
                fs::write(&old, "1\n").unwrap();
                // No file may get any byte: the nearest thing to a full disk that needs no root.
                let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
                // SAFETY: ignoring a signal runs no code.
                unsafe { sigaction(Signal::SIGXFSZ, &ignore) }.unwrap();
                let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
                setrlimit(Resource::RLIMIT_FSIZE, 0, hard).unwrap();
                let written = [&old, &new].map(|path| PidFile::write(path).is_ok());
                let kept = fs::read_to_string(&old).unwrap();
                setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
                assert_eq!((written, kept.as_str()), ([false, false], "1\n"));
                assert!(!new.exists());
            },
        );
    }
}
