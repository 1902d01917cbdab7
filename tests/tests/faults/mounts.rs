//! A file system that only the daemon sees, which the test fills, empties and makes read-only.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use callboard_tests::{Daemon, Flavour, wait, workspace};
use nix::unistd::Uid;

/// Room for a few log files.
const SIZE: &str = "256k";

/// How the file system is when the daemon starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Empty,
    Full,
    ReadOnly,
}

/// A daemon whose directory `small` is a file system of its own.
pub(crate) struct OnSmallDisk {
    pub(crate) daemon: Daemon,
}

impl OnSmallDisk {
    /// Prepares and launches it. Where nobody may mount anything, the daemon does not come up, and says why.
    pub(crate) fn launch(config: &str, start: Start) -> Self {
        let mut daemon = Daemon::prepare(Flavour::under_test(), config);
        fs::create_dir(daemon.path("small")).expect("the directory is writable");
        let flag = |name: &str, is_set: bool| {
            let value = if is_set { "yes" } else { "" };
            (name.to_owned(), value.to_owned())
        };
        daemon.add_environment([
            ("SMALL_SIZE".to_owned(), SIZE.to_owned()),
            flag("SMALL_FULL", start == Start::Full),
            flag("SMALL_READ_ONLY", start == Start::ReadOnly),
        ]);
        daemon.launch_program(&workspace::fixtures().join("on-small-disk"), &[]);
        Self { daemon }
    }

    /// The same, up and answering.
    pub(crate) fn start(config: &str, start: Start) -> Self {
        let mut disk = Self::launch(config, start);
        disk.daemon.wait_until_up();
        disk
    }

    /// A file on the disk, as everybody can reach it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.daemon.pid());
        let small = self.daemon.path("small");
        let small = small.strip_prefix("/").expect("it is absolute");
        PathBuf::from(root).join(small).join(name)
    }

    /// A file's content; empty if it is missing.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// Waits until a file contains a text.
    pub(crate) fn wait_file(&self, name: &str, text: &str) {
        wait::until(&format!("{text:?} in small/{name}"), || {
            let content = self.read(name);
            if content.contains(text) {
                Ok(())
            } else {
                Err(content)
            }
        });
    }

    /// Names of the files there.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).expect("it is mounted");
        let names = entries.flatten().map(|entry| entry.file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// Takes all the room there is.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.path("filler")).expect("an inode");
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    /// Gives it back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.path("filler")).expect("it was full");
    }

    /// From now on nothing can be created, renamed or removed.
    pub(crate) fn forbid_changes(&self) {
        self.inside(&["mount", "--bind", "-o", "ro"], &["small", "small"]);
    }

    /// Undoes [`forbid_changes`](Self::forbid_changes).
    pub(crate) fn allow_changes(&self) {
        self.inside(&["umount"], &["small"]);
    }

    /// Makes a file system writable that has not been so from the start.
    pub(crate) fn make_writable(&self) {
        self.inside(&["mount", "-o", "remount,rw"], &["small"]);
    }

    /// Runs a command of mount(8) in the daemon's namespace, on names in its directory.
    fn inside(&self, command: &[&str], names: &[&str]) {
        let mut enter = Command::new("nsenter");
        enter.args(["--mount", "--target", &self.daemon.pid().to_string()]);
        if !Uid::effective().is_root() {
            enter.args(["--user", "--preserve-credentials"]);
        }
        enter.args(command);
        enter.args(names.iter().map(|name| self.daemon.path(name)));
        let output = enter.output().expect("util-linux is there");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{enter:?}: {complaint}");
    }
}
