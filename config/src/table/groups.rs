//! What `[fcgi-program:x]` and `[eventlistener:x]` add to a program, `[group:x]` and `[include]`.

use std::path::PathBuf;

use super::{Absent, Reread, Scope, SectionKind, Typed, declare};
use crate::convert::{
    BYTES, EVENT_LEN, EVENT_LIST, FCGI_ADDRESS, FILE_PATH, INTEGER, LIST, OCTAL, OWNER, Owner,
    SYNC_POLICY, SocketTarget, ValueType, WORDS, factory,
};
use crate::model::{EventLen, SyncPolicy};

const fn fcgi<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(&[SectionKind::FcgiProgram], key, kind).scope(Scope::Here)
}

const fn listener<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(&[SectionKind::EventListener], key, kind).scope(Scope::Here)
}

const fn group<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(&[SectionKind::Group], key, kind).scope(Scope::Here)
}

declare! {
    SOCKET: SocketTarget = fcgi("socket", FCGI_ADDRESS)
        .absent(Absent::Required("[{}] section requires a \"socket\" line"))
        .scope(Scope::FcgiSocket)
        .prose("The listening socket that all processes of the section get as their standard input. It \
                is open while at least one of them runs.");
    SOCKET_OWNER: Owner = fcgi("socket_owner", OWNER)
        .absent(Absent::Unset("`user` and that user's group, if it is not the daemon's"))
        .prose("Owner of a Unix socket.");
    SOCKET_MODE: u32 = fcgi("socket_mode", OCTAL)
        .absent(Absent::Unset("0700"))
        .prose("Permissions of a Unix socket.");
    SOCKET_BACKLOG: i64 = fcgi("socket_backlog", INTEGER)
        .absent(Absent::Unset("the system's maximum"))
        .range(1, 65_535)
        .prose("How many connections may wait to be accepted.");
    EVENTS: Vec<String> = listener("events", EVENT_LIST)
        .absent(Absent::Required("[{}] section requires an \"events\" line"))
        .prose("The events to be sent to the listener. The name of a family, such as PROCESS_STATE, \
                stands for all of it, EVENT for everything.");
    BUFFER_SIZE: i64 = listener("buffer_size", INTEGER)
        .absent(Absent::Unset("bounded by memory only"))
        .range(1, i64::MAX)
        .prose("How many events may wait while the listeners of the pool are busy. When one more comes, \
                the oldest is dropped.");
    RESULT_HANDLER: String = listener("result_handler", factory(RESULT_HANDLERS_LISTED))
        .default(RESULT_HANDLERS[0])
        .prose("What judges the listener's answers: Supervisor's own, or that of supervisor_stdout, which \
                prints them. Other Python code cannot be loaded: let the listener itself act on events.");
    EVENT_LENGTH: EventLen = listener("event_len", EVENT_LEN)
        .default("characters")
        .prose("What `len` in the header of an event counts. Supervisor counts characters, which suits \
                listeners that read text; `bytes` is for those that read bytes. An extension: \
                Supervisor ignores the option.");
    BUFFER_FILE: PathBuf = listener("buffer_file", FILE_PATH)
        .absent(Absent::Unset("events are in memory only, and end with the daemon"))
        .scope(Scope::Program)
        .prose("Events of the pool are kept in files whose names begin with this path until a listener has \
                accepted them, and outlast the daemon: each is delivered at least once, with the numbers it \
                had. See [listeners](listeners.md#durable-pools). An extension: Supervisor ignores the option.");
    BUFFER_FILE_MAXBYTES: i64 = listener("buffer_file_maxbytes", BYTES)
        .default("1GB")
        .range(1 << 20, i64::MAX)
        .prose("Most bytes that `buffer_file` may take. When there are more, the oldest events are dropped, a \
                sixteenth of it or 16 MB at a time.");
    BUFFER_FILE_SYNC: SyncPolicy = listener("buffer_file_sync", SYNC_POLICY)
        .default("1")
        .prose("How soon events in `buffer_file` must have reached the disk, so that they outlast a crash of \
                the machine. A crash or end of the daemon loses nothing either way. The daemon never \
                waits for the disk.");
    GROUP_PROGRAMS: Vec<String> = group("programs", LIST)
        .absent(Absent::Default(""))
        .prose("The programs of the group, in their order: names of `[program:x]` or `[fcgi-program:x]` \
                sections. They lose the groups of their own.");
    GROUP_PRIORITY: i64 = group("priority", INTEGER)
        .default("999")
        .prose("Order of starting and stopping among the groups: lower starts first and stops last.");
    INCLUDE_FILES: Vec<String> = Typed::new(&[SectionKind::Include], "files", WORDS)
        .absent(Absent::Unset("an error"))
        .scope(Scope::Node)
        .label("include.files")
        .reread(Reread::DecidesWhatIsRead)
        .prose("Further files to read after this one, separated by blanks. `*`, `?` and `[...]` are \
                wildcards; relative paths are seen from this file's directory. An `[include]` in an \
                included file is ignored.");
}

/// The result handlers there are, the default one first.
pub(crate) const RESULT_HANDLERS: [&str; 2] = [
    "supervisor.dispatchers:default_handler",
    "supervisor_stdout:event_handler",
];

const RESULT_HANDLERS_LISTED: &str =
    "`supervisor.dispatchers:default_handler` or `supervisor_stdout:event_handler`";
