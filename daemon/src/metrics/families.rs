//! The table: a row per metric.

/// A metric and all that goes by its name.
#[derive(Debug)]
pub(super) struct Family {
    /// What its samples are taken from.
    pub(super) id: Id,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
    /// Given only if it was asked for.
    pub(super) is_costly: bool,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    /// A sum and a count.
    Summary,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Summary => "summary",
        }
    }
}

/// Makes the rows, the names of each, and the lists that are gone through.
macro_rules! table {
    ($(
        $group:ident: [$(
            $id:ident $constant:ident = $kind:ident $name:literal [$($label:literal),*]: $help:literal
        ),+ $(,)?]
    )+) => {
        /// The names of the rows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Id {
            $($($id,)+)+
        }

        $($(pub(super) const $constant: Family = Family {
            id: Id::$id,
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
            is_costly: matches!(Id::$id, Id::Descriptors),
        };)+)+

        $(pub(super) const $group: &[Family] = &[$($constant),+];)+

        /// Every row.
        pub(super) const ALL: &[&[Family]] = &[$($group),+];
    };
}

table! {
    OF_THE_DAEMON: [
        BuildInfo BUILD_INFO = Gauge "supervisor_build_info" ["version", "supervisor_version"]:
            "Always 1; the labels tell the versions.",
        State STATE = Gauge "supervisor_state" ["identifier"]:
            "State of the daemon: 1 running, 0 restarting, -1 shutting down.",
        StartTime START_TIME = Gauge "supervisor_start_time_seconds" []:
            "Unix time of the start of this life of the daemon; a restart begins another.",
        Connections CONNECTIONS = Gauge "supervisor_http_connections" []:
            "Open connections to all HTTP servers.",
        EventStreams EVENT_STREAMS = Gauge "supervisor_event_streams" []:
            "Clients that follow events.",
        EventStreamsCutOff EVENT_STREAMS_CUT_OFF = Counter "supervisor_event_streams_cut_off_total" []:
            "Clients that were cut off because they did not read their events.",
        OwnMemory OWN_MEMORY = Gauge "process_resident_memory_bytes" []:
            "Resident memory of the daemon.",
        OwnCpu OWN_CPU = Counter "process_cpu_seconds_total" []:
            "CPU time of the daemon, user and kernel.",
        OwnDescriptors OWN_DESCRIPTORS = Gauge "process_open_fds" []:
            "Open descriptors of the daemon."
    ]
    OF_ALL_PROCESSES: [
        Processes PROCESSES = Gauge "supervisor_processes" ["state"]:
            "Processes by state."
    ]
    OF_PROCESSES: [
        Up UP = Gauge "supervisor_process_up" ["group", "name"]:
            "Whether the process is RUNNING.",
        ProcessState PROCESS_STATE = Gauge "supervisor_process_state" ["group", "name"]:
            "State: 0 STOPPED, 10 STARTING, 20 RUNNING, 30 BACKOFF, 40 STOPPING, 100 EXITED, 200 FATAL, 1000 UNKNOWN.",
        ProcessStart PROCESS_START = Gauge "supervisor_process_start_time_seconds" ["group", "name"]:
            "Unix time of the last start; none for a process that was never started.",
        Uptime UPTIME = Gauge "supervisor_process_uptime_seconds" ["group", "name"]:
            "Time since the last start of a process that lives, 0 for others.",
        ExitStatus EXIT_STATUS = Gauge "supervisor_process_exit_status" ["group", "name"]:
            "Exit status of the last run, -1 after a signal.",
        Starts STARTS = Counter "supervisor_process_starts_total" ["group", "name"]:
            "Processes created.",
        Restarts RESTARTS = Counter "supervisor_process_restarts_total" ["group", "name"]:
            "Processes created after the first.",
        FailedStarts FAILED_STARTS = Counter "supervisor_process_failed_starts_total" ["group", "name"]:
            "Starts that created no process.",
        Exits EXITS = Counter "supervisor_process_exits_total" ["group", "name", "cause"]:
            "Ends: stopped (asked for), expected (one of exitcodes), unexpected, too_quick (before startsecs were over).",
        LastExit LAST_EXIT = Gauge "supervisor_process_last_exit_time_seconds" ["group", "name"]:
            "Unix time of the last end; none for a process that never ended.",
        PeakMemory PEAK_MEMORY = Gauge "supervisor_process_last_exit_peak_memory_bytes" ["group", "name"]:
            "The most resident memory of the run that ended last.",
        LogBytes LOG_BYTES = Counter "supervisor_process_log_bytes_total" ["group", "name", "channel"]:
            "Bytes given to the logs.",
        Memory MEMORY = Gauge "supervisor_process_resident_memory_bytes" ["group", "name"]:
            "Resident memory of a process that lives.",
        Cpu CPU = Counter "supervisor_process_cpu_seconds_total" ["group", "name"]:
            "CPU time of a process that lives, user and kernel, since its start.",
        Descriptors DESCRIPTORS = Gauge "supervisor_process_open_fds" ["group", "name"]:
            "Open descriptors of a process that lives; only with ?descriptors=true."
    ]
    OF_POOLS: [
        Backlog BACKLOG = Gauge "supervisor_pool_events_waiting" ["pool"]:
            "Events that wait for a listener.",
        BacklogBytes BACKLOG_BYTES = Gauge "supervisor_pool_buffer_bytes" ["pool"]:
            "What waiting events take: memory, or the pool's files.",
        Oldest OLDEST = Gauge "supervisor_pool_oldest_event_age_seconds" ["pool"]:
            "How long the oldest event has been waiting.",
        Resting RESTING = Gauge "supervisor_pool_events_resting" ["pool"]:
            "Waiting events that rest because they were rejected again and again.",
        InFlight IN_FLIGHT = Gauge "supervisor_pool_events_in_flight" ["pool"]:
            "Events that listeners are working on.",
        Delivered DELIVERED = Counter "supervisor_pool_events_delivered_total" ["pool"]:
            "Events accepted by a listener.",
        Rejected REJECTED = Counter "supervisor_pool_events_rejected_total" ["pool"]:
            "Events that came back, to be sent again.",
        Discarded DISCARDED = Counter "supervisor_pool_events_discarded_total" ["pool"]:
            "Events lost: too many were waiting, their file was damaged, or an update removed their pool.",
        Handling HANDLING = Summary "supervisor_pool_event_handling_seconds" ["pool"]:
            "Events that listeners have answered, and the time from sending to answering.",
        DiskFailed DISK_FAILED = Gauge "supervisor_pool_disk_failed" ["pool"]:
            "Whether the disk refuses to keep the events of a durable pool.",
        Listeners LISTENERS = Gauge "supervisor_pool_listeners" ["pool", "state"]:
            "Listeners by state in the protocol: READY, BUSY, ACKNOWLEDGED, UNKNOWN."
    ]
    OF_EVENTS: [
        Events EVENTS = Counter "supervisor_events_total" ["type"]:
            "Events raised. Output, messages and ticks are raised only while somebody wants them."
    ]
    OF_CALLS: [
        Calls CALLS = Summary "supervisor_rpc_duration_seconds" ["method"]:
            "Calls by XML-RPC, JSON and the pages, and the time they took, waiting for programs included.",
        CallFaults CALL_FAULTS = Counter "supervisor_rpc_faults_total" ["method"]:
            "Calls that ended in a fault."
    ]
}
