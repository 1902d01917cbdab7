//! The differences from the original that are wanted.

/// A wanted difference; one that does not occur is out of date and fails the comparison.
#[derive(Debug)]
pub(crate) struct Deliberate {
    /// The snippet's name; a `*` stands for anything.
    pub(crate) snippet: &'static str,
    /// A part of the difference.
    pub(crate) difference: &'static str,
    /// Why it is better than sameness.
    pub(crate) reason: &'static str,
}

impl Deliberate {
    /// Whether this is the difference.
    pub(crate) fn excuses(&self, snippet: &str, difference: &str) -> bool {
        let named = match self.snippet.split_once('*') {
            Some((start, end)) => {
                snippet.len() >= start.len() + end.len()
                    && snippet.starts_with(start)
                    && snippet.ends_with(end)
            }
            None => snippet == self.snippet,
        };
        named && difference.contains(self.difference)
    }
}

/// What the coming Supervisor 4.4 does.
const NEXT: &str = "as Supervisor 4.4: environment is lexed with escapes and expanded once";
const TUPLE: &str = "the original prints a tuple instead of filling in the message";
const MEMBER: &str =
    "the original names the section of the group's previous program instead of the group";
const TWINS: &str = "of groups, and of processes of a group, only those that exist are listed";
const CONTROL: &str = "XML cannot carry it; the original's answer cannot be parsed";
const BYTE_ORDER_MARK: &str = "editors of other systems begin files so";

/// All wanted differences.
pub(crate) const DELIBERATE: &[Deliberate] = &[
    // Reading.
    wanted(
        "encoding: *a byte order mark",
        "original Refused",
        BYTE_ORDER_MARK,
    ),
    wanted(
        "encoding: an included file with a byte order mark",
        "original Refused",
        BYTE_ORDER_MARK,
    ),
    wanted(
        "encoding: a sequence that is cut short by the end",
        "in position 0",
        "the position is that in the file, not that in the last chunk read",
    ),
    wanted("reader: a NUL in a value", "config_info", CONTROL),
    wanted("reader: a form feed is white space", "config_info", CONTROL),
    wanted(
        "reader: a separator of records is no end of a line",
        "config_info",
        CONTROL,
    ),
    wanted(
        "include: a directory*",
        "notice: only the original says \"Included extra file",
        "it has not been included; ours warns that it cannot be read",
    ),
    // Expansion.
    wanted(
        "environment: quoting of a percent sign in supervisord's",
        "original Refused",
        NEXT,
    ),
    wanted(
        "expansion: a percent sign in supervisord's environment",
        "environment.A",
        NEXT,
    ),
    wanted(
        "expansion: host_node_name in supervisord's environment",
        "original Refused",
        NEXT,
    ),
    wanted(
        "supervisord: environment=HOST=\"%(host_node_name)s\"",
        "original Refused",
        NEXT,
    ),
    wanted(
        "supervisord: environment=A=\"100%%\"",
        "original Refused",
        NEXT,
    ),
    wanted(
        "supervisord: environment=A=\"%(program_name)s\"",
        "'supervisord.environment'",
        NEXT,
    ),
    wanted(
        "supervisord: environment=A=%(nothing)s",
        "'supervisord.environment'",
        NEXT,
    ),
    wanted(
        "expansion: a percent sign in a log file",
        "\"100%.log\"",
        "names of log files are expanded once, like everything else",
    ),
    wanted(
        "program: stdout_logfile=a%%b.log",
        "original Refused",
        "names of log files are expanded once, like everything else",
    ),
    wanted(
        "program: environment=A=\"%s\"",
        "badly formatted",
        "the original puts all variables, secrets included, into the value",
    ),
    wanted(
        "expansion: a bad format in an unknown argument of an RPC interface",
        "it has no option argument",
        "an option that does not exist needs no expansion",
    ),
    // Values.
    wanted("program: environment=\"A*", "environment.", NEXT),
    wanted("program: environment=A=\"{*", "original Refused", NEXT),
    wanted("program: environment=A=b\\c", "original Refused", NEXT),
    wanted("program: environment=A='say \"x\"'", "environment.A", NEXT),
    wanted("program: environment=A=café", "environment.A", NEXT),
    wanted(
        "program: priority=٣",
        "invalid literal for int()",
        "digits are those of ASCII",
    ),
    wanted(
        "program: umask=-1",
        "can not be converted to an octal type",
        "there is no such umask; the original takes it for 777",
    ),
    wanted(
        "program: stdout_logfile_maxbytes=2GB",
        "ours 2147483647",
        "XML-RPC has no larger number; the original fails to answer",
    ),
    wanted(
        "program: process_name=",
        "original Refused { code: 1, text: \"RPCError: code=10",
        "a process without a name can be asked for",
    ),
    wanted(
        "supervisord: childlogdir=.",
        "childlogdir",
        "a relative directory is that at the start, wherever the daemon goes",
    ),
    wanted(
        "supervisord: childlogdir=/tmp/",
        "childlogdir",
        "a slash at the end means nothing",
    ),
    wanted(
        "supervisord: directory=.",
        "directory",
        "a relative directory is that at the start, wherever the daemon goes",
    ),
    wanted(
        "supervisord: identifier=*",
        "FileNotFoundError",
        "an AUTO log that cannot be created is told of in the log and keeps nothing from running",
    ),
    wanted(
        "interaction: a hashed password in capitals",
        "credentials",
        "the original accepts it, but then no password",
    ),
    // Sections.
    wanted(
        "eventlistener: result_handler=supervisor_stdout:event_handler",
        "original Refused",
        "the one other result handler that is in use is there without Python",
    ),
    wanted(
        "supervisorctl: a plugin of a module that is not there",
        "is ignored",
        "Python plugins cannot be loaded; ours warns and does what it can",
    ),
    wanted("fcgi-program: socket=*", "original \"('", TUPLE),
    wanted(
        "fcgi-program: numprocs=0",
        "socket",
        "a socket that no process gets is not opened",
    ),
    wanted(
        "group: programs=a,*",
        "original \"[program:a] names unknown program",
        MEMBER,
    ),
    wanted(
        "groups: an unknown program after a known one",
        "original \"[program:a] names unknown program",
        MEMBER,
    ),
    wanted("group: programs=a,a", "original [", TWINS),
    wanted("groups: a program twice in a group", "original [", TWINS),
    wanted("groups: processes of one name*", "original [", TWINS),
    wanted(
        "groups: a group named like a program outside*",
        "original [",
        TWINS,
    ),
    wanted(
        "groups: a program and a listener of one name",
        "original [",
        TWINS,
    ),
    wanted(
        "groups: a program and an fcgi program of one name without a group",
        "original [",
        TWINS,
    ),
    wanted(
        "interaction: several processes with a number that is escaped",
        "original [",
        TWINS,
    ),
    wanted(
        "default: arguments of the RPC interface",
        "original Refused { code: 2, text: \"Could not make supervisor rpc interface\" }",
        "options for all sections are no arguments of the interface",
    ),
];

const fn wanted(
    snippet: &'static str,
    difference: &'static str,
    reason: &'static str,
) -> Deliberate {
    Deliberate {
        snippet,
        difference,
        reason,
    }
}
