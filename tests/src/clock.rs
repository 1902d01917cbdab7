//! A time of day the tests choose, for daemons and listeners of either flavour.
//!
//! A small C library is preloaded into the process; it answers questions about the time of day, and can refuse a signal or a
//! process. Nothing that waits is disturbed, that is the monotonic clock's business, unless that is [put ahead](Clock::put_ahead).

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::workspace;

/// A clock that stands still until it is set.
pub struct Clock {
    file: File,
    path: PathBuf,
}

impl Clock {
    /// A clock whose state is in the file `clock` of a directory.
    pub fn in_dir(dir: &Path, time: Duration) -> Self {
        let path = dir.join("clock");
        let file = File::create(&path).expect("the directory is writable");
        let clock = Self { file, path };
        clock.set(time);
        clock
    }

    /// Sets it for everybody who looks at it, to a time since 1970.
    pub fn set(&self, time: Duration) {
        let nanoseconds = i64::try_from(time.as_nanos()).expect("a time of this millennium");
        self.file
            .write_all_at(&nanoseconds.to_ne_bytes(), 0)
            .expect("the file is writable");
    }

    /// Puts the monotonic clock ahead, by so much in all: who waits has waited for that much longer when it looks next.
    pub fn put_ahead(&self, time: Duration) {
        let nanoseconds = i64::try_from(time.as_nanos()).expect("a time of this millennium");
        self.file
            .write_all_at(&nanoseconds.to_ne_bytes(), 8)
            .expect("the file is writable");
    }

    /// The environment of processes that shall go by it.
    pub fn environment(&self) -> [(String, String); 2] {
        [
            ("LD_PRELOAD".to_owned(), library().display().to_string()),
            ("CLOCK_FILE".to_owned(), self.path.display().to_string()),
        ]
    }
}

/// The environment of a process that may not send a signal.
pub fn refusing_signal(number: i32) -> [(String, String); 2] {
    [
        ("LD_PRELOAD".to_owned(), library().display().to_string()),
        ("REFUSE_SIGNAL".to_owned(), number.to_string()),
    ]
}

/// The environment of a process for whose children there is no memory while the file is there.
pub fn refusing_fork(file: &Path) -> [(String, String); 2] {
    [
        ("LD_PRELOAD".to_owned(), library().display().to_string()),
        ("REFUSE_FORK".to_owned(), file.display().to_string()),
    ]
}

/// The library to preload, built once for each test executable.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let _lock = workspace::lock("callboard-clock.lock");
        let library = workspace::target_dir().join("callboard-clock.so");
        // Whoever uses the old one keeps it: the new one is another file.
        let fresh = library.with_extension("new");
        let status = Command::new("cc")
            .args([
                "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o",
            ])
            .args([&fresh, &workspace::fixtures().join("clock.c")])
            .status()
            .expect("there is a C compiler");
        assert!(status.success(), "clock.c does not compile");
        fs::rename(&fresh, &library).expect("the target directory is writable");
        library
    })
}
