//! Which program to become: the one that is installed where this one was started from.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::sys::handover::is_own_executable;

/// A program and its arguments.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its file.
    pub path: PathBuf,
    /// Its arguments, its name first.
    pub argv: Vec<CString>,
}

impl Program {
    /// The program that is running, by the path it was called by where that leads to it: an upgrade
    /// may consist in a link that leads elsewhere now.
    ///
    /// # Errors
    /// There is no /proc.
    pub fn running() -> io::Result<Self> {
        let argv: Vec<OsString> = std::env::args_os().collect();
        let called = argv.first().and_then(|name| called(Path::new(name)));
        let path = match called.filter(|path| is_own_executable(path)) {
            Some(path) => path,
            None => std::env::current_exe()?,
        };
        Ok(Self::at(path))
    }

    /// A program at this path, with the arguments of the one that is running.
    pub fn at(path: PathBuf) -> Self {
        let argv = std::env::args_os();
        Self {
            path,
            // An argument that the kernel has given us has no NUL in it.
            argv: argv
                .filter_map(|word| CString::new(word.as_bytes()).ok())
                .collect(),
        }
    }
}

/// Where the shell has found the program of this name.
fn called(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 || name.is_absolute() {
        return std::path::absolute(name).ok();
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|directory| directory.join(name));
    let found = found.into_iter().find(|candidate| candidate.is_file())?;
    std::path::absolute(found).ok()
}

/// The environment of the running program with these variables.
pub(crate) fn environment(further: &[(&str, String)]) -> Vec<CString> {
    let ours = std::env::vars_os();
    let kept = ours.filter(|(name, _)| further.iter().all(|(known, _)| name != known));
    let entry = |name: &[u8], value: &[u8]| CString::new([name, b"=", value].concat()).ok();
    let further = further.iter();
    kept.filter_map(|(name, value)| entry(name.as_bytes(), value.as_bytes()))
        .chain(further.filter_map(|(name, value)| entry(name.as_bytes(), value.as_bytes())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_program_is_found() {
        let program = Program::running().unwrap();
        assert!(program.path.is_absolute());
        assert!(is_own_executable(&program.path));
        assert!(!program.argv.is_empty());
    }

    #[test]
    fn variables_are_replaced() {
        let path = CString::new("PATH=/x").unwrap();
        let environment = environment(&[("PATH", "/x".to_owned())]);
        assert!(environment.contains(&path));
        let is_path = |entry: &&CString| entry.as_bytes().starts_with(b"PATH=");
        assert_eq!(environment.iter().filter(is_path).count(), 1);
    }
}
