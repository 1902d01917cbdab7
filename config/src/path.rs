//! Paths, in the way of Python's `os.path`: purely by their text.

use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

/// `os.path.dirname`: everything before the last slash, without trailing slashes.
pub(crate) fn dirname(path: &str) -> &str {
    let head = &path[..path.rfind('/').map_or(0, |at| at + 1)];
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head } else { trimmed }
}

/// `os.path.join` of two paths.
pub(crate) fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') || base.is_empty() {
        path.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{path}")
    } else {
        format!("{base}/{path}")
    }
}

/// `os.path.normpath`: no `.`, no `..` after a name, no doubled slashes except exactly two at the
/// start, which POSIX leaves to the system.
pub(crate) fn normalize(path: &str) -> String {
    let root = match path.len() - path.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&last| last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    match format!("{root}{}", parts.join("/")) {
        path if path.is_empty() => ".".to_owned(),
        path => path,
    }
}

/// `os.path.abspath`, seen from `start`.
pub(crate) fn absolute(start: &Path, path: &str) -> PathBuf {
    PathBuf::from(normalize(&join(&start.to_string_lossy(), path)))
}

/// `os.path.expanduser`: `~` is `home`, or else what the user database says; `~name` that user's
/// home directory. An unknown user leaves the path as it is.
pub(crate) fn expand_user(path: &str, home: Option<&str>) -> String {
    let Some(rest) = path.strip_prefix('~') else {
        return path.to_owned();
    };
    let (name, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let user_home = |user: nix::Result<Option<User>>| {
        let user = user.ok().flatten()?;
        Some(user.dir.to_string_lossy().into_owned())
    };
    let home = match (name, home) {
        ("", Some(home)) => Some(home.to_owned()),
        ("", None) => user_home(User::from_uid(Uid::current())),
        (name, _) => user_home(User::from_name(name)),
    };
    match home {
        None => path.to_owned(),
        Some(home) => match format!("{}{tail}", home.trim_end_matches('/')) {
            path if path.is_empty() => "/".to_owned(),
            path => path,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories() {
        let rows = [
            ("a/b", "a"),
            ("a", ""),
            ("/a", "/"),
            ("//a", "//"),
            ("a//b", "a"),
            ("a/", "a"),
            ("", ""),
        ];
        for (path, want) in rows {
            assert_eq!(dirname(path), want, "{path}");
        }
    }

    #[test]
    fn normal_forms() {
        let rows = [
            ("", "."),
            ("/", "/"),
            ("a/./b//c/", "a/b/c"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("/../a", "/a"),
            ("//a/b", "//a/b"),
            ("///a", "/a"),
        ];
        for (path, want) in rows {
            assert_eq!(normalize(path), want, "{path}");
        }
        assert_eq!(absolute(Path::new("/x/y"), "../z"), Path::new("/x/z"));
        assert_eq!(absolute(Path::new("/x/y"), "/z/"), Path::new("/z"));
    }

    #[test]
    fn home_directories() {
        let rows = [
            ("~", "/h", "/h"),
            ("~/x", "/h/", "/h/x"),
            ("~", "/", "/"),
            ("a~", "/h", "a~"),
            ("~no-such-user-here/x", "/h", "~no-such-user-here/x"),
            ("~root/x", "/h", "/root/x"),
        ];
        for (path, home, want) in rows {
            assert_eq!(expand_user(path, Some(home)), want, "{path}");
        }
    }
}
