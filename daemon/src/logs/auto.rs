//! AUTO logs: files in `childlogdir` that the daemon names, creates and, at its next start, removes.

use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use memchr::memmem;

/// Mode of an AUTO log, for its owner only.
pub const MODE: u32 = 0o600;

/// What the random part of a name is made of.
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
const RANDOM_CHARS: usize = 8;
/// Names that are tried before giving up.
const ATTEMPTS: usize = 100;

/// Creates an empty log `<process>-<channel>---<identifier>-<random>.log` in `directory`. It has its path also if it
/// cannot be created yet.
pub fn create(
    directory: &Path,
    process: &str,
    channel: &str,
    identifier: &str,
) -> (PathBuf, io::Result<()>) {
    let mut path = PathBuf::new();
    for _ in 0..ATTEMPTS {
        let random = random_part();
        path = directory.join(format!("{process}-{channel}---{identifier}-{random}.log"));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&path)
        {
            Ok(_) => return (path, Ok(())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return (path, Err(error)),
        }
    }
    (path, Err(ErrorKind::AlreadyExists.into()))
}

/// Removes the AUTO logs, rotated ones too, that daemons with this identifier have left in
/// `directory`. Returns Supervisor's warnings about what could not be done.
pub fn clean_up(directory: &Path, identifier: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return vec!["Could not clear childlog dir".into()];
    };
    let left_over = entries
        .flatten()
        .filter(|entry| is_auto_log(entry.file_name().as_bytes(), identifier));
    left_over
        .filter_map(|entry| {
            let path = entry.path();
            fs::remove_file(&path).err()?;
            Some(format!(
                "Failed to clean up {}",
                config::python_repr(&path.to_string_lossy())
            ))
        })
        .collect()
}

/// The prefix match of Supervisor's `.+?---<identifier>-\S+\.log\.{0,1}\d{0,4}`: whatever follows
/// `.log` belongs to it.
fn is_auto_log(name: &[u8], identifier: &str) -> bool {
    let marker = format!("---{identifier}-");
    memmem::find_iter(name, &marker).any(|position| {
        let rest = &name[position + marker.len()..];
        let word = rest
            .split(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default();
        position > 0
            && word
                .get(1..)
                .is_some_and(|word| memmem::find(word, b".log").is_some())
    })
}

/// Eight characters that nobody can foresee: a hasher's seed comes from the system's randomness.
fn random_part() -> String {
    let mut number = RandomState::new().hash_one(std::process::id());
    let base = ALPHABET.len() as u64;
    let mut part = String::with_capacity(RANDOM_CHARS);
    for _ in 0..RANDOM_CHARS {
        part.push(char::from(ALPHABET[(number % base) as usize]));
        number /= base;
    }
    part
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_log_is_empty_private_and_unique() {
        let directory = tempfile::tempdir().unwrap();
        let create = || {
            let (path, created) = create(directory.path(), "web", "stdout", "supervisor");
            created.map(|()| path).unwrap()
        };
        let (one, other) = (create(), create());
        assert_ne!(one, other);
        let metadata = fs::metadata(&one).unwrap();
        assert_eq!(
            (metadata.len(), metadata.permissions().mode() & 0o777),
            (0, 0o600)
        );
        let name = one.file_name().unwrap().to_str().unwrap();
        let random = name.strip_prefix("web-stdout---supervisor-").unwrap();
        let random = random.strip_suffix(".log").unwrap();
        assert!(random.len() == 8 && random.bytes().all(|byte| ALPHABET.contains(&byte)));
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_an_error() {
        let (path, created) = create(Path::new("/no/such"), "web", "stdout", "x");
        assert!(created.is_err() && path.starts_with("/no/such"));
        assert_eq!(
            clean_up(Path::new("/no/such"), "x"),
            ["Could not clear childlog dir"]
        );
    }

    #[test]
    fn names_are_told_apart() {
        let rows = [
            ("web-stdout---sup-abcdefgh.log", true),
            ("web-stdout---sup-abcdefgh.log.12", true),
            ("web-stdout---sup-abcdefgh.log.gz", true),
            ("a---sup-b---sup-c.log", true),
            ("web-stdout---other-abcdefgh.log", false),
            ("---sup-abcdefgh.log", false),
            ("web---sup-.log", false),
            ("web---sup-a b.log", false),
            ("web---sup-abc.txt", false),
            ("web.log", false),
        ];
        for (name, expected) in rows {
            assert_eq!(is_auto_log(name.as_bytes(), "sup"), expected, "{name}");
        }
    }

    #[test]
    fn cleaning_up_removes_what_is_ours_and_tells_what_it_cannot() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("web-stdout---sup-abcdefgh.log"), "").unwrap();
        fs::write(path("web-stdout---sup-abcdefgh.log.1"), "").unwrap();
        fs::write(path("web-stdout---two-abcdefgh.log"), "").unwrap();
        fs::create_dir(path("dir---sup-x.log")).unwrap();
        let warnings = clean_up(directory.path(), "sup");
        let stubborn = path("dir---sup-x.log");
        assert_eq!(
            warnings,
            [format!("Failed to clean up '{}'", stubborn.display())]
        );
        let mut left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        left.sort();
        assert_eq!(left, [stubborn, path("web-stdout---two-abcdefgh.log")]);
    }
}
