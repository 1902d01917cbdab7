//! Every method with too many, too few, and wrongly typed arguments, and names of every form.

use super::{Row, call, int, text};

/// Methods whose only argument is a process's name.
const OF_NAME: [&str; 3] = ["getProcessInfo", "clearProcessLogs", "clearProcessLog"];

/// Methods whose first argument is a process's name, with valid ones to follow.
const OF_NAME_AND_MORE: [(&str, &[&str]); 11] = [
    ("startProcess", &[WAIT]),
    ("stopProcess", &[WAIT]),
    ("signalProcess", &[SIGNAL]),
    ("sendProcessStdin", &[TEXT]),
    ("readProcessStdoutLog", &[ZERO, ZERO]),
    ("readProcessLog", &[ZERO, ZERO]),
    ("readProcessStderrLog", &[ZERO, ZERO]),
    ("tailProcessStdoutLog", &[ZERO, ZERO]),
    ("tailProcessLog", &[ZERO, ZERO]),
    ("tailProcessStderrLog", &[ZERO, ZERO]),
    ("getProcessInfo", &[]),
];

/// Methods whose first argument is a group's name.
const OF_GROUP: [(&str, &[&str]); 5] = [
    ("startProcessGroup", &[WAIT]),
    ("stopProcessGroup", &[WAIT]),
    ("signalProcessGroup", &[SIGNAL]),
    ("addProcessGroup", &[]),
    ("removeProcessGroup", &[]),
];

/// Methods without arguments that change nothing and tell nothing that varies.
const OF_NOTHING: [&str; 6] = [
    "getAPIVersion",
    "getVersion",
    "getSupervisorVersion",
    "getIdentification",
    "getState",
    "reloadConfig",
];

/// Methods without arguments, never called without a surplus one.
const GUARDED: [&str; 6] = [
    "shutdown",
    "restart",
    "clearLog",
    "getPID",
    "getAllProcessInfo",
    "clearAllProcessLogs",
];

const WAIT: &str = "<value><boolean>0</boolean></value>";
const SIGNAL: &str = "<value><string>WINCH</string></value>";
const TEXT: &str = "<value><string>x</string></value>";
const ZERO: &str = "<value><int>0</int></value>";

/// Names that belong to no process.
const NAMES: [&str; 23] = [
    "",
    ":",
    "::",
    "*",
    ":*",
    "gone:",
    "run:*:",
    "gone:*",
    "run:x",
    ":run",
    "nobody",
    "nobody:*",
    "nobody:",
    "member_0",
    "team:nobody",
    "team:member_0:",
    "RUN",
    " run",
    "run ",
    "r\u{fc}n",
    "\u{1f980}:\u{1f980}",
    "a b",
    "&lt;&amp;&gt;",
];

/// A value of every type but string.
const OTHERS: [&str; 9] = [
    "<value><int>5</int></value>",
    "<value><int>-1</int></value>",
    "<value><boolean>1</boolean></value>",
    "<value><double>1.5</double></value>",
    "<value><nil/></value>",
    "<value><array><data></data></array></value>",
    "<value><array><data><value>run</value></data></array></value>",
    "<value><struct></struct></value>",
    "<value><struct><member><name>a</name><value>b</value></member></struct></value>",
];

/// Strings as clients may write them.
const STRINGS: [&str; 5] = [
    "<value><base64>bm9ib2R5</base64></value>",
    "<value><string></string></value>",
    "<value></value>",
    "<value>nobody</value>",
    "<value><string> 3 </string></value>",
];

/// All of them.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(names());
    rows.extend(counts());
    rows.extend(types());
    rows.extend(signals());
    rows.extend(windows());
    rows.extend(system());
    rows.extend(multicalls());
    rows.extend(effects());
    rows
}

fn supervisor(method: &str, params: &[&str]) -> String {
    call(&format!("supervisor.{method}"), params)
}

/// Calls of `method` with each of `firsts` as its first argument.
fn with_first<'a>(
    method: &'a str,
    firsts: impl IntoIterator<Item = String> + 'a,
    rest: &'a [&str],
) -> impl Iterator<Item = Row> + 'a {
    firsts.into_iter().map(move |first| {
        let params = [&[first.as_str()], rest].concat();
        Row::same(supervisor(method, &params))
    })
}

fn names() -> Vec<Row> {
    let long = "x".repeat(5000);
    let names = || NAMES.into_iter().chain([long.as_str()]).map(text);
    let mut rows = Vec::new();
    for method in OF_NAME {
        rows.extend(with_first(method, names(), &[]));
    }
    for (method, rest) in OF_NAME_AND_MORE.into_iter().chain(OF_GROUP) {
        rows.extend(with_first(method, names(), rest));
    }
    rows
}

/// No argument, and one too many; the surplus one is looked at before any other.
fn counts() -> Vec<Row> {
    let mut rows = Vec::new();
    for method in OF_NOTHING {
        rows.push(Row::same(supervisor(method, &[])));
        rows.push(Row::same(supervisor(method, &[TEXT])));
    }
    for method in GUARDED {
        rows.push(Row::same(supervisor(method, &[TEXT])));
    }
    for method in OF_NAME {
        rows.push(Row::same(supervisor(method, &[])));
        rows.push(Row::same(supervisor(method, &[TEXT, TEXT])));
    }
    for (method, rest) in OF_NAME_AND_MORE.into_iter().chain(OF_GROUP) {
        rows.push(Row::same(supervisor(method, &[])));
        let surplus = [&[TEXT], rest, &[TEXT]].concat();
        rows.push(Row::same(supervisor(method, &surplus)));
    }
    for (method, enough) in [
        ("readLog", 2),
        ("readMainLog", 2),
        ("signalAllProcesses", 1),
        ("sendRemoteCommEvent", 2),
    ] {
        for count in [0, enough - 1, enough + 1] {
            rows.push(Row::same(supervisor(method, &vec![TEXT; count])));
        }
    }
    for method in ["startAllProcesses", "stopAllProcesses"] {
        rows.push(Row::same(supervisor(method, &[TEXT, TEXT])));
    }
    rows
}

fn types() -> Vec<Row> {
    let mut rows = Vec::new();
    let of_name = OF_NAME.map(|method| (method, &[][..]));
    for (method, rest) in of_name.into_iter().chain(OF_NAME_AND_MORE).chain(OF_GROUP) {
        rows.extend(with_first(method, STRINGS.map(str::to_owned), rest));
        for value in OTHERS {
            let params = [&[value], rest].concat();
            rows.push(Row::mistyped(supervisor(method, &params)));
        }
    }
    let [run, idle] = ["run", "idle"].map(text);
    for value in OTHERS.into_iter().chain(STRINGS) {
        for method in ["readProcessStdoutLog", "tailProcessStdoutLog"] {
            rows.push(Row::same(supervisor(method, &[&run, value, ZERO])));
            rows.push(Row::same(supervisor(method, &[&run, ZERO, value])));
        }
        rows.push(Row::same(supervisor("sendProcessStdin", &[TEXT, value])));
        rows.push(Row::same(supervisor(
            "sendRemoteCommEvent",
            &[value, value],
        )));
        rows.push(Row::same(supervisor("startProcess", &[&run, value])));
        rows.push(Row::same(supervisor("startProcessGroup", &[&run, value])));
        rows.push(Row::same(supervisor("stopProcess", &[&idle, value])));
        rows.push(Row::same(supervisor("stopAllProcesses", &[value, value])));
        let is_no_signal = value.contains("<double>");
        let row = if is_no_signal {
            Row::mistyped
        } else {
            Row::same
        };
        rows.push(row(supervisor("signalProcess", &[&idle, value])));
    }
    rows
}

fn signals() -> Vec<Row> {
    let names = [
        "WINCH",
        "winch",
        "SIGWINCH",
        "sigwinch",
        " WINCH ",
        "28",
        " 28 ",
        "+28",
        "028",
        "SIG28",
        "0",
        "-1",
        "65",
        "999",
        "99999999999999999999",
        "",
        "SIG",
        "CLD",
        "POLL",
        "RTMIN",
        "RTMIN+1",
        "SIGSIG",
        "_WINCH",
        "IO",
        "SIG_DFL",
    ];
    // To a process that does not run: the signal is looked at before the state.
    let idle = text("idle");
    let mut rows: Vec<_> = names
        .map(|name| Row::same(supervisor("signalProcess", &[&idle, &text(name)])))
        .into();
    rows.extend(
        [28, 0, -1, 64, 65, 99999]
            .map(|number| Row::same(supervisor("signalProcess", &[&idle, &int(number)]))),
    );
    let run = text("run");
    rows.push(Row::same(supervisor("signalProcess", &[&run, SIGNAL])));
    rows.push(Row::same(supervisor("signalProcess", &[&run, &int(0)])));
    rows.push(Row::same(supervisor(
        "signalProcess",
        &[&text("idle"), &text("BAD")],
    )));
    rows.push(Row::same(supervisor(
        "signalProcess",
        &[&text("idle"), SIGNAL],
    )));
    rows.push(Row::same(supervisor(
        "signalProcessGroup",
        &[&text("run"), &text("BAD")],
    )));
    rows.push(Row::same(supervisor(
        "signalProcessGroup",
        &[&text("team"), &text("BAD")],
    )));
    rows
}

/// Parts of logs, by numbers and by strings that read as some.
fn windows() -> Vec<Row> {
    let run = text("run");
    let mut rows = Vec::new();
    let numbers = [-12, -11, -1, 0, 1, 5, 10, 11, 12, 2147483647, -2147483648];
    for offset in numbers {
        for length in [-1, 0, 3, 11, 2147483647] {
            for method in ["readProcessStdoutLog", "tailProcessStdoutLog"] {
                let params = [&*run, &int(offset), &int(length)];
                rows.push(Row::same(supervisor(method, &params)));
            }
        }
    }
    for number in ["7", " 7\n", "-7", "+7", "0x7", "7.0", "", "seven"] {
        rows.push(Row::same(supervisor(
            "readProcessStdoutLog",
            &[&run, &text(number), ZERO],
        )));
        rows.push(Row::same(supervisor(
            "tailProcessStdoutLog",
            &[&run, ZERO, &text(number)],
        )));
    }
    for (offset, length) in [(0, -1), (-1, 1), (-1, -1)] {
        rows.push(Row::same(supervisor(
            "readLog",
            &[&int(offset), &int(length)],
        )));
    }
    rows.push(Row::same(supervisor(
        "readProcessStdoutLog",
        &[&text("team:member_0"), ZERO, ZERO],
    )));
    rows.push(Row::same(supervisor(
        "readProcessStdoutLog",
        &[&text("idle"), ZERO, ZERO],
    )));
    rows.push(Row::same(supervisor(
        "tailProcessStdoutLog",
        &[&text("team:member_0"), ZERO, ZERO],
    )));
    rows
}

fn system() -> Vec<Row> {
    let mut rows = vec![
        Row::same(call("system.listMethods", &[])),
        Row::same(call("system.listMethods", &[TEXT])),
        Row::same(call("system.methodSignature", &[])),
        Row::same(call("system.methodHelp", &[])),
        Row::same(call("system.methodHelp", &[TEXT, TEXT])),
        Row::same(call("system._listMethods", &[])),
        Row::same(call("system.namespaces", &[])),
        Row::same(call("system.__class__", &[])),
        Row::same(call("supervisor.supervisord", &[])),
        Row::same(call("supervisor._update", &[TEXT])),
        Row::same(call("supervisor.getState.x", &[])),
        Row::same(call("supervisor", &[])),
        Row::same(call(".", &[])),
        Row::same(call("..", &[])),
        Row::same(call(".getState", &[])),
        Row::same(call("supervisor.", &[])),
        Row::same(call("Supervisor.getState", &[])),
        Row::same(call("supervisor.getstate", &[])),
    ];
    let methods = OF_NOTHING
        .into_iter()
        .chain(GUARDED)
        .chain(OF_NAME)
        .chain(OF_NAME_AND_MORE.map(|(method, _)| method))
        .chain(OF_GROUP.map(|(method, _)| method));
    for method in methods {
        let name = text(&format!("supervisor.{method}"));
        rows.push(Row::same(call("system.methodSignature", &[&name])));
    }
    for name in [
        "supervisor.zz",
        "zz.getState",
        "getState",
        "supervisor",
        "system.multicall",
        "system._x",
        "system.x",
    ] {
        rows.push(Row::same(call("system.methodSignature", &[&text(name)])));
    }
    for value in OTHERS {
        rows.push(Row::mistyped(call("system.methodSignature", &[value])));
        rows.push(Row::mistyped(call("system.methodHelp", &[value])));
    }
    rows
}

/// A call inside a multicall; `params` is what stands for its arguments.
fn member(name: &str, params: &str) -> String {
    format!(
        "<value><struct><member><name>methodName</name>{name}</member><member><name>params</name>{params}</member></struct></value>"
    )
}

fn array(elements: &[&str]) -> String {
    format!(
        "<value><array><data>{}</data></array></value>",
        elements.concat()
    )
}

fn multicall(calls: &[&str]) -> String {
    call("system.multicall", &[&array(calls)])
}

fn multicalls() -> Vec<Row> {
    let none = array(&[]);
    let state = member(&text("supervisor.getState"), &none);
    let start = |name: &str| member(&text("supervisor.startProcess"), &array(&[&text(name)]));
    let stop = |name: &str| member(&text("supervisor.stopProcess"), &array(&[&text(name)]));
    let of = |name: &str| member(&text(name), &none);
    let nameless =
        "<value><struct><member><name>params</name><value>x</value></member></struct></value>";
    let bare = "<value><struct><member><name>methodName</name><value>supervisor.getVersion</value></member></struct></value>";
    let mut rows = vec![
        Row::same(multicall(&[])),
        Row::same(multicall(&[&state, bare, &state])),
        Row::same(multicall(&[nameless, "<value><struct/></value>", &state])),
        Row::same(multicall(&[&of("system.multicall"), &state])),
        Row::same(multicall(&[
            &of("system.listMethods"),
            &of("zz"),
            &of("zz.zz"),
            &of("supervisor.zz"),
            &of(""),
        ])),
        Row::same(multicall(&[
            &of("supervisor._x"),
            &of("supervisor.getState.x"),
            &of("supervisor.startProcess"),
        ])),
        Row::same(multicall(&[
            &start("slow"),
            &start("slow"),
            &stop("slow"),
            &stop("slow"),
            &start("gone"),
        ])),
        Row::same(call("system.multicall", &[])),
        Row::same(call("system.multicall", &[&none, &none])),
    ];
    for value in OTHERS.into_iter().chain(STRINGS) {
        let is_struct = value.contains("<struct>");
        let row = if is_struct { Row::same } else { Row::mistyped };
        rows.push(row(multicall(&[value, &state])));
        let is_array = value.contains("<array>");
        let row = if is_array { Row::same } else { Row::mistyped };
        rows.push(row(call("system.multicall", &[value])));
        rows.push(Row::same(multicall(&[
            &member(&text("supervisor.getState"), value),
            &state,
        ])));
    }
    for value in OTHERS.into_iter().filter(|value| !value.contains("<nil/>")) {
        rows.push(Row::mistyped(multicall(&[&member(value, &none), &state])));
    }
    rows.extend(STRINGS.map(|value| Row::same(multicall(&[&member(value, &none), &state]))));
    rows
}

/// Calls that do something, and the same again. What was started is not stopped at once: the original's children lose
/// signals until they have become their programs.
fn effects() -> Vec<Row> {
    let [idle, slow, gone, team, run] = ["idle", "slow", "gone", "team", "run"].map(text);
    [
        ("startProcess", &[&*slow][..]),
        ("startProcess", &[&slow]),
        ("stopProcess", &[&slow]),
        ("startProcess", &[&gone]),
        ("startProcess", &[&gone, WAIT]),
        ("stopProcess", &[&gone]),
        ("stopProcess", &[&idle]),
        ("sendProcessStdin", &[&idle, TEXT]),
        ("sendProcessStdin", &[&run, TEXT]),
        ("startProcessGroup", &[&team]),
        ("startProcess", &[&text("team:")]),
        ("stopProcess", &[&text("team:*")]),
        ("stopProcessGroup", &[&team]),
        ("signalProcess", &[&text("team:*"), SIGNAL]),
        ("signalProcess", &[&text("run:*"), SIGNAL]),
        ("signalAllProcesses", &[SIGNAL]),
        ("removeProcessGroup", &[&run]),
        ("removeProcessGroup", &[&team]),
        ("removeProcessGroup", &[&team]),
        ("addProcessGroup", &[&team]),
        ("addProcessGroup", &[&team]),
        ("clearProcessLogs", &[&run]),
        ("getProcessInfo", &[&run]),
        ("sendRemoteCommEvent", &[TEXT, TEXT]),
        ("stopAllProcesses", &[]),
        ("stopAllProcesses", &[]),
    ]
    .map(|(method, params)| Row::same(supervisor(method, params)))
    .into()
}
