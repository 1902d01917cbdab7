//! `[program:x]`, and what `[fcgi-program:x]` and `[eventlistener:x]` share with it.

use super::{Absent, Scope, SectionKind, Typed, declare};
use crate::convert::{
    AUTO_RESTART, BOOLEAN, BYTES, CHILD_LOG, ChildLogSetting, ENVIRONMENT, EXIT_CODES, INTEGER,
    NAME, OCTAL, SIGNAL, TEXT, USER, ValueType,
};
use crate::environment::Pairs;
use crate::model::{AutoRestart, SignalNumber, UserConfig};

/// The most processes one section may ask for.
const MOST_PROCESSES: i64 = 100_000;

const PROGRAMS: &[SectionKind] = &[
    SectionKind::Program,
    SectionKind::FcgiProgram,
    SectionKind::EventListener,
];

/// An option that all processes of a section have in common.
const fn shared<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(PROGRAMS, key, kind).scope(Scope::Program)
}

/// An option that may differ from process to process.
const fn each<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(PROGRAMS, key, kind).scope(Scope::Process)
}

declare! {
    COMMAND: String = each("command", TEXT)
        .absent(Absent::Required("program section {} does not specify a command"))
        .prose("The command line. It is split into words as a shell does it, quotes included, but no \
                shell runs it: variables and wildcards mean nothing. A command without a slash is searched \
                in `PATH`. It must stay in the foreground.");
    PROCESS_NAME: String = each("process_name", NAME)
        .default("%(program_name)s")
        .label("process_name")
        .prose("Name of the process within its group. With `numprocs` over 1 it must contain \
                `%(process_num)s`, with or without a width (`%(process_num)02d`).");
    NUMPROCS: i64 = shared("numprocs", INTEGER)
        .default("1")
        .range(i64::MIN, MOST_PROCESSES)
        .prose("How many processes to run. With 0 the group is empty.");
    NUMPROCS_START: i64 = shared("numprocs_start", INTEGER)
        .default("0")
        .prose("The number of the first process, `%(process_num)s`.");
    PRIORITY: i64 = shared("priority", INTEGER)
        .absent(Absent::Unset("999; the group of an event listener has -1"))
        .prose("Order of starting and stopping, of the group and within it: lower starts first and stops \
                last.");
    AUTOSTART: bool = shared("autostart", BOOLEAN)
        .default("true")
        .prose("Start with the daemon, and when the group is added.");
    AUTORESTART: AutoRestart = shared("autorestart", AUTO_RESTART)
        .default("unexpected")
        .prose("What to do when a running process exits: start it again always, never, or only if its \
                exit code is not one of `exitcodes`.");
    STARTSECS: i64 = shared("startsecs", INTEGER)
        .default("1")
        .prose("Seconds a process must stay up before it counts as running. 0: it does at once, and \
                exiting soon is no failure.");
    STARTRETRIES: i64 = shared("startretries", INTEGER)
        .default("3")
        .prose("How many further attempts follow a failed start, each a second later than the one \
                before, until the process is given up as FATAL.");
    EXITCODES: Vec<i32> = shared("exitcodes", EXIT_CODES)
        .default("0")
        .prose("Exit codes that are expected, for `autorestart=unexpected` and in events.");
    STOPSIGNAL: SignalNumber = shared("stopsignal", SIGNAL)
        .default("TERM")
        .prose("The signal that asks the process to stop. With 0 it is not asked, only killed after \
                `stopwaitsecs`.");
    STOPWAITSECS: i64 = shared("stopwaitsecs", INTEGER)
        .default("10")
        .prose("Seconds to wait for the process to stop before it is killed.");
    STOPASGROUP: bool = shared("stopasgroup", BOOLEAN)
        .default("false")
        .prose("Send the stop signal to the whole process group, so that children of the process stop \
                too. Implies `killasgroup`.");
    KILLASGROUP: bool = shared("killasgroup", BOOLEAN)
        .absent(Absent::Unset("the value of stopasgroup"))
        .prose("Send SIGKILL to the whole process group.");
    PROCESS_USER: UserConfig = shared("user", USER)
        .absent(Absent::Unset("the daemon's user"))
        .prose("The user to run as; needs root. `HOME` and the like are not changed: set them with \
                `environment`.");
    PROCESS_UMASK: u32 = shared("umask", OCTAL)
        .absent(Absent::Unset("the daemon's umask"))
        .prose("The umask of the process.");
    PROCESS_DIRECTORY: String = each("directory", TEXT)
        .absent(Absent::Unset("the daemon's directory"))
        .prose("The working directory of the process.");
    PROCESS_ENVIRONMENT: Pairs = Typed::new(PROGRAMS, "environment", ENVIRONMENT)
        .absent(Absent::Default(""))
        .scope(Scope::ProcessEnvironment)
        .label("environment")
        .prose("Variables for the process, over those of `[supervisord]` and the daemon's own. Other \
                options of the section can use them as `%(ENV_X)s`.");
    PROCESS_SERVERURL: String = shared("serverurl", TEXT)
        .absent(Absent::Unset("AUTO, an address of the daemon's own servers"))
        .prose("The value of `SUPERVISOR_SERVER_URL`, with which the process can find the daemon.");
    REDIRECT_STDERR: bool = shared("redirect_stderr", BOOLEAN)
        .default("false")
        .prose("Send standard error to standard output. Event listeners may not do so.");
    STDOUT_LOGFILE: ChildLogSetting = each("stdout_logfile", CHILD_LOG)
        .default("AUTO")
        .prose("Where standard output goes. `AUTO` is a file in `childlogdir` that is removed at the next \
                start, `NONE` is nowhere.");
    STDOUT_LOGFILE_MAXBYTES: i64 = each("stdout_logfile_maxbytes", BYTES)
        .default("50MB")
        .prose("Size at which the log is rotated. 0 lets it grow without end.");
    STDOUT_LOGFILE_BACKUPS: i64 = each("stdout_logfile_backups", INTEGER)
        .default("10")
        .prose("How many rotated logs are kept. With 0 the log is emptied when it is full.");
    STDOUT_CAPTURE_MAXBYTES: i64 = shared("stdout_capture_maxbytes", BYTES)
        .default("0")
        .prose("Most bytes of a PROCESS_COMMUNICATION event that the process sends between the marks \
                `<!--XSUPERVISOR:BEGIN-->` and `<!--XSUPERVISOR:END-->`. 0 ignores the marks.");
    STDOUT_EVENTS_ENABLED: bool = shared("stdout_events_enabled", BOOLEAN)
        .default("false")
        .prose("Raise a PROCESS_LOG_STDOUT event for whatever the process prints.");
    STDOUT_SYSLOG: bool = each("stdout_syslog", BOOLEAN)
        .default("false")
        .prose("Send each line of standard output to the system log, besides the log file.");
    STDERR_LOGFILE: ChildLogSetting = each("stderr_logfile", CHILD_LOG)
        .default("AUTO")
        .prose("Where standard error goes, as `stdout_logfile`. Without effect under \
                `redirect_stderr=true`, like all of `stderr_*`.");
    STDERR_LOGFILE_MAXBYTES: i64 = each("stderr_logfile_maxbytes", BYTES)
        .default("50MB")
        .prose("Size at which the log is rotated. 0 lets it grow without end.");
    STDERR_LOGFILE_BACKUPS: i64 = each("stderr_logfile_backups", INTEGER)
        .default("10")
        .prose("How many rotated logs are kept. With 0 the log is emptied when it is full.");
    STDERR_CAPTURE_MAXBYTES: i64 = shared("stderr_capture_maxbytes", BYTES)
        .default("0")
        .prose("As `stdout_capture_maxbytes`, for standard error.");
    STDERR_EVENTS_ENABLED: bool = shared("stderr_events_enabled", BOOLEAN)
        .default("false")
        .prose("Raise a PROCESS_LOG_STDERR event for whatever the process prints there.");
    STDERR_SYSLOG: bool = each("stderr_syslog", BOOLEAN)
        .default("false")
        .prose("Send each line of standard error to the system log, besides the log file.");
}
