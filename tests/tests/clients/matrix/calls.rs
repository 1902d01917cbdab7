//! Every method of the API with good and bad arguments.

use callboard_tests::scenario::Session;
use serde_json::{Value, json};

use super::state::State;

/// Names of processes, of groups, and of nothing.
const NAMES: [&str; 9] = [
    "p", "p:p", "g:x", "g:*", "g:", "nobody", "", "g:nobody", "zz:*",
];

/// Names of groups, and of nothing.
const GROUPS: [&str; 5] = ["p", "g", "x", "nobody", ""];

pub(super) fn steps(session: &mut Session, state: &State) {
    for name in NAMES {
        for (method, further) in for_processes() {
            call(session, state, method, with(name, further));
        }
    }
    for group in GROUPS {
        for (method, further) in for_groups() {
            call(session, state, method, with(group, further));
        }
    }
    for (method, params) in for_everything() {
        call(session, state, method, params);
    }
}

/// What takes a process, with the arguments after its name.
fn for_processes() -> Vec<(&'static str, Value)> {
    vec![
        ("getProcessInfo", json!([])),
        ("signalProcess", json!(["WINCH"])),
        ("signalProcess", json!([" sigwinch "])),
        ("signalProcess", json!([0])),
        ("signalProcess", json!(["WAT"])),
        ("signalProcess", json!([""])),
        ("readProcessStdoutLog", json!([0, 10])),
        ("readProcessLog", json!([-5, 0])),
        ("readProcessStderrLog", json!([0, -1])),
        ("readProcessStderrLog", json!(["0", "0"])),
        ("tailProcessStdoutLog", json!([0, 10])),
        ("tailProcessLog", json!(["0", 10])),
        ("tailProcessStderrLog", json!([-1, 5])),
        ("clearProcessLogs", json!([])),
        ("clearProcessLog", json!([])),
        ("sendProcessStdin", json!(["x"])),
        ("sendProcessStdin", json!([7])),
        ("startProcess", json!([false])),
        ("startProcess", json!([])),
        ("stopProcess", json!([0])),
        ("stopProcess", json!([])),
    ]
}

/// What takes a group, with the arguments after its name.
fn for_groups() -> Vec<(&'static str, Value)> {
    vec![
        ("signalProcessGroup", json!(["WINCH"])),
        ("signalProcessGroup", json!(["WAT"])),
        ("startProcessGroup", json!([])),
        ("stopProcessGroup", json!([])),
        ("addProcessGroup", json!([])),
        ("removeProcessGroup", json!([])),
    ]
}

/// What takes neither. `readLog` is told from where the logs are alike.
fn for_everything() -> Vec<(&'static str, Value)> {
    vec![
        ("getAPIVersion", json!([])),
        ("getVersion", json!([])),
        ("getSupervisorVersion", json!([])),
        ("getIdentification", json!([])),
        ("getState", json!([])),
        ("readLog", json!([0, 2])),
        ("readMainLog", json!([0, 2])),
        ("readLog", json!([-1, 1])),
        ("readLog", json!([0, -1])),
        ("getAllProcessInfo", json!([])),
        ("getAllConfigInfo", json!([])),
        ("reloadConfig", json!([])),
        ("signalAllProcesses", json!(["WINCH"])),
        ("signalAllProcesses", json!(["WAT"])),
        ("startAllProcesses", json!([false])),
        ("startAllProcesses", json!([])),
        ("stopAllProcesses", json!([])),
        ("clearAllProcessLogs", json!([])),
        ("sendRemoteCommEvent", json!(["type", "data"])),
        ("clearLog", json!([])),
    ]
}

/// Too few and too many arguments, and those whose mistake is not a matter of state.
pub(super) fn counts(session: &mut Session, state: &State) {
    for (method, arity) in methods(session) {
        // Without arguments those that take none would succeed.
        if arity > 0 {
            call(session, state, &method, json!([]));
        }
        call(session, state, &method, json!(vec!["p"; arity + 1]));
    }
    for method in ["readProcessStdoutLog", "readProcessStderrLog"] {
        call(session, state, method, json!(["other", -1, 1]));
        call(session, state, method, json!(["nobody", -1, 1]));
    }
}

/// Arguments of every type, alone and after a name.
pub(super) fn types(session: &mut Session, state: &State) {
    let wrong = [
        json!(7),
        json!(true),
        json!(1.5),
        json!(null),
        json!([]),
        json!({"a": 1}),
    ];
    for (method, arity) in methods(session) {
        // Truths and numbers are signals to every program, of which they die sooner or later.
        let kills = |value: &&Value| {
            method.ends_with("signalAllProcesses") && (value.is_boolean() || value.is_number())
        };
        for value in wrong.iter().filter(|value| arity > 0 && !kills(value)) {
            call(session, state, &method, json!(vec![value; arity]));
        }
        for value in wrong.iter().filter(|_| arity > 1) {
            let further = json!(vec![value; arity - 1]);
            call(session, state, &method, with("p", further));
        }
    }
}

/// The names of all methods and how many arguments they take.
fn methods(session: &Session) -> Vec<(String, usize)> {
    let arity = |method: &str| {
        let signature = session
            .daemon
            .call("system.methodSignature", json!([method]));
        signature.as_array().map_or(0, |types| types.len() - 1)
    };
    let names = session.daemon.call("system.listMethods", json!([]));
    let names = names
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    names.map(|name| (name.to_owned(), arity(name))).collect()
}

fn with(name: &str, mut further: Value) -> Value {
    if let Some(params) = further.as_array_mut() {
        params.insert(0, json!(name));
    }
    further
}

fn call(session: &mut Session, state: &State, method: &str, params: Value) {
    state.settle(&session.daemon);
    session.rpc(method, params);
}
