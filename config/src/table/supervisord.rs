//! `[supervisord]`, in the order of the sample configuration and of the usage text.

use std::path::PathBuf;

use super::{Absent, Reread, Scope, SectionKind, Typed, declare};
use crate::convert::{
    ACTIVITY_LOG, BOOLEAN, BYTES, ENVIRONMENT, EXISTING_DIRECTORY, FILE_PATH, INTEGER, LOG_LEVEL,
    OCTAL, PROGRAMS_ON_DEATH, TEXT, USER_LATER, ValueType,
};
use crate::environment::Pairs;
use crate::model::{ActivityLog, LogLevel, ProgramsOnDeath};

const fn row<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(&[SectionKind::Supervisord], key, kind)
        .scope(Scope::Here)
        .reread(Reread::NeedsRestart)
}

declare! {
    LOGFILE: ActivityLog = row("logfile", ACTIVITY_LOG)
        .default("supervisord.log")
        .value_flag(Some('l'), "FILENAME", "use FILENAME as logfile path")
        .prose("The activity log of the daemon itself. `syslog` sends it to the system log. A relative \
                path is seen from the directory in which the daemon is started.");
    LOGFILE_MAXBYTES: i64 = row("logfile_maxbytes", BYTES)
        .default("50MB")
        .value_flag(Some('y'), "BYTES", "rotate the logfile when it reaches BYTES")
        .prose("Size at which the activity log is rotated. 0 lets it grow without end.");
    LOGFILE_BACKUPS: i64 = row("logfile_backups", INTEGER)
        .default("10")
        .value_flag(Some('z'), "NUM", "keep NUM rotated logfiles")
        .prose("How many rotated activity logs are kept. With 0 the log is emptied when it is full.");
    LOGLEVEL: LogLevel = row("loglevel", LOG_LEVEL)
        .default("info")
        .value_flag(Some('e'), "LEVEL", "log at LEVEL (critical, error, warn, info, debug, trace, blather)")
        .prose("How much the activity log tells. `debug` adds the output of children, `trace` and \
                `blather` the daemon's own steps.");
    PIDFILE: PathBuf = row("pidfile", FILE_PATH)
        .default("supervisord.pid")
        .value_flag(Some('j'), "FILENAME", "write the daemon's process id to FILENAME")
        .prose("Where the daemon writes its process id. It is removed at a clean exit. A relative path is \
                seen from the directory in which the daemon is started.");
    NODAEMON: bool = row("nodaemon", BOOLEAN)
        .default("false")
        .flag('n', "stay in the foreground, like nodaemon=true")
        .prose("Stay in the foreground instead of becoming a daemon. The activity log is then copied to \
                standard output.");
    SILENT: bool = row("silent", BOOLEAN)
        .default("false")
        .flag('s', "print no log on standard output, like silent=true")
        .prose("In the foreground, keep the activity log off standard output.");
    STRICT: bool = row("strict", BOOLEAN)
        .default("false")
        .prose("Refuse to start where everybody could control the daemon: with a TCP server beyond the loopback \
                interface, or a Unix socket that everybody may write to, without authentication. Otherwise that \
                is only warned of.");
    MINFDS: i64 = row("minfds", INTEGER)
        .default("1024")
        .value_flag(Some('a'), "NUM", "do not start with fewer than NUM file descriptors")
        .prose("The limit on open file descriptors is raised to this if it is lower; if that is not \
                allowed the daemon does not start. Every process takes a few.");
    MINPROCS: i64 = row("minprocs", INTEGER)
        .default("200")
        .value_flag(None, "NUM", "do not start with fewer than NUM processes available")
        .prose("The limit on processes is raised to this if it is lower; if that is not allowed the \
                daemon does not start.");
    UMASK: u32 = row("umask", OCTAL)
        .default("022")
        .value_flag(Some('m'), "UMASK", "use this umask when becoming a daemon")
        .prose("The umask of the daemon and of children that set none. It is applied when the daemon goes \
                into the background.");
    DAEMON_USER: String = row("user", USER_LATER)
        .absent(Absent::Unset("the user who starts it"))
        .value_flag(Some('u'), "USER", "run as this user (a name or an id)")
        .prose("Become this user before anything else is opened; needs root. Logs, pidfile and sockets \
                must then be writable for that user.");
    IDENTIFIER: String = row("identifier", TEXT)
        .default("supervisor")
        .reread(Reread::AtOnce)
        .value_flag(Some('i'), "STR", "call this instance STR")
        .prose("A name for this daemon, shown by the RPC interface, in events and in the names of \
                automatic child logs.");
    DIRECTORY: PathBuf = row("directory", EXISTING_DIRECTORY)
        .absent(Absent::Unset("no change"))
        .value_flag(Some('d'), "DIRECTORY", "change to DIRECTORY when becoming a daemon")
        .prose("Change to this directory when the daemon goes into the background.");
    NOCLEANUP: bool = row("nocleanup", BOOLEAN)
        .default("false")
        .flag('k', "keep the automatic child logs of earlier runs")
        .prose("Keep the automatic child logs of earlier runs, which are otherwise removed at start.");
    CHILDLOGDIR: PathBuf = row("childlogdir", EXISTING_DIRECTORY)
        .absent(Absent::Unset("the directory for temporary files"))
        .reread(Reread::AtOnce)
        .value_flag(Some('q'), "DIRECTORY", "put automatic child logs into DIRECTORY")
        .prose("Directory of the automatic child logs (`stdout_logfile=AUTO`).");
    DAEMON_ENVIRONMENT: Pairs = row("environment", ENVIRONMENT)
        .absent(Absent::Default(""))
        .scope(Scope::Node)
        .label("environment")
        .reread(Reread::ChangesGroup)
        .prose("Variables for every child; a program's own `environment` wins over them. They are not put \
                into the daemon's environment, but `%(ENV_X)s` can use them in all other sections.");
    STRIP_ANSI: bool = row("strip_ansi", BOOLEAN)
        .default("false")
        .reread(Reread::AtOnce)
        .flag('t', "remove ANSI escape sequences from what children print")
        .prose("Remove ANSI escape sequences, such as colours, from what children print before it is \
                logged.");
    DEATH: ProgramsOnDeath = row("programs_on_death", PROGRAMS_ON_DEATH)
        .default("leave")
        .prose("What becomes of the programs when the daemon dies without having stopped them: by SIGKILL, for want \
                of memory, by a fault of its own. `leave`: they go on and nobody looks after them any more. `keep`: \
                they go on, and the daemon is started again and takes them over, with their pids and output. `kill`: \
                they are killed, and all that they have started. For the last two the daemon has a small parent, \
                see docs/survival.md.");
}
