//! Opening files without being led astray by symbolic links.
//!
//! Logs and pidfiles often lie in directories that others may write to: `/tmp`, or one that belongs to the program whose
//! log it is. A link in the place of the file would have root write wherever its maker likes, and show him what he may not
//! read. Links are useful all the same (`/var/log/web.log` that leads to `/dev/stdout`), so it is asked whose they are:
//!
//! - In directories like `/tmp` it must be our own or root's: the rule that Linux keeps itself where
//!   `fs.protected_symlinks` is set.
//! - Elsewhere root follows somebody else's link only to what belongs to that somebody, to streams and devices, and to a
//!   file that is yet to be made in a directory of his.
//! - Others follow everybody's elsewhere: they can open no more than their maker could show them.
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
    // Who has led root to the path.
    let mut guide = None;
    for _ in 0..MOST {
        if let Some(owner) = guide {
            belongs_to(&path, owner)?;
        }
        let opened = options
            .clone()
            .custom_flags(flags | libc::O_NOFOLLOW)
            .open(&path);
        match opened {
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {}
            other => return other,
        }
        let step = follow(&path)?;
        guide = step.guide.or(guide);
        match step.target {
            Some(target) => path = target,
            None => return options.clone().custom_flags(flags).open(&path),
        }
    }
    Err(Errno::ELOOP.into())
}

/// Where a link leads.
struct Step {
    /// `None` if only the kernel knows, as with those in `/proc`.
    target: Option<PathBuf>,
    /// Its owner, if it is believed only as far as things are his.
    guide: Option<u32>,
}

/// The link is held while it is looked at: it cannot be replaced by another between the look and the reading.
fn follow(path: &Path) -> io::Result<Step> {
    let link = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_NOFOLLOW)
        .open(path)?;
    let is_shared = directory_of(path).metadata()?.mode() & SHARED == SHARED;
    let owner = link.metadata()?.uid();
    let guide = match belief(owner, is_shared, geteuid().as_raw()) {
        Belief::Full => None,
        Belief::InHisOwn => Some(owner),
        Belief::None => return Err(Errno::EACCES.into()),
    };
    if fstatfs(&link)?.filesystem_type() == PROC_SUPER_MAGIC {
        let target = None;
        return Ok(Step { target, guide });
    }
    // An empty path means the link itself.
    let target = directory_of(path).join(readlinkat(&link, "")?);
    Ok(Step {
        target: Some(target),
        guide,
    })
}

fn directory_of(path: &Path) -> &Path {
    let directory = path.parent();
    let directory = directory.filter(|directory| !directory.as_os_str().is_empty());
    directory.unwrap_or(Path::new("."))
}

/// Whether root goes where this user has led him. Further links are looked at by themselves.
fn belongs_to(path: &Path, owner: u32) -> io::Result<()> {
    let its_owner = match path.symlink_metadata() {
        Ok(found) if found.is_file() || found.is_dir() => found.uid(),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            directory_of(path).metadata()?.uid()
        }
        Err(error) => return Err(error),
    };
    match its_owner == owner {
        true => Ok(()),
        false => Err(Errno::EACCES.into()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belief {
    Full,
    /// As far as it leads to what belongs to the link's owner.
    InHisOwn,
    None,
}

/// How far we believe a link of `owner` in a directory that is like `/tmp`, or not.
const fn belief(owner: u32, is_shared: bool, us: u32) -> Belief {
    if owner == 0 || owner == us {
        Belief::Full
    } else if is_shared {
        Belief::None
    } else if us == 0 {
        Belief::InHisOwn
    } else {
        Belief::Full
    }
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
    fn root_follows_others_only_to_what_is_theirs() {
        if !geteuid().is_root() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let theirs = directory.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        lchown(&theirs, Some(STRANGER), None).unwrap();
        let link = |name: &str, target: &str| {
            symlink(target, theirs.join(name)).unwrap();
            lchown(theirs.join(name), Some(STRANGER), None).unwrap();
        };
        fs::write(directory.path().join("secret"), "of root").unwrap();
        fs::write(theirs.join("file"), "text").unwrap();
        lchown(theirs.join("file"), Some(STRANGER), None).unwrap();
        link("to-secret", "../secret");
        link("to-new", "../new");
        link("further", "to-secret");
        link("to-file", "file");
        link("to-device", "/dev/null");
        link("to-later", "later");
        for name in ["to-secret", "to-new", "further"] {
            let options = File::options().append(true).create(true).clone();
            let error = open(&theirs.join(name), &options, 0).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EACCES), "{name}");
        }
        assert!(!directory.path().join("new").exists());
        for name in ["to-file", "to-device", "to-later"] {
            let options = File::options().append(true).create(true).clone();
            open(&theirs.join(name), &options, 0).unwrap();
        }
        assert!(theirs.join("later").exists());
    }

    #[test]
    fn believing_depends_on_whose_it_is_and_where() {
        use Belief::{Full, InHisOwn, None};
        let rows = [
            ((0, false), 0, Full),
            ((0, true), 0, Full),
            ((STRANGER, false), 0, InHisOwn),
            ((STRANGER, true), 0, None),
            ((1000, true), 1000, Full),
            ((0, true), 1000, Full),
            ((STRANGER, false), 1000, Full),
            ((STRANGER, true), 1000, None),
        ];
        for ((owner, is_shared), us, believed) in rows {
            let row = format!("{owner} {is_shared} {us}");
            assert_eq!(belief(owner, is_shared, us), believed, "{row}");
        }
    }
}
