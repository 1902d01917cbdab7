//! Virtual environments with pinned packages, below the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

/// A program of the environment called `name`, which holds what a requirements file lists; installed first if need be.
pub fn program(name: &str, requirements: &Path, program: &str) -> PathBuf {
    let home = workspace::target_dir().join(name);
    let stamp = home.join("callboard.stamp");
    let _lock = workspace::lock(&format!("{name}.lock"));
    let wanted = fs::read_to_string(requirements).expect("the requirements are readable");
    if fs::read_to_string(&stamp).ok().as_deref() != Some(&wanted) {
        install(&home, requirements);
        // Written last.
        fs::write(&stamp, &wanted).expect("the target directory is writable");
    }
    home.join("bin").join(program)
}

fn install(home: &Path, requirements: &Path) {
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(home));
    run(Command::new(home.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .arg(requirements));
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} failed");
}
