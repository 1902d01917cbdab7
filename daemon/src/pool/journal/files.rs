//! The files of a pool: a lock and numbered segments, whose names begin alike.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::format::MAGIC;

/// Events are nobody else's business.
const MODE: u32 = 0o600;

/// Digits of a segment's number in its name.
const DIGITS: usize = 10;

/// Where the files are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The lock; the segments are `<lock>.0000000001` and so on.
    lock: PathBuf,
}

/// Keeps other daemons out.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing is not enough: a process that is just being started may have the file open, too.
    fn drop(&mut self) {
        // The lock goes with the last of them in any case.
        let _ = self.0.unlock();
    }
}

impl Files {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            lock: path.to_owned(),
        }
    }

    /// The path of a segment.
    pub(super) fn segment(&self, number: u64) -> PathBuf {
        let mut name = self.lock.clone().into_os_string();
        name.push(format!(".{number:0DIGITS$}"));
        PathBuf::from(name)
    }

    /// The directory of all of them.
    pub(super) fn directory(&self) -> &Path {
        match self.lock.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// Makes them ours.
    ///
    /// # Errors
    /// When they belong to another daemon, or the file is something else.
    pub(super) fn lock(&self) -> io::Result<Lock> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(MODE)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open(&self.lock)?;
        regular(&file)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another daemon uses it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut start = Vec::new();
        let length = MAGIC.len() as u64;
        (&mut file).take(length).read_to_end(&mut start)?;
        if start.is_empty() {
            file.write_all(MAGIC)?;
        } else if !MAGIC.starts_with(&start) {
            return Err(io::Error::other(
                "it is no file of a pool, or of another version",
            ));
        }
        Ok(Lock(file))
    }

    /// The numbers of the segments there are, in order.
    pub(super) fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut prefix = self
            .lock
            .file_name()
            .map(OsString::from)
            .unwrap_or_default();
        prefix.push(".");
        let mut numbers = Vec::new();
        for entry in fs::read_dir(self.directory())? {
            let name = entry?.file_name();
            let digits = name
                .as_encoded_bytes()
                .strip_prefix(prefix.as_encoded_bytes())
                .filter(|rest| rest.len() >= DIGITS && rest.iter().all(u8::is_ascii_digit));
            let number: Option<u64> =
                digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Creates a segment that is not there yet.
    pub(super) fn create(&self, number: u64) -> io::Result<File> {
        OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(MODE)
            .open(self.segment(number))
    }

    /// Opens a segment to read.
    pub(super) fn open(&self, number: u64) -> io::Result<File> {
        self.open_with(number, OpenOptions::new().read(true))
    }

    /// Opens a segment to go on with, after its first bytes.
    pub(super) fn resume(&self, number: u64, length: u64) -> io::Result<File> {
        let file = self.open_with(number, OpenOptions::new().append(true))?;
        if file.metadata()?.len() != length {
            file.set_len(length)?;
        }
        Ok(file)
    }

    /// Opens a segment to change what is in it.
    pub(super) fn rewrite(&self, number: u64) -> io::Result<File> {
        self.open_with(number, OpenOptions::new().write(true))
    }

    /// Opening a FIFO of such a name must not wait for its other end.
    fn open_with(&self, number: u64, options: &mut OpenOptions) -> io::Result<File> {
        let path = self.segment(number);
        let file = options.custom_flags(nix::libc::O_NONBLOCK).open(&path);
        file.and_then(|file| regular(&file).map(|()| file))
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Removes a segment; one that is not there will do.
    pub(super) fn remove(&self, number: u64) -> io::Result<()> {
        match fs::remove_file(self.segment(number)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

fn regular(file: &File) -> io::Result<()> {
    match file.metadata()?.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn files() -> (tempfile::TempDir, Files) {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new(&directory.path().join("pool.events"));
        (directory, files)
    }

    #[test]
    fn one_daemon_at_a_time() {
        let (_directory, files) = files();
        let lock = files.lock().unwrap();
        let refused = files.lock().unwrap_err();
        assert_eq!(refused.to_string(), "another daemon uses it");
        let mode = lock.0.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let inherited = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(files.lock().is_ok());
        drop(inherited);
    }

    #[test]
    fn the_file_of_somebody_else_is_left_alone() {
        let (_directory, files) = files();
        fs::write(&files.lock, "precious").unwrap();
        assert!(files.lock().is_err());
        assert_eq!(fs::read_to_string(&files.lock).unwrap(), "precious");
        assert!(Files::new(files.directory()).lock().is_err());
    }

    #[test]
    fn segments_are_found_among_others() {
        let (directory, files) = files();
        for number in [7, 3, 12_345_678_901] {
            files.create(number).unwrap();
        }
        for other in [
            "pool.events.1",
            "pool.events.x000000001",
            "other.0000000001",
        ] {
            fs::write(directory.path().join(other), "").unwrap();
        }
        assert_eq!(files.numbers().unwrap(), [3, 7, 12_345_678_901]);
        assert!(files.create(7).is_err());
        files.remove(7).unwrap();
        files.remove(7).unwrap();
        assert_eq!(files.numbers().unwrap(), [3, 12_345_678_901]);
    }

    #[test]
    fn a_fifo_named_like_a_segment_is_refused_at_once() {
        let (_directory, files) = files();
        let mode = nix::sys::stat::Mode::S_IRWXU;
        nix::unistd::mkfifo(&files.segment(1), mode).unwrap();
        for error in [files.open(1).unwrap_err(), files.resume(1, 0).unwrap_err()] {
            // There is no reader, which is said first where one writes.
            let text = error.to_string();
            assert!(text.contains("pool.events.0000000001: "), "{text}");
        }
        assert!(
            files
                .open(1)
                .unwrap_err()
                .to_string()
                .ends_with("it is not a regular file")
        );
    }
}
