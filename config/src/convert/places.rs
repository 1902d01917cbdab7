//! Files, directories and network addresses.

use std::path::{Path, PathBuf};

use super::numbers::bounded;
use super::{Context, Invalid, ValueType};
use crate::model::ActivityLog;
use crate::path::{absolute, dirname, expand_user};

/// A host, empty for every interface, and a port.
pub(crate) type InetAddress = (String, u16);

/// What a child's log option says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChildLogSetting {
    /// No log.
    None,
    /// No log, by saying nothing.
    Empty,
    /// A file named by the daemon.
    Auto,
    /// The system log, asked for in the deprecated way.
    Syslog,
    /// This file; a relative path means the daemon's working directory.
    File(PathBuf),
}

/// What `socket` of an `[fcgi-program:x]` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SocketTarget {
    /// An absolute path.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String, u16),
}

pub(crate) const EXISTING_DIRECTORY: ValueType<PathBuf> = ValueType {
    name: "existing directory",
    accepts: "a directory that exists; `~` is a home directory",
    convert: |text, context| {
        let path = context.resolved(text);
        if !text.is_empty() && context.is_dir(&path) {
            Ok(path)
        } else {
            Err(Invalid::Directory(text.to_owned()))
        }
    },
};

pub(crate) const FILE_PATH: ValueType<PathBuf> = ValueType {
    name: "file path",
    accepts: "a file in a directory that exists; `~` is a home directory",
    convert: |text, context| {
        let expanded = context.path_in_directory(text, context.start_dir)?;
        Ok(absolute(context.start_dir, &expanded))
    },
};

pub(crate) const RESOLVED_PATH: ValueType<PathBuf> = ValueType {
    name: "path",
    accepts: "any path; `~` is a home directory",
    convert: |text, context| Ok(context.resolved(text.trim())),
};

pub(crate) const ACTIVITY_LOG: ValueType<ActivityLog> = ValueType {
    name: "activity log",
    accepts: "a file path, or `syslog`",
    convert: |text, context| match text {
        "syslog" => Ok(ActivityLog::Syslog),
        path => (FILE_PATH.convert)(path, context).map(ActivityLog::File),
    },
};

pub(crate) const CHILD_LOG: ValueType<ChildLogSetting> = ValueType {
    name: "child log",
    accepts: "`AUTO`, `NONE`, or a file in a directory that exists",
    convert: |text, context| match text.to_lowercase().as_str() {
        "" => Ok(ChildLogSetting::Empty),
        "none" | "off" => Ok(ChildLogSetting::None),
        "auto" => Ok(ChildLogSetting::Auto),
        "syslog" => Ok(ChildLogSetting::Syslog),
        _ => {
            let path = context.path_in_directory(text, Path::new(""))?;
            Ok(ChildLogSetting::File(path.into()))
        }
    },
};

pub(crate) const INET_ADDRESS: ValueType<InetAddress> = ValueType {
    name: "address",
    accepts: "`host:port`, or `:port` or `*:port` for every interface",
    convert: |text, _| inet_address(text),
};

pub(crate) const FCGI_ADDRESS: ValueType<SocketTarget> = ValueType {
    name: "socket",
    accepts: "`unix:///absolute/path` or `tcp://host:port`",
    convert: |text, context| socket_target(text, context),
};

pub(crate) const SERVER_URL: ValueType<String> = ValueType {
    name: "URL",
    accepts: "`http://host:port`, `https://host:port` or `unix:///path/to/socket`",
    convert: |text, context| match text.strip_prefix("unix://") {
        Some(path) => Ok(format!("unix://{}", context.resolved(path).display())),
        None => Ok(text.to_owned()),
    },
};

impl Context<'_> {
    fn expand_user(&self, path: &str) -> String {
        expand_user(path, self.home)
    }

    /// An absolute path in normal form.
    fn resolved(&self, path: &str) -> PathBuf {
        absolute(self.start_dir, &self.expand_user(path))
    }

    /// The path with `~` expanded, if its directory, seen from `base`, exists.
    fn path_in_directory(&self, text: &str, base: &Path) -> Result<String, Invalid> {
        let path = self.expand_user(text);
        let directory = dirname(&path);
        if directory.is_empty() || self.is_dir(&base.join(directory)) {
            Ok(path)
        } else {
            Err(Invalid::PathDirectory(text.to_owned()))
        }
    }

    fn is_dir(&self, path: &Path) -> bool {
        if let Some(&known) = self.directories.borrow().get(path) {
            return known;
        }
        let is_dir = path.is_dir();
        self.directories
            .borrow_mut()
            .insert(path.to_owned(), is_dir);
        is_dir
    }
}

fn inet_address(text: &str) -> Result<InetAddress, Invalid> {
    let Some((host, port)) = text.rsplit_once(':') else {
        let port = port(text).map_err(|_| Invalid::Port(text.to_owned()))?;
        return Ok((String::new(), port));
    };
    if port.is_empty() {
        return Err(Invalid::NoPort(String::new()));
    }
    let port = self::port(port)?;
    let host = host.to_lowercase();
    let plain = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match plain.unwrap_or(&host) {
        "*" => Ok((String::new(), port)),
        host => Ok((host.to_owned(), port)),
    }
}

fn port(text: &str) -> Result<u16, Invalid> {
    let value = bounded(text, 1, 65_535)?;
    u16::try_from(value).map_err(|_| Invalid::Port(text.to_owned()))
}

fn socket_target(text: &str, context: &Context<'_>) -> Result<SocketTarget, Invalid> {
    if let Some(path) = text.strip_prefix("unix://") {
        if !path.starts_with('/') {
            return Err(Invalid::RelativeSocket(path.to_owned()));
        }
        return Ok(SocketTarget::Unix(context.resolved(path)));
    }
    let bad = || Invalid::Socket(text.to_owned());
    let address = text.strip_prefix("tcp://").ok_or_else(bad)?;
    let (host, digits) = address.rsplit_once(':').ok_or_else(bad)?;
    let host_is_plain = !host.is_empty() && !host.contains([':', ' ', '\t', '\n']);
    if !host_is_plain || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    Ok(SocketTarget::Tcp(host.to_lowercase(), port(digits)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T: std::fmt::Debug>(kind: ValueType<T>, text: &str) -> String {
        let context = Context::new(Path::new("/usr"), Some("/tmp"));
        match (kind.convert)(text, &context) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn files() {
        let rows = [
            (run(EXISTING_DIRECTORY, "~"), "\"/tmp\""),
            (run(EXISTING_DIRECTORY, "bin/.."), "\"/usr\""),
            (run(EXISTING_DIRECTORY, ""), " is not an existing directory"),
            (
                run(EXISTING_DIRECTORY, "/nope"),
                "/nope is not an existing directory",
            ),
            (run(FILE_PATH, "a.log"), "\"/usr/a.log\""),
            (run(FILE_PATH, "bin/a.log"), "\"/usr/bin/a.log\""),
            (run(FILE_PATH, "~/a"), "\"/tmp/a\""),
            (
                run(FILE_PATH, "/nope/a"),
                "The directory named as part of the path /nope/a does not exist",
            ),
            (run(ACTIVITY_LOG, "NONE"), "File(\"/usr/NONE\")"),
            (run(ACTIVITY_LOG, "syslog"), "Syslog"),
            (run(CHILD_LOG, "Off"), "None"),
            (run(CHILD_LOG, ""), "Empty"),
            (run(CHILD_LOG, "auto"), "Auto"),
            (run(CHILD_LOG, "SYSLOG"), "Syslog"),
            (run(CHILD_LOG, "a.log"), "File(\"a.log\")"),
            (run(CHILD_LOG, "~/a.log"), "File(\"/tmp/a.log\")"),
            (run(SERVER_URL, "unix://~/s"), "\"unix:///tmp/s\""),
            (run(SERVER_URL, "unix://s"), "\"unix:///usr/s\""),
            (run(SERVER_URL, "foo"), "\"foo\""),
        ];
        for (got, want) in rows {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn addresses() {
        let rows = [
            (run(INET_ADDRESS, "9001"), "(\"\", 9001)"),
            (run(INET_ADDRESS, "*:9001"), "(\"\", 9001)"),
            (run(INET_ADDRESS, "LocalHost:1"), "(\"localhost\", 1)"),
            (run(INET_ADDRESS, "[::1]:80"), "(\"::1\", 80)"),
            (run(INET_ADDRESS, "x"), "not a valid port number: 'x' "),
            (run(INET_ADDRESS, "0"), "not a valid port number: '0' "),
            (run(INET_ADDRESS, ""), "not a valid port number: '' "),
            (run(INET_ADDRESS, "h:"), "no port number specified in ''"),
            (run(INET_ADDRESS, "h:0"), "0 is below lower bound (1)"),
            (
                run(INET_ADDRESS, "h:70000"),
                "70000 is above upper bound (65535)",
            ),
            (
                run(INET_ADDRESS, "h:x"),
                "invalid literal for int() with base 10: 'x'",
            ),
            (run(FCGI_ADDRESS, "tcp://Host:9"), "Tcp(\"host\", 9)"),
            (run(FCGI_ADDRESS, "tcp://h:0"), "0 is below lower bound (1)"),
            (run(FCGI_ADDRESS, "tcp://:9"), "Bad socket format tcp://:9"),
            (
                run(FCGI_ADDRESS, "tcp://a:b:9"),
                "Bad socket format tcp://a:b:9",
            ),
            (run(FCGI_ADDRESS, "foo"), "Bad socket format foo"),
            (run(FCGI_ADDRESS, "unix:///a/../b"), "Unix(\"/b\")"),
            (
                run(FCGI_ADDRESS, "unix://foo"),
                "Unix socket path foo is not an absolute path",
            ),
        ];
        for (got, want) in rows {
            assert_eq!(got, want);
        }
    }
}
