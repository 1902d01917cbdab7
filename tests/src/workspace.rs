//! Where things are: sources, target directory, the workspace's own binaries.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a workspace member")
}

/// Scripts and files the suites use as they are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The directory with the binaries of the running profile, such as `target/debug`.
///
/// A test executable lies in `<target>/<profile>/deps`, a command in `<target>/<profile>`.
fn profile_dir() -> PathBuf {
    let exe = env::current_exe().expect("a test knows its executable");
    let mut directory = exe.parent().expect("it lies in a directory");
    if directory.ends_with("deps") {
        directory = directory.parent().expect("deps lies in the profile");
    }
    directory.to_path_buf()
}

/// The target directory of the running build.
pub fn target_dir() -> PathBuf {
    profile_dir()
        .parent()
        .expect("the profile lies in the target directory")
        .to_path_buf()
}

/// One of the workspace's binaries, built first if this run has not done so yet.
///
/// Cargo does not rebuild other members' binaries for this package's tests: without this a clean run finds
/// none, and a later one an old one.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<bool> = OnceLock::new();
    assert!(
        BUILT.get_or_init(build_once_per_run),
        "the workspace's binaries do not build"
    );
    let path = profile_dir().join(name);
    assert!(
        path.exists(),
        "the workspace builds no binary called {name}"
    );
    path
}

/// Builds unless a sibling test process of the same nextest run did; answers whether that worked.
fn build_once_per_run() -> bool {
    let stamp = target_dir().join("callboard-tests.run");
    let run = env::var("NEXTEST_RUN_ID").ok();
    let _lock = lock("callboard-tests.lock");
    if run.is_some() && fs::read_to_string(&stamp).ok() == run {
        return true;
    }
    let built = build();
    if let Some(run) = run.filter(|_| built) {
        fs::write(&stamp, run).expect("the target directory is writable");
    }
    built
}

fn build() -> bool {
    let directory = profile_dir();
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bins",
            "--profile",
            profile,
            "--target-dir",
        ])
        .arg(target_dir())
        .current_dir(root())
        .status()
        .expect("cargo runs")
        .success()
}

/// Takes a lock among processes by a file of the target directory; dropping the file releases it.
pub fn lock(name: &str) -> File {
    let path = target_dir().join(name);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .expect("the lock file opens");
    file.lock().expect("the lock file can be locked");
    file
}
