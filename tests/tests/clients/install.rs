//! Clients of Supervisor from the package registries, as published: a virtual environment and a `node_modules` below
//! the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use callboard_tests::workspace;

/// Bundles the collection with the supervisorctl module; nothing smaller does.
const ANSIBLE: &str = "ansible==12.3.0";

const PIP: &[&str] = &["-m", "pip", "--quiet", "--disable-pip-version-check"];

/// One of the programs of the virtual environment.
pub(crate) fn python(program: &str) -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let files = [fixture("requirements.txt"), fixture("module.py")];
    let home = INSTALLED.get_or_init(|| once("clients-python", &files, install_python));
    home.join("bin").join(program)
}

/// Where Ansible finds its collections.
pub(crate) fn collections() -> PathBuf {
    python("").join("../collections")
}

/// Where Node finds its packages.
pub(crate) fn node_modules() -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let files = [fixture("package.json"), fixture("package-lock.json")];
    let home = INSTALLED.get_or_init(|| once("clients-node", &files, install_node));
    home.join("node_modules")
}

/// A file of these suites.
pub(crate) fn fixture(name: &str) -> PathBuf {
    workspace::fixtures().join("clients").join(name)
}

/// Installs under a lock, unless the stamp, written last, holds what the files say.
fn once(name: &str, files: &[PathBuf], install: fn(&Path)) -> PathBuf {
    let home = workspace::target_dir().join(name);
    let stamp = home.join("callboard.stamp");
    let _lock = workspace::lock(&format!("{name}.lock"));
    let read = |path: &PathBuf| fs::read_to_string(path).expect("the fixture is readable");
    let wanted: String = files.iter().map(read).chain([ANSIBLE.to_owned()]).collect();
    if fs::read_to_string(&stamp).ok().as_deref() != Some(&wanted) {
        fs::create_dir_all(&home).expect("the target directory is writable");
        install(&home);
        fs::write(&stamp, &wanted).expect("the stamp is writable");
    }
    home
}

fn install_python(home: &Path) {
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(home));
    let python = home.join("bin/python");
    run(Command::new(&python)
        .args(PIP)
        .args(["install", "--requirement"])
        .arg(fixture("requirements.txt")));
    let wheels = home.join("wheels");
    run(Command::new(&python)
        .args(PIP)
        .args(["download", "--no-deps", ANSIBLE, "--dest"])
        .arg(&wheels));
    for wheel in fs::read_dir(&wheels).expect("pip made it").flatten() {
        run(Command::new(&python)
            .arg(fixture("module.py"))
            .arg(wheel.path())
            .arg(home.join("collections")));
    }
    fs::remove_dir_all(&wheels).expect("the target directory is writable");
}

fn install_node(home: &Path) {
    for name in ["package.json", "package-lock.json"] {
        fs::copy(fixture(name), home.join(name)).expect("the target directory is writable");
    }
    run(Command::new("npm")
        .args([
            "ci",
            "--silent",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ])
        .current_dir(home));
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} failed");
}
