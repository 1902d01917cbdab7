//! Opening files without being led astray by symbolic links.
//!
//! Logs and pidfiles often lie in directories that others may write to: `/tmp`, or one that belongs to the program whose
//! log it is. A link in the place of the file would have root write wherever its maker likes, and show him what he may not
//! read. Links are useful all the same (`/var/log/web.log` that leads to `/dev/stdout`), so it is asked whose they are:
//!
//! - Root follows links of root only.
//! - Others follow everybody's, except in directories like `/tmp`, where it must be their own or root's: the rule that Linux
//!   keeps itself where `fs.protected_symlinks` is set.
//!
//! This is about the last part of a path. Who may replace a directory on the way is trusted.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::readlinkat;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::geteuid;

/// Links that lead to links, as the kernel counts.
const MOST: usize = 40;

/// The mode of a directory in which everybody may create files and remove none but his own.
const SHARED: u32 = libc::S_ISVTX | libc::S_IWOTH;

/// Opens a path with these options, and flags of open(2) besides.
///
/// # Errors
/// Those of open(2); `EACCES` if a link leads there that is not believed.
pub fn open(path: &Path, options: &OpenOptions, flags: i32) -> io::Result<File> {
    let mut path = path.to_owned();
    for _ in 0..MOST {
        let opened = options
            .clone()
            .custom_flags(flags | libc::O_NOFOLLOW)
            .open(&path);
        match opened {
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {}
            other => return other,
        }
        match follow(&path)? {
            Some(target) => path = target,
            None => return options.clone().custom_flags(flags).open(&path),
        }
    }
    Err(Errno::ELOOP.into())
}

/// Where a link leads that is believed; `None` if only the kernel knows, as with those in `/proc`.
///
/// The link is held while it is looked at: it cannot be replaced by another between the look and the reading.
fn follow(path: &Path) -> io::Result<Option<PathBuf>> {
    let link = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_NOFOLLOW)
        .open(path)?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let is_shared = directory.metadata()?.mode() & SHARED == SHARED;
    if !is_believed(link.metadata()?.uid(), is_shared, geteuid().as_raw()) {
        return Err(Errno::EACCES.into());
    }
    if fstatfs(&link)?.filesystem_type() == PROC_SUPER_MAGIC {
        return Ok(None);
    }
    // An empty path means the link itself.
    let target = readlinkat(&link, "")?;
    Ok(Some(directory.join(target)))
}

/// Whether we follow a link of `owner` in a directory that is like `/tmp`, or not.
const fn is_believed(owner: u32, is_shared: bool, us: u32) -> bool {
    owner == 0 || (us != 0 && (owner == us || !is_shared))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    const STRANGER: u32 = 65534;

    fn read(path: &Path) -> io::Result<String> {
        let file = open(path, File::options().read(true), libc::O_NONBLOCK)?;
        io::read_to_string(file)
    }

    #[test]
    fn links_of_ours_are_followed_and_loops_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("file"), "text").unwrap();
        symlink("file", path("one")).unwrap();
        symlink(path("one"), path("two")).unwrap();
        symlink("loop", path("loop")).unwrap();
        for name in ["file", "one", "two"] {
            assert_eq!(read(&path(name)).unwrap(), "text", "{name}");
        }
        let error = read(&path("loop")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
        // Something is created at the end of a link that leads nowhere.
        symlink("new", path("dangling")).unwrap();
        open(
            &path("dangling"),
            File::options().append(true).create(true),
            0,
        )
        .unwrap();
        assert!(path("new").exists());
        // What only the kernel can follow.
        symlink("/proc/self/fd/0", path("stdin")).unwrap();
        assert!(open(&path("stdin"), File::options().read(true), libc::O_NONBLOCK).is_ok());
    }

    #[test]
    fn root_follows_links_of_root_only() {
        if !geteuid().is_root() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("file"), "text").unwrap();
        symlink("file", path("link")).unwrap();
        symlink("link", path("further")).unwrap();
        lchown(path("link"), Some(STRANGER), None).unwrap();
        for name in ["link", "further"] {
            let error = read(&path(name)).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EACCES), "{name}");
        }
    }

    #[test]
    fn believing_depends_on_whose_it_is_and_where() {
        let rows = [
            ((0, false), 0, true),
            ((0, true), 0, true),
            ((STRANGER, false), 0, false),
            ((STRANGER, true), 0, false),
            ((1000, true), 1000, true),
            ((0, true), 1000, true),
            ((STRANGER, false), 1000, true),
            ((STRANGER, true), 1000, false),
        ];
        for ((owner, is_shared), us, believed) in rows {
            let row = format!("{owner} {is_shared} {us}");
            assert_eq!(is_believed(owner, is_shared, us), believed, "{row}");
        }
    }
}
