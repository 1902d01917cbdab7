//! The pidfile: written at start, removed at exit if it still is ours.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

/// A pidfile this process has written.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes our pid and a newline, over whatever was there: Supervisor does not check either.
    pub fn write(path: &Path) -> io::Result<Self> {
        fs::write(path, contents())?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Removes the file, unless another daemon has written its own pid there meanwhile.
    pub fn remove(self) {
        if fs::read_to_string(&self.path).is_ok_and(|text| text == contents()) {
            // Nobody is left who could act on a failure.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn contents() -> String {
    format!("{}\n", process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
