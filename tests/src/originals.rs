//! The originals: Supervisor and superlance in a virtual environment below the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::workspace;

/// What is compared with, exactly.
const PACKAGES: [&str; 2] = ["supervisor==4.3.0", "superlance==2.0.0"];

/// One of the originals' commands, installed first if need be.
pub fn command(name: &str) -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let path = INSTALLED.get_or_init(install_once).join("bin").join(name);
    assert!(path.exists(), "the originals have no command called {name}");
    path
}

/// The virtual environment's Python, for fixtures.
pub fn python() -> PathBuf {
    command("python")
}

/// Installs under a lock; the stamp, written last, names the versions.
fn install_once() -> PathBuf {
    let home = workspace::target_dir().join("originals");
    let stamp = home.join("callboard.stamp");
    let _lock = workspace::lock("originals.lock");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&stamp).ok().as_deref() != Some(&wanted) {
        install(&home);
        fs::write(&stamp, &wanted).expect("the stamp is writable");
    }
    home
}

fn install(home: &Path) {
    run(Command::new("python3").args(["-m", "venv"]).arg(home));
    run(Command::new(home.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(PACKAGES));
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} failed");
}
