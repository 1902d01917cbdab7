//! The table: a row per method.

use super::Type::{Array, Boolean, Int, String, Struct};
use super::{Namespace, Outcome, Param, Spec};
use crate::faults::FaultCode::{
    AbnormalTermination, AlreadyAdded, AlreadyStarted, BadArguments, BadName, BadSignal,
    CantReread, Failed, IncorrectParameters, NoFile, NotExecutable, NotRunning,
    SignatureUnsupported, SpawnError, StillRunning,
};

/// Makes the rows, the enum of their names and the look-up by name, which the compiler turns into comparisons of
/// lengths and bytes.
macro_rules! table {
    ($(
        $method:ident = $namespace:ident [$($name:literal),+]: $summary:literal,
        params: [$($param:expr),*], result: $result:expr, faults: [$($fault:ident),*];
    )+) => {
        /// A method; the names are the table's.
        #[allow(missing_docs)] // the table says it
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Method {
            $($method,)+
        }

        impl Method {
            /// Every row, in the order of the enum.
            pub const TABLE: &[Spec] = &[$(Spec {
                method: Method::$method,
                namespace: Namespace::$namespace,
                names: &[$($name),+],
                summary: $summary,
                params: &[$($param),*],
                result: $result,
                faults: &[$($fault),*],
            },)+];

            /// The method of a namespace with this name or alias.
            pub fn find(namespace: Namespace, name: &str) -> Option<Self> {
                match (namespace, name) {
                    $((Namespace::$namespace, $($name)|+) => Some(Self::$method),)+
                    _ => None,
                }
            }

            /// Its row.
            pub const fn spec(self) -> &'static Spec {
                &Self::TABLE[self as usize]
            }
        }
    };
}

const fn param(kind: super::Type, name: &'static str, doc: &'static str) -> Param {
    Param {
        name,
        kind,
        optional: false,
        doc,
    }
}

const fn result(kind: super::Type, doc: &'static str) -> Outcome {
    Outcome { kind, doc }
}

const PROCESS: Param = param(String, "name", "The process, `group:name` or `name`.");
const PROCESS_OR_GROUP: Param = param(
    String,
    "name",
    "The process, or `group:*` for all of a group.",
);
const GROUP: Param = param(String, "name", "The group.");
const SIGNAL: Param = param(
    String,
    "signal",
    "The signal, by name (with or without `SIG`) or number.",
);
const OFFSET: Param = param(
    Int,
    "offset",
    "Where to begin, in bytes; negative counts from the end.",
);
const LENGTH: Param = param(Int, "length", "How many bytes at most; 0 means to the end.");
const TAIL_OFFSET: Param = param(Int, "offset", "The end of what is known already, in bytes.");
const TAIL_LENGTH: Param = param(Int, "length", "How many bytes at most.");
const WAIT_UP: Param = Param {
    name: "wait",
    kind: Boolean,
    optional: true,
    doc: "Answer when it is known whether it runs (default).",
};
const WAIT_GONE: Param = Param {
    name: "wait",
    kind: Boolean,
    optional: true,
    doc: "Answer when it is gone (default).",
};

const DONE: Outcome = result(Boolean, "True.");
const DONE_OR_ROWS: Outcome = result(
    Boolean,
    "True; for a group an array with a struct per process.",
);
const ROWS: Outcome = result(Array, "A struct per process acted on.");
const LOG_TEXT: Outcome = result(String, "The text of the log.");
const TAIL: Outcome = result(
    Array,
    "The text, the size of the log, and whether text before it was left out.",
);

table! {
    GetApiVersion = Supervisor ["getAPIVersion", "getVersion"]:
        "Tells the version of this interface.",
        params: [], result: result(String, "`3.0`."), faults: [];
    GetSupervisorVersion = Supervisor ["getSupervisorVersion"]:
        "Tells which version of Supervisor the daemon behaves like.",
        params: [], result: result(String, "The version."), faults: [];
    GetIdentification = Supervisor ["getIdentification"]:
        "Tells the name of this instance.",
        params: [], result: result(String, "`identifier` of the section `[supervisord]`."), faults: [];
    GetState = Supervisor ["getState"]:
        "Tells the state of the daemon.",
        params: [], result: result(Struct, "`statecode` (int) and `statename` (string)."), faults: [];
    GetPid = Supervisor ["getPID"]:
        "Tells the daemon's process id.",
        params: [], result: result(Int, "The pid."), faults: [];
    ReadLog = Supervisor ["readLog", "readMainLog"]:
        "Reads a piece of the daemon's own log.",
        params: [OFFSET, LENGTH], result: LOG_TEXT, faults: [NoFile, BadArguments, Failed];
    ClearLog = Supervisor ["clearLog"]:
        "Empties the daemon's own log.",
        params: [], result: DONE, faults: [NoFile, Failed];
    Shutdown = Supervisor ["shutdown"]:
        "Asks the daemon to stop everything and exit.",
        params: [], result: result(Boolean, "True, at once."), faults: [];
    Restart = Supervisor ["restart"]:
        "Asks the daemon to stop everything and begin again with its configuration read anew.",
        params: [], result: result(Boolean, "True, at once."), faults: [CantReread];
    ReloadConfig = Supervisor ["reloadConfig"]:
        "Reads the configuration again and tells what has changed; applies nothing.",
        params: [],
        result: result(Array, "One array of three: names of the groups added, changed and removed."),
        faults: [CantReread];
    AddProcessGroup = Supervisor ["addProcessGroup"]:
        "Makes a configured group active and starts its autostart processes.",
        params: [GROUP], result: DONE, faults: [BadName, AlreadyAdded];
    RemoveProcessGroup = Supervisor ["removeProcessGroup"]:
        "Makes a group inactive whose processes are all stopped.",
        params: [GROUP], result: DONE, faults: [BadName, StillRunning];
    StartProcess = Supervisor ["startProcess"]:
        "Starts a process.",
        params: [PROCESS_OR_GROUP, WAIT_UP], result: DONE_OR_ROWS,
        faults: [BadName, NoFile, NotExecutable, AlreadyStarted, Failed, SpawnError, AbnormalTermination];
    StartProcessGroup = Supervisor ["startProcessGroup"]:
        "Starts the processes of a group that do not run.",
        params: [GROUP, WAIT_UP], result: ROWS, faults: [BadName];
    StartAllProcesses = Supervisor ["startAllProcesses"]:
        "Starts every process that does not run.",
        params: [WAIT_UP], result: ROWS, faults: [];
    StopProcess = Supervisor ["stopProcess"]:
        "Stops a process.",
        params: [PROCESS_OR_GROUP, WAIT_GONE], result: DONE_OR_ROWS, faults: [BadName, NotRunning, Failed];
    StopProcessGroup = Supervisor ["stopProcessGroup"]:
        "Stops the processes of a group that run.",
        params: [GROUP, WAIT_GONE], result: ROWS, faults: [BadName];
    StopAllProcesses = Supervisor ["stopAllProcesses"]:
        "Stops every process that runs.",
        params: [WAIT_GONE], result: ROWS, faults: [];
    SignalProcess = Supervisor ["signalProcess"]:
        "Sends a signal to a process.",
        params: [PROCESS_OR_GROUP, SIGNAL], result: DONE_OR_ROWS,
        faults: [BadName, BadSignal, NotRunning, Failed];
    SignalProcessGroup = Supervisor ["signalProcessGroup"]:
        "Sends a signal to the processes of a group that run.",
        params: [GROUP, SIGNAL], result: ROWS, faults: [BadName];
    SignalAllProcesses = Supervisor ["signalAllProcesses"]:
        "Sends a signal to every process that runs.",
        params: [SIGNAL], result: ROWS, faults: [];
    GetProcessInfo = Supervisor ["getProcessInfo"]:
        "Tells the state of a process.",
        params: [PROCESS],
        result: result(Struct, "Its names, state, times, pid, exit status, log files and a description."),
        faults: [BadName];
    GetAllProcessInfo = Supervisor ["getAllProcessInfo"]:
        "Tells the state of every process.",
        params: [], result: result(Array, "A struct per process, as of getProcessInfo, by group and name."),
        faults: [];
    GetAllConfigInfo = Supervisor ["getAllConfigInfo"]:
        "Tells the settings of every process in the configuration as it was last read.",
        params: [], result: result(Array, "A struct of settings per process, by name."), faults: [];
    ReadProcessStdoutLog = Supervisor ["readProcessStdoutLog", "readProcessLog"]:
        "Reads a piece of a process's standard output log.",
        params: [PROCESS, OFFSET, LENGTH], result: LOG_TEXT, faults: [BadName, NoFile, BadArguments, Failed];
    ReadProcessStderrLog = Supervisor ["readProcessStderrLog"]:
        "Reads a piece of a process's standard error log.",
        params: [PROCESS, OFFSET, LENGTH], result: LOG_TEXT, faults: [BadName, NoFile, BadArguments, Failed];
    TailProcessStdoutLog = Supervisor ["tailProcessStdoutLog", "tailProcessLog"]:
        "Reads what was added to a process's standard output log.",
        params: [PROCESS, TAIL_OFFSET, TAIL_LENGTH], result: TAIL, faults: [BadName];
    TailProcessStderrLog = Supervisor ["tailProcessStderrLog"]:
        "Reads what was added to a process's standard error log.",
        params: [PROCESS, TAIL_OFFSET, TAIL_LENGTH], result: TAIL, faults: [BadName];
    ClearProcessLogs = Supervisor ["clearProcessLogs", "clearProcessLog"]:
        "Empties both logs of a process.",
        params: [PROCESS], result: DONE, faults: [BadName, Failed];
    ClearAllProcessLogs = Supervisor ["clearAllProcessLogs"]:
        "Empties the logs of every process.",
        params: [], result: ROWS, faults: [];
    SendProcessStdin = Supervisor ["sendProcessStdin"]:
        "Writes text to a process's standard input, queueing up to 16 MiB that its pipe does not take at once.",
        params: [PROCESS, param(String, "chars", "The text, sent as UTF-8; no newline is added.")],
        result: DONE, faults: [IncorrectParameters, BadName, NotRunning, NoFile];
    SendRemoteCommEvent = Supervisor ["sendRemoteCommEvent"]:
        "Raises an event for listeners that subscribe to REMOTE_COMMUNICATION.",
        params: [
            param(String, "type", "Says what sort of event it is."),
            param(String, "data", "The body of the event.")
        ],
        result: DONE, faults: [];
    GetEventPoolInfo = Callboard ["getEventPoolInfo"]:
        "Tells how a pool of event listeners gets on.",
        params: [param(String, "name", "The name of the group.")],
        result: result(
            Struct,
            "Events `buffered`, their `bytes`, seconds the `oldest` has waited, those `resting` after rejections and \
             `in_flight`, counts of events `delivered`, `rejected` and `discarded`, the `buffer_file` and whether its \
             `disk_failed`, and `listeners`: structs of `name`, `pid`, `state` and `statename`."
        ),
        faults: [BadName];
    GetAllEventPoolInfo = Callboard ["getAllEventPoolInfo"]:
        "Tells how every pool of event listeners gets on.",
        params: [], result: result(Array, "A struct per pool, as of getEventPoolInfo, by name."), faults: [];
    Upgrade = Callboard ["upgrade"]:
        "Replaces the daemon by the program that is installed now, in the same process, nothing being stopped. Answers \
         when that program has found that it can go on; getLastUpgrade tells what became of it.",
        params: [], result: DONE, faults: [Failed];
    GetLastUpgrade = Callboard ["getLastUpgrade"]:
        "Tells what became of the last upgrade in place.",
        params: [],
        result: result(
            Struct,
            "The `number` of attempts so far, why the last came to nothing (`failure`, empty if it did not), the \
             version before (`from`) and now (`version`), the `children` that went on, and the `pause` in milliseconds."
        ),
        faults: [];
    ListMethods = System ["listMethods"]:
        "Lists the methods there are.",
        params: [], result: result(Array, "Full names, sorted, aliases included."), faults: [];
    MethodHelp = System ["methodHelp"]:
        "Explains a method.",
        params: [param(String, "name", "The method's full name.")],
        result: result(String, "The explanation."), faults: [SignatureUnsupported];
    MethodSignature = System ["methodSignature"]:
        "Tells the types of a method's result and parameters.",
        params: [param(String, "name", "The method's full name.")],
        result: result(Array, "The result's type, then one for each parameter."), faults: [SignatureUnsupported];
    Multicall = System ["multicall"]:
        "Makes several calls, one after the other, waiting for each.",
        params: [param(Array, "calls", "Structs of `methodName` and, where there are any, `params`.")],
        result: result(Array, "For each call its bare result, or a struct of `faultCode` and `faultString`."),
        faults: [];
}
