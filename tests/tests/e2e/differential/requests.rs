//! Answers to calls, byte for byte where the wire form is fixed.

use callboard_tests::scenario::{Scenario, Session, compare};
use callboard_tests::xmlrpc::encode_call;
use serde_json::{Value, json};

use super::settle;

const CONFIG: &str = "\
[program:run]
command=sh -c 'echo 0123456789; exec sleep 1000'
startsecs=0
stdout_logfile=%(here)s/run.out
[program:idle]
command=sleep 1000
autostart=false
startsecs=0
[program:none]
command=sleep 1000
autostart=false
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
[program:gone]
command=gone-command
autostart=false
startretries=0
[program:pair]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
autostart=false
startsecs=0
[group:team]
programs=pair
priority=3
";

fn ready(session: &Session) {
    settle(session, &[("run", "RUNNING")]);
    session.daemon.wait_file("run.out", "0123456789\n");
}

const ANSWERS: Scenario = Scenario {
    name: "answers",
    config: CONFIG,
    steps: |session| {
        ready(session);
        for (method, params) in calls() {
            session.rpc(method, params);
        }
    },
};

/// Calls whose answers depend on nothing but the configuration and the calls before.
fn calls() -> Vec<(&'static str, Value)> {
    let mut calls = vec![
        ("getAPIVersion", json!([])),
        ("getIdentification", json!([])),
        ("getState", json!([])),
        ("nothing", json!([])),
        ("_nothing", json!([])),
        ("system.nothing", json!([])),
        ("getState", json!(["extra"])),
        ("system.methodHelp", json!(["nothing"])),
        ("system.methodSignature", json!(["supervisor.startProcess"])),
        ("system.listMethods", json!([])),
    ];
    for name in [
        "run",
        "idle",
        "none",
        "gone",
        "team:pair_0",
        "pair_0",
        "team:*",
        "team:",
        "team",
        "",
        ":",
        "nobody",
        "a:b:c",
    ] {
        calls.extend([
            ("getProcessInfo", json!([name])),
            ("readProcessStdoutLog", json!([name, 0, 0])),
            ("readProcessStderrLog", json!([name, 0, 0])),
            ("tailProcessStdoutLog", json!([name, 0, 5])),
            ("clearProcessLogs", json!([name])),
            ("signalProcess", json!([name, "WINCH"])),
            ("signalProcess", json!([name, "sigwinch "])),
            ("signalProcess", json!([name, "WAT"])),
            ("signalProcessGroup", json!([name, 28])),
            ("startProcess", json!([name])),
            ("startProcess", json!([name, 0])),
            ("startProcessGroup", json!([name])),
            ("sendProcessStdin", json!([name, "x\n"])),
            ("stopProcess", json!([name])),
            ("stopProcess", json!([name])),
            ("stopProcessGroup", json!([name])),
            ("addProcessGroup", json!([name])),
            ("removeProcessGroup", json!([name])),
        ]);
    }
    calls
}

#[test]
fn answers_and_faults_agree() {
    compare(&ANSWERS);
}

const LOGS: Scenario = Scenario {
    name: "log windows",
    config: CONFIG,
    steps: |session| {
        ready(session);
        for offset in [-20, -3, 0, 1, 5, 10, 11, 12] {
            for length in [-1, 0, 1, 4, 11, 20] {
                session.rpc("readProcessStdoutLog", json!(["run", offset, length]));
                session.rpc("tailProcessStdoutLog", json!(["run", offset, length]));
            }
        }
        std::fs::remove_file(session.daemon.path("run.out")).expect("the log exists");
        session.rpc("readProcessStdoutLog", json!(["run", 0, 0]));
        session.rpc("tailProcessStdoutLog", json!(["run", 0, 10]));
    },
};

#[test]
fn log_windows_agree() {
    compare(&LOGS);
}

const WIRE: Scenario = Scenario {
    name: "wire",
    config: CONFIG,
    steps: |session| {
        ready(session);
        session.raw(&encode_call("supervisor.getState", &json!([])));
        session.raw(&encode_call(
            "supervisor.getProcessInfo",
            &json!(["nobody <&> \u{e9}"]),
        ));
        session.raw(&encode_call(
            "supervisor.startProcessGroup",
            &json!(["team"]),
        ));
        session.raw(&encode_call("supervisor.stopProcess", &json!(["run"])));
        session.raw(&encode_call(
            "supervisor.tailProcessStdoutLog",
            &json!(["run", 0, 3]),
        ));
        let multicall =
            json!([[{"methodName": "supervisor.getState"}, {"methodName": "x.y", "params": []}]]);
        session.raw(&encode_call("system.multicall", &multicall));
        session
            .raw("<methodCall><methodName>supervisor.getIdentification</methodName></methodCall>");
        session.raw(
            "<?xml version=\"1.0\"?><methodCall><methodName>supervisor.signalProcess</methodName><params>\
             <param><value>nobody</value></param><param><value><i4>1</i4></value></param></params></methodCall>",
        );
        session.raw("no xml at all");
    },
};

#[test]
fn answers_agree_byte_for_byte() {
    compare(&WIRE);
}
