//! The differences from the original that are wanted.
//!
//! Each entry excuses lines of one scenario; an entry that excuses nothing is out of date and fails it.

/// Whose line an entry excuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A line only the original has.
    Original,
    /// A line only ours has.
    Ours,
}

/// What an entry looks for in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// A part of the line.
    Has(&'static str),
    /// The whole line.
    Is(&'static str),
}

impl Text {
    /// Whether the line is such a one.
    pub fn matches(self, line: &str) -> bool {
        match self {
            Self::Has(part) => line.contains(part),
            Self::Is(whole) => line == whole,
        }
    }
}

/// A wanted difference.
#[derive(Debug, Clone, Copy)]
pub struct Deliberate {
    /// The names of the scenarios.
    pub scenarios: &'static [&'static str],
    /// Whose line.
    pub side: Side,
    /// Which line.
    pub line: Text,
    /// Why the difference is better than sameness.
    pub reason: &'static str,
}

/// Scenarios that run every command of our supervisorctl.
const OUR_TOOL: &[&str] = &[
    "control: original daemon, our tool",
    "control: our daemon and tool",
];

/// Scenarios in which our supervisorctl shows its help.
const OUR_HELP: &[&str] = &[
    "control: original daemon, our tool",
    "control: our daemon and tool",
    "shell: original daemon, our tool",
    "shell: our daemon and tool",
];

/// A line that only the original writes.
pub const fn original(
    scenarios: &'static [&'static str],
    line: Text,
    reason: &'static str,
) -> Deliberate {
    Deliberate {
        scenarios,
        side: Side::Original,
        line,
        reason,
    }
}

/// A line that only ours writes.
pub const fn ours(
    scenarios: &'static [&'static str],
    line: Text,
    reason: &'static str,
) -> Deliberate {
    Deliberate {
        scenarios,
        side: Side::Ours,
        line,
        reason,
    }
}

/// All wanted differences.
pub const DELIBERATE: &[Deliberate] = &[
    Deliberate {
        scenarios: &["cli: lives"],
        side: Side::Ours,
        line: Text::Has("Warning: could not write pidfile"),
        reason: "who starts a daemon without a pidfile is told",
    },
    Deliberate {
        scenarios: OUR_HELP,
        side: Side::Original,
        line: Text::Has("Note: restart does not reread config files."),
        reason: "the wording of the help is our own",
    },
    Deliberate {
        scenarios: OUR_HELP,
        side: Side::Ours,
        line: Text::Has("Note: configuration files are not read again"),
        reason: "the wording of the help is our own",
    },
    Deliberate {
        scenarios: OUR_TOOL,
        side: Side::Original,
        line: Text::Is("  out| "),
        reason: "the help of maintail ends with a stray blank line",
    },
    Deliberate {
        scenarios: &["refusals"],
        side: Side::Original,
        line: Text::Is("  err| Error: [program:a] names unknown program or fcgi-program "),
        reason: "the original names the section of the group's previous program instead of the group",
    },
    Deliberate {
        scenarios: &["refusals"],
        side: Side::Ours,
        line: Text::Is("  err| Error: [group:g] names unknown program or fcgi-program "),
        reason: "the original names the section of the group's previous program instead of the group",
    },
    Deliberate {
        scenarios: OUR_HELP,
        side: Side::Ours,
        line: Text::Is("  out| further commands (type help <topic>):"),
        reason: "commands that plug-ins of the original add are built in, and listed apart from its own",
    },
    Deliberate {
        scenarios: OUR_HELP,
        side: Side::Ours,
        line: Text::Is("  out| ====================================="),
        reason: "commands that plug-ins of the original add are built in, and listed apart from its own",
    },
    Deliberate {
        scenarios: OUR_HELP,
        side: Side::Ours,
        line: Text::Is(
            "  out| hash-password  mrestart  mstart  mstop  pools  serialrestart  upgrade",
        ),
        reason: "commands that plug-ins of the original add are built in, and listed apart from its own",
    },
    Deliberate {
        scenarios: OUR_HELP,
        side: Side::Ours,
        line: Text::Is("  out| "),
        reason: "commands that plug-ins of the original add are built in, and listed apart from its own",
    },
    Deliberate {
        scenarios: &["transitions"],
        side: Side::Original,
        line: Text::Is("INFO exited: mortal_13 (exit status 0; expected)"),
        reason: "programs do not inherit ignored signals",
    },
    Deliberate {
        scenarios: &["transitions"],
        side: Side::Ours,
        line: Text::Is("WARN exited: mortal_13 (terminated by SIGPIPE; not expected)"),
        reason: "programs do not inherit ignored signals",
    },
    Deliberate {
        scenarios: &["transitions"],
        side: Side::Original,
        line: Text::Is("INFO exited: mortal_25 (exit status 0; expected)"),
        reason: "programs do not inherit ignored signals",
    },
    Deliberate {
        scenarios: &["transitions"],
        side: Side::Ours,
        line: Text::Is("WARN exited: mortal_25 (terminated by SIGXFSZ; not expected)"),
        reason: "programs do not inherit ignored signals",
    },
    Deliberate {
        scenarios: &["spawning", "unprivileged"],
        side: Side::Original,
        line: Text::Has("SigIgn:"),
        reason: "programs do not inherit ignored signals",
    },
    Deliberate {
        scenarios: &["spawning", "unprivileged"],
        side: Side::Ours,
        line: Text::Is("SigIgn:\t0000000000000000"),
        reason: "programs do not inherit ignored signals",
    },
    Deliberate {
        scenarios: &["cli: syntax"],
        side: Side::Original,
        line: Text::Is(
            "  err| Error: Cannot open an HTTP server: socket.error reported errno.ENOENT (2)",
        ),
        reason: "a umask is not negative",
    },
    Deliberate {
        scenarios: &["cli: syntax"],
        side: Side::Ours,
        line: Text::Is(
            "  err| Error: invalid value for -m '-1': -1 can not be converted to an octal type",
        ),
        reason: "a umask is not negative",
    },
    Deliberate {
        scenarios: &["cli: clean-up"],
        side: Side::Ours,
        line: Text::Is("  out| x---bra-1.log"),
        reason: "an identifier is no pattern: the logs of others are left alone",
    },
    Deliberate {
        scenarios: &["cli: clean-up"],
        side: Side::Original,
        line: Text::Has("WARN Failed to clean up '<dir>/logs/x---b.a-4.log'"),
        reason: "old AUTO logs are removed once the sockets are open",
    },
    Deliberate {
        scenarios: &["cli: clean-up"],
        side: Side::Ours,
        line: Text::Has("WARN Failed to clean up '<dir>/logs/x---b.a-4.log'"),
        reason: "old AUTO logs are removed once the sockets are open",
    },
    Deliberate {
        scenarios: &["cli: refusals to start"],
        side: Side::Original,
        line: Text::Has("supervisord.pid other.sock -> 2"),
        reason: "a pidfile that another daemon has overwritten is left to it",
    },
    Deliberate {
        scenarios: &["cli: refusals to start"],
        side: Side::Original,
        line: Text::Has("ls: cannot access 'supervisord.pid'"),
        reason: "a pidfile that another daemon has overwritten is left to it",
    },
    Deliberate {
        scenarios: &["cli: refusals to start"],
        side: Side::Ours,
        line: Text::Has("supervisord.pid other.sock -> 0"),
        reason: "a pidfile that another daemon has overwritten is left to it",
    },
    Deliberate {
        scenarios: &["cli: refusals to start"],
        side: Side::Ours,
        line: Text::Is("  out| supervisord.pid"),
        reason: "a pidfile that another daemon has overwritten is left to it",
    },
    Deliberate {
        scenarios: &["logs: rotation"],
        side: Side::Ours,
        line: Text::Has("f.one.1: "),
        reason: "a log that somebody removed does not cost a backup as well",
    },
];
