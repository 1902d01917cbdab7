//! The table: a row per route.

use protocol::methods::Method as Call;

use super::route::Place::{Body, Path, Query};
use super::route::Verb::{Get, Post};
use super::route::{Action, Answer, Kind, Need, Param, Route, Scope, json};
use super::shapes::{
    Changes, ConfigEntry, Daemon, Done, DoneOrRows, Group, LogText, Pool, Process, Row,
};

const NAME: Param = Param::new(
    Path,
    "name",
    Kind::Text,
    Need::Required,
    "The process, `group:name` or `name`.",
);
const NAME_OR_GROUP: Param = Param::new(
    Path,
    "name",
    Kind::Text,
    Need::Required,
    "The process, or `group:*` for all of a group.",
);
const GROUP: Param = Param::new(Path, "name", Kind::Text, Need::Required, "The group.");
const CHANNEL: Param = Param::new(
    Path,
    "channel",
    Kind::OneOf(&["stdout", "stderr"]),
    Need::Required,
    "Which log.",
);
const WAIT: Param = Param::new(
    Body,
    "wait",
    Kind::Flag,
    Need::Flag(true),
    "Answer when it is done and known whether it went well.",
);
const SIGNAL: Param = Param::new(
    Body,
    "signal",
    Kind::Signal,
    Need::Required,
    "The signal, by name (with or without `SIG`) or number.",
);
const OFFSET: Param = Param::new(
    Query,
    "offset",
    Kind::Integer,
    Need::Number(0),
    "Where to begin, in bytes; negative counts from the end.",
);
const LENGTH: Param = Param::new(
    Query,
    "length",
    Kind::Integer,
    Need::Number(0),
    "How many bytes at most; 0 means to the end.",
);
const TAIL: Param = Param::new(
    Query,
    "tail",
    Kind::Count(64 * 1024 * 1024),
    Need::Optional,
    "Read what is new since `offset`, but so many bytes of the end at most.",
);
const HEAD_START: Param = Param::new(
    Query,
    "tail",
    Kind::Count(64 * 1024 * 1024),
    Need::Number(1024),
    "Begin with the lines in so many bytes of the end.",
);
const UNFINISHED: Param = Param::new(
    Query,
    "unfinished",
    Kind::Flag,
    Need::Flag(false),
    "Tell what is there of a line without an end: an event `unfinished` for each piece of it.",
);
const EVENTS_TOO: Param = Param::new(
    Query,
    "types",
    Kind::EventTypes,
    Need::Optional,
    "Tell events of these types as well, as `/api/v1/events` does.",
);
const USAGE: Param = Param::new(
    Query,
    "usage",
    Kind::Flag,
    Need::Flag(false),
    "Tell what is used of the machine now.",
);

const LINE: &str = "One event per line of the log, its data the line as text; an event `truncated` where the file was \
                    emptied. What is there of a line without an end follows with its end, unless `unfinished` is asked \
                    for.";
const EVENT: &str = "One event per event of the daemon, named by its type, its data an object of the schema `Event`.";

/// Every route, in the order of the document.
pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Get,
        "/api/v1/daemon",
        "getDaemon",
        &[USAGE],
        Action::Daemon,
        json::<Daemon<'static>>(),
    )
    .about("Tells about the daemon itself."),
    call(
        "/api/v1/daemon/shutdown",
        "shutdown",
        &[],
        Call::Shutdown,
        json::<Done>(),
    ),
    call(
        "/api/v1/daemon/restart",
        "restart",
        &[],
        Call::Restart,
        json::<Done>(),
    ),
    Route::new(
        Post,
        "/api/v1/daemon/reload-config",
        "reloadConfig",
        &[],
        Action::Reload,
        json::<Changes>(),
    )
    .about("Reads the configuration again and tells which groups have changed; applies nothing."),
    call(
        "/api/v1/daemon/clear-log",
        "clearLog",
        &[],
        Call::ClearLog,
        json::<Done>(),
    ),
    Route::new(
        Get,
        "/api/v1/daemon/log",
        "readLog",
        &[OFFSET, LENGTH],
        Action::MainLog,
        json::<LogText>(),
    )
    .about("Reads a piece of the daemon's own log."),
    Route::new(
        Get,
        "/api/v1/daemon/log/follow",
        "followLog",
        &[HEAD_START, UNFINISHED, EVENTS_TOO],
        Action::FollowMain,
        Answer::Events(LINE),
    )
    .about("Follows the daemon's own log."),
    Route::new(
        Get,
        "/api/v1/processes",
        "listProcesses",
        &[
            Param::new(
                Query,
                "group",
                Kind::Text,
                Need::Optional,
                "Only those of this group.",
            ),
            Param::new(
                Query,
                "state",
                Kind::OneOf(STATES),
                Need::Optional,
                "Only those in this state.",
            ),
            USAGE,
        ],
        Action::Processes,
        json::<Vec<Process<'static>>>(),
    )
    .about("Tells the state of every process, by group and name."),
    Route::new(
        Get,
        "/api/v1/processes/{name}",
        "getProcess",
        &[
            NAME,
            USAGE,
            Param::new(
                Query,
                "log_lines",
                Kind::Count(1000),
                Need::Number(0),
                "Add so many of the last lines of both logs.",
            ),
        ],
        Action::Process,
        json::<Process<'static>>(),
    )
    .about(
        "Tells the state of a process, what it has been through, and how it ended the last time.",
    ),
    call(
        "/api/v1/processes/start",
        "startAllProcesses",
        &[WAIT],
        Call::StartAllProcesses,
        json::<Vec<Row>>(),
    ),
    call(
        "/api/v1/processes/stop",
        "stopAllProcesses",
        &[WAIT],
        Call::StopAllProcesses,
        json::<Vec<Row>>(),
    ),
    restart(
        "/api/v1/processes/restart",
        "restartAllProcesses",
        &[WAIT],
        Scope::All,
        json::<Vec<Row>>(),
    )
    .about("Stops every process that runs, then starts every process."),
    call(
        "/api/v1/processes/signal",
        "signalAllProcesses",
        &[SIGNAL],
        Call::SignalAllProcesses,
        json::<Vec<Row>>(),
    ),
    call(
        "/api/v1/processes/clear-logs",
        "clearAllProcessLogs",
        &[],
        Call::ClearAllProcessLogs,
        json::<Vec<Row>>(),
    ),
    call(
        "/api/v1/processes/{name}/start",
        "startProcess",
        &[NAME_OR_GROUP, WAIT],
        Call::StartProcess,
        json::<DoneOrRows>(),
    ),
    call(
        "/api/v1/processes/{name}/stop",
        "stopProcess",
        &[NAME_OR_GROUP, WAIT],
        Call::StopProcess,
        json::<DoneOrRows>(),
    ),
    restart(
        "/api/v1/processes/{name}/restart",
        "restartProcess",
        &[NAME_OR_GROUP, WAIT],
        Scope::Named,
        json::<DoneOrRows>(),
    )
    .about("Stops a process if it runs, then starts it."),
    call(
        "/api/v1/processes/{name}/signal",
        "signalProcess",
        &[NAME_OR_GROUP, SIGNAL],
        Call::SignalProcess,
        json::<DoneOrRows>(),
    ),
    call(
        "/api/v1/processes/{name}/clear-logs",
        "clearProcessLogs",
        &[NAME],
        Call::ClearProcessLogs,
        json::<Done>(),
    ),
    call(
        "/api/v1/processes/{name}/stdin",
        "sendProcessStdin",
        &[
            NAME,
            Param::new(
                Body,
                "chars",
                Kind::Text,
                Need::Required,
                "The text, sent as UTF-8; no newline is added.",
            ),
        ],
        Call::SendProcessStdin,
        json::<Done>(),
    ),
    Route::new(
        Get,
        "/api/v1/processes/{name}/logs/{channel}",
        "readProcessLog",
        &[NAME, CHANNEL, OFFSET, LENGTH, TAIL],
        Action::ReadLog,
        json::<LogText>(),
    )
    .about("Reads a piece of a process's log; with `Accept: text/event-stream` follows it."),
    Route::new(
        Get,
        "/api/v1/processes/{name}/logs/{channel}/follow",
        "followProcessLog",
        &[NAME, CHANNEL, HEAD_START, UNFINISHED, EVENTS_TOO],
        Action::FollowLog,
        Answer::Events(LINE),
    )
    .about("Follows a process's log."),
    Route::new(
        Get,
        "/api/v1/groups",
        "listGroups",
        &[],
        Action::Groups,
        json::<Vec<Group>>(),
    )
    .about("Tells which groups are active, and the states of their processes."),
    call(
        "/api/v1/groups/{name}/start",
        "startGroup",
        &[GROUP, WAIT],
        Call::StartProcessGroup,
        json::<Vec<Row>>(),
    ),
    call(
        "/api/v1/groups/{name}/stop",
        "stopGroup",
        &[GROUP, WAIT],
        Call::StopProcessGroup,
        json::<Vec<Row>>(),
    ),
    restart(
        "/api/v1/groups/{name}/restart",
        "restartGroup",
        &[GROUP, WAIT],
        Scope::Group,
        json::<Vec<Row>>(),
    )
    .about("Stops the processes of a group that run, then starts all of them."),
    call(
        "/api/v1/groups/{name}/signal",
        "signalGroup",
        &[GROUP, SIGNAL],
        Call::SignalProcessGroup,
        json::<Vec<Row>>(),
    ),
    call(
        "/api/v1/groups/{name}/add",
        "addGroup",
        &[GROUP],
        Call::AddProcessGroup,
        json::<Done>(),
    ),
    call(
        "/api/v1/groups/{name}/remove",
        "removeGroup",
        &[GROUP],
        Call::RemoveProcessGroup,
        json::<Done>(),
    ),
    inquiry(
        "/api/v1/config",
        "getConfig",
        &[],
        Call::GetAllConfigInfo,
        json::<Vec<ConfigEntry<'static>>>(),
    ),
    inquiry(
        "/api/v1/pools",
        "listPools",
        &[],
        Call::GetAllEventPoolInfo,
        json::<Vec<Pool<'static>>>(),
    ),
    inquiry(
        "/api/v1/pools/{name}",
        "getPool",
        &[GROUP],
        Call::GetEventPoolInfo,
        json::<Pool<'static>>(),
    ),
    Route::new(
        Get,
        "/api/v1/events",
        "watchEvents",
        &[Param::new(
            Query,
            "types",
            Kind::EventTypes,
            Need::Optional,
            "Only these types, with commas between them; a type stands for its whole branch.",
        )],
        Action::Events,
        Answer::Events(EVENT),
    )
    .about("Tells every event as it happens."),
    call(
        "/api/v1/remote-event",
        "sendRemoteEvent",
        &[
            Param::new(
                Body,
                "type",
                Kind::Text,
                Need::Required,
                "Says what sort of event it is.",
            ),
            Param::new(
                Body,
                "data",
                Kind::Text,
                Need::Required,
                "The body of the event.",
            ),
        ],
        Call::SendRemoteCommEvent,
        json::<Done>(),
    ),
    Route::new(
        Get,
        "/api/v1/openapi.json",
        "getOpenApi",
        &[],
        Action::OpenApi,
        Answer::Document,
    )
    .about("This document."),
    Route::new(
        Get,
        "/metrics",
        "getMetrics",
        &[Param::new(
            Query,
            "descriptors",
            Kind::Flag,
            Need::Flag(false),
            "Count the open descriptors of every process as well, which takes longer.",
        )],
        Action::Metrics,
        Answer::Text,
    )
    .about("Metrics in Prometheus's text format."),
];

/// The names of all states.
pub(super) const STATES: &[&str] = &[
    "STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN",
];

const fn call(
    path: &'static str,
    operation: &'static str,
    params: &'static [Param],
    method: Call,
    answer: Answer,
) -> Route {
    Route::new(Post, path, operation, params, Action::Call(method), answer)
}

const fn inquiry(
    path: &'static str,
    operation: &'static str,
    params: &'static [Param],
    method: Call,
    answer: Answer,
) -> Route {
    Route::new(Get, path, operation, params, Action::Call(method), answer)
}

const fn restart(
    path: &'static str,
    operation: &'static str,
    params: &'static [Param],
    scope: Scope,
    answer: Answer,
) -> Route {
    Route::new(
        Post,
        path,
        operation,
        params,
        Action::Restart(scope),
        answer,
    )
}
