//! Every method, and every fault that can be provoked.

use callboard_tests::Daemon;
use serde_json::{Value, json};

const CONFIG: &str = "\
[program:idle]
command=sleep 1000
startsecs=0
autostart=false
[program:run]
command=sh -c 'echo 0123456789; while read line; do echo \"got $line\"; done'
startsecs=0
stdout_logfile=%(here)s/run.out
[program:crash]
command=false
startretries=0
autostart=false
[program:gone]
command=/nonexistent/command
autostart=false
startretries=0
[program:plain]
command=%(here)s/supervisord.conf
autostart=false
startretries=0
[program:brief]
command=sh -c 'exit 0'
startsecs=0
autostart=false
[program:member]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
autostart=false
stdout_logfile=NONE
stderr_logfile=NONE
[group:team]
programs=member
";

/// A daemon with a program of each kind.
pub(crate) fn daemon() -> Daemon {
    let daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("run", "RUNNING");
    daemon.wait_file("run.out", "0123456789\n");
    daemon
}

/// Each row is a call and the fault it must meet.
#[test]
fn faults_name_the_trouble() {
    let daemon = daemon();
    let rows = [
        ("noSuchMethod", json!([]), 1, "UNKNOWN_METHOD"),
        ("_private", json!([]), 1, "UNKNOWN_METHOD"),
        ("other.method", json!([]), 1, "UNKNOWN_METHOD"),
        ("getState", json!([1]), 2, "INCORRECT_PARAMETERS"),
        ("startProcess", json!([]), 2, "INCORRECT_PARAMETERS"),
        ("getProcessInfo", json!(["nobody"]), 10, "BAD_NAME: nobody"),
        ("getProcessInfo", json!([""]), 10, "BAD_NAME: "),
        ("getProcessInfo", json!(["team:*"]), 10, "BAD_NAME: team:*"),
        (
            "getProcessInfo",
            json!(["team:nobody"]),
            10,
            "BAD_NAME: team:nobody",
        ),
        ("startProcess", json!(["nobody"]), 10, "BAD_NAME: nobody"),
        ("startProcess", json!(["zz:*"]), 10, "BAD_NAME: zz"),
        ("startProcessGroup", json!(["zz"]), 10, "BAD_NAME: zz"),
        ("startProcess", json!(["run"]), 60, "ALREADY_STARTED: run"),
        (
            "startProcess",
            json!(["gone"]),
            20,
            "NO_FILE: can't find command '/nonexistent/command'",
        ),
        ("startProcess", json!(["crash"]), 50, "SPAWN_ERROR: crash"),
        ("stopProcess", json!(["idle"]), 70, "NOT_RUNNING: idle"),
        ("stopProcess", json!(["nobody"]), 10, "BAD_NAME: nobody"),
        ("stopProcessGroup", json!(["zz"]), 10, "BAD_NAME: zz"),
        (
            "signalProcess",
            json!(["nobody", "HUP"]),
            10,
            "BAD_NAME: nobody",
        ),
        (
            "signalProcess",
            json!(["idle", "WAT"]),
            11,
            "BAD_SIGNAL: WAT",
        ),
        (
            "signalProcess",
            json!(["idle", "HUP"]),
            70,
            "NOT_RUNNING: idle",
        ),
        (
            "signalProcessGroup",
            json!(["zz", "HUP"]),
            10,
            "BAD_NAME: zz",
        ),
        (
            "sendProcessStdin",
            json!(["nobody", "x"]),
            10,
            "BAD_NAME: nobody",
        ),
        (
            "sendProcessStdin",
            json!(["idle", "x"]),
            70,
            "NOT_RUNNING: idle",
        ),
        (
            "sendProcessStdin",
            json!(["run", 7]),
            2,
            "INCORRECT_PARAMETERS: 7",
        ),
        (
            "readProcessStdoutLog",
            json!(["nobody", 0, 0]),
            10,
            "BAD_NAME: nobody",
        ),
        (
            "readProcessStdoutLog",
            json!(["run", 0, -1]),
            3,
            "BAD_ARGUMENTS: 0",
        ),
        (
            "readProcessStdoutLog",
            json!(["run", -1, 5]),
            3,
            "BAD_ARGUMENTS",
        ),
        (
            "readProcessStdoutLog",
            json!(["team:member_0", 0, 0]),
            20,
            "NO_FILE",
        ),
        (
            "tailProcessStdoutLog",
            json!(["nobody", 0, 0]),
            10,
            "BAD_NAME: nobody",
        ),
        (
            "clearProcessLogs",
            json!(["nobody"]),
            10,
            "BAD_NAME: nobody",
        ),
        ("addProcessGroup", json!(["run"]), 90, "ALREADY_ADDED: run"),
        ("addProcessGroup", json!(["zz"]), 10, "BAD_NAME: zz"),
        ("addProcessGroup", json!(["member"]), 10, "BAD_NAME: member"),
        ("removeProcessGroup", json!(["zz"]), 10, "BAD_NAME: zz"),
        (
            "removeProcessGroup",
            json!(["run"]),
            91,
            "STILL_RUNNING: run",
        ),
        (
            "system.methodHelp",
            json!(["zz"]),
            4,
            "SIGNATURE_UNSUPPORTED",
        ),
        (
            "system.methodSignature",
            json!(["zz"]),
            4,
            "SIGNATURE_UNSUPPORTED",
        ),
    ];
    for (method, params, code, text) in rows {
        let fault = daemon.fault(method, params.clone());
        assert_eq!(fault.code, code, "{method}{params}: {fault:?}");
        assert!(
            fault
                .text
                .starts_with(text.split(": 0").next().unwrap_or(text)),
            "{method}{params}: {fault:?}"
        );
    }
    let fault = daemon.fault("startProcess", json!(["plain"]));
    assert_eq!(fault.code, 21);
    assert_eq!(
        fault.text,
        format!(
            "NOT_EXECUTABLE: command at '{}/supervisord.conf' is not executable",
            daemon.dir().display()
        )
    );
}

#[test]
fn identity_and_state_are_told() {
    let daemon = daemon();
    assert_eq!(daemon.call("getAPIVersion", json!([])), "3.0");
    assert_eq!(daemon.call("getVersion", json!([])), "3.0");
    assert_eq!(daemon.call("getIdentification", json!([])), "board");
    assert_eq!(
        daemon.call("getState", json!([])),
        json!({"statecode": 1, "statename": "RUNNING"})
    );
    assert_eq!(daemon.call("getPID", json!([])), daemon.pid());
    let version = daemon.call("getSupervisorVersion", json!([]));
    let version = version.as_str().expect("a text");
    assert!(
        version
            .split('.')
            .take(2)
            .all(|part| part.parse::<u32>().is_ok()),
        "{version}"
    );
}

#[test]
fn starting_and_stopping_answer_when_done() {
    let daemon = daemon();
    assert_eq!(daemon.call("startProcess", json!(["idle"])), json!(true));
    assert_eq!(daemon.state("idle"), "RUNNING");
    assert_eq!(daemon.call("stopProcess", json!(["idle"])), json!(true));
    assert_eq!(daemon.state("idle"), "STOPPED");
    assert_eq!(
        daemon.call("startProcess", json!(["idle", false])),
        json!(true)
    );
    daemon.wait_state("idle", "RUNNING");
}

/// A group's rows in the order of their names: they come as the processes finish.
fn sorted(mut rows: Value) -> Value {
    rows.as_array_mut()
        .expect("an array")
        .sort_by_key(|row| row["name"].to_string());
    rows
}

fn row(name: &str, group: &str) -> Value {
    json!({"name": name, "group": group, "status": 80, "description": "OK"})
}

#[test]
fn groups_answer_with_a_row_per_process() {
    let daemon = daemon();
    let both = json!([row("member_0", "team"), row("member_1", "team")]);
    assert_eq!(
        sorted(daemon.call("startProcessGroup", json!(["team"]))),
        both
    );
    assert_eq!(daemon.call("startProcessGroup", json!(["team"])), json!([]));
    assert_eq!(
        sorted(daemon.call("signalProcess", json!(["team:*", "WINCH"]))),
        both
    );
    assert_eq!(
        sorted(daemon.call("signalProcessGroup", json!(["team", 28]))),
        both
    );
    assert_eq!(sorted(daemon.call("stopProcess", json!(["team:"]))), both);
    assert_eq!(daemon.call("stopProcessGroup", json!(["team"])), json!([]));
    assert_eq!(
        daemon.call("signalAllProcesses", json!(["SIGWINCH"])),
        json!([row("run", "run")])
    );
    assert_eq!(
        daemon.call("stopAllProcesses", json!([])),
        json!([row("run", "run")])
    );
    assert_eq!(sorted(daemon.call("startProcess", json!(["team:*"]))), both);
    let bad = daemon.call("signalProcessGroup", json!(["team", "WAT"]));
    let codes: Vec<_> = bad
        .as_array()
        .expect("an array")
        .iter()
        .map(|row| row["status"].clone())
        .collect();
    assert_eq!(codes, [11, 11]);
}

#[test]
fn start_all_reports_each_outcome() {
    let daemon = daemon();
    let rows = daemon.call("startAllProcesses", json!([]));
    let mut outcome: Vec<_> = rows
        .as_array()
        .expect("an array")
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap_or_default(),
                row["status"].as_i64().unwrap_or_default(),
            )
        })
        .filter(|(name, _)| *name != "brief")
        .collect();
    outcome.sort();
    assert_eq!(
        outcome,
        [
            ("crash", 50),
            ("gone", 20),
            ("idle", 80),
            ("member_0", 80),
            ("member_1", 80),
            ("plain", 21)
        ]
    );
}

#[test]
fn process_infos_have_exactly_the_documented_fields() {
    let daemon = daemon();
    let info = daemon.info("run");
    let fields: Vec<_> = info
        .as_object()
        .expect("a struct")
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = vec![
        "name",
        "group",
        "start",
        "stop",
        "now",
        "state",
        "statename",
        "spawnerr",
        "exitstatus",
        "logfile",
        "stdout_logfile",
        "stderr_logfile",
        "pid",
        "description",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert!(
        info["description"]
            .as_str()
            .is_some_and(|text| text.contains(", uptime 0:00:"))
    );
    let names: Vec<_> = daemon
        .call("getAllProcessInfo", json!([]))
        .as_array()
        .expect("an array")
        .iter()
        .map(|info| info["name"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "brief", "crash", "gone", "idle", "plain", "run", "member_0", "member_1"
        ]
    );
}

#[test]
fn logs_are_read_and_tailed_by_offset() {
    let daemon = daemon();
    let read = |offset: i64, length: i64| {
        daemon.call("readProcessStdoutLog", json!(["run", offset, length]))
    };
    for (offset, length, text) in [
        (0, 0, "0123456789\n"),
        (2, 3, "234"),
        (-4, 0, "789\n"),
        (100, 5, ""),
        (-100, 0, "0123456789\n"),
    ] {
        assert_eq!(read(offset, length), text, "({offset}, {length})");
    }
    std::fs::write(daemon.path("run.out"), "0123456789").expect("the directory is writable");
    for (offset, length, answer) in [
        (0, 4, json!(["6789", 10, true])),
        (5, 3, json!(["789", 10, true])),
        (8, 5, json!(["56789", 10, false])),
        (10, 5, json!(["", 10, false])),
        (0, 0, json!(["", 10, true])),
        (-3, 5, json!(["56789", 10, true])),
    ] {
        assert_eq!(
            daemon.call("tailProcessStdoutLog", json!(["run", offset, length])),
            answer,
            "({offset}, {length})"
        );
        assert_eq!(
            daemon.call("tailProcessLog", json!(["run", offset.to_string(), length])),
            answer
        );
    }
    assert_eq!(
        daemon.call("tailProcessStderrLog", json!(["team:member_0", 0, 9])),
        json!(["", 0, false])
    );
}

#[test]
fn the_system_namespace_describes_every_method() {
    let daemon = daemon();
    let methods = daemon.call("system.listMethods", json!([]));
    let methods: Vec<_> = methods
        .as_array()
        .expect("an array")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let documented = methods
        .iter()
        .filter(|name| name.starts_with("supervisor."))
        .count();
    assert_eq!((documented, methods.len()), (37, 41), "{methods:#?}");
    assert!(methods.is_sorted());
    for method in methods {
        let signature = daemon.call("system.methodSignature", json!([method]));
        let signature = signature.as_array().expect("an array");
        let help = daemon.call("system.methodHelp", json!([method]));
        let help = help.as_str().expect("a text");
        assert_eq!(
            help.matches("@param").count(),
            signature.len() - 1,
            "{method}: {help}"
        );
        assert_eq!(help.matches("@return").count(), 1, "{method}: {help}");
    }
}

#[test]
fn multicall_answers_in_order_and_bare() {
    let daemon = daemon();
    let calls = json!([
        {"methodName": "supervisor.getIdentification", "params": []},
        {"methodName": "supervisor.startProcess", "params": ["idle"]},
        {"methodName": "supervisor.getProcessInfo", "params": ["nobody"]},
        {"params": []},
        {"methodName": "system.multicall", "params": [[]]},
        {"methodName": "supervisor.getAPIVersion"},
    ]);
    assert_eq!(
        daemon.call("system.multicall", json!([calls])),
        json!([
            "board",
            true,
            {"faultCode": 10, "faultString": "BAD_NAME: nobody"},
            {"faultCode": 2, "faultString": "INCORRECT_PARAMETERS: No methodName"},
            {"faultCode": 2, "faultString": "INCORRECT_PARAMETERS: Recursive system.multicall forbidden"},
            "3.0",
        ])
    );
    assert_eq!(daemon.call("system.multicall", json!([[]])), json!([]));
}

#[test]
fn a_clean_early_exit_is_an_abnormal_termination_to_a_waiting_caller() {
    let daemon = Daemon::under_test(
        "[program:slow]\ncommand=sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.02; done'\nstartsecs=100\nautostart=false\n",
    );
    std::thread::scope(|scope| {
        let start = scope.spawn(|| daemon.fault("startProcess", json!(["slow"])));
        daemon.wait_state("slow", "STARTING");
        daemon.call("stopProcess", json!(["slow"]));
        let fault = start.join().expect("the caller got its answer");
        assert_eq!(
            (fault.code, fault.text.as_str()),
            (40, "ABNORMAL_TERMINATION: slow")
        );
    });
}

#[test]
fn calls_during_a_shutdown_are_refused() {
    let mut daemon = Daemon::under_test(
        "[program:late]\ncommand=sh -c 'trap \"\" TERM; touch %(here)s/armed; while [ ! -e %(here)s/go ]; do sleep 0.02; done'\nstartsecs=0\n",
    );
    callboard_tests::wait::until_true("the trap to be set", || (daemon.path("armed").exists(), ()));
    assert_eq!(daemon.call("shutdown", json!([])), json!(true));
    for (method, params) in [
        ("getState", json!([])),
        ("getAllProcessInfo", json!([])),
        ("startProcess", json!(["late"])),
        ("shutdown", json!([])),
        ("restart", json!([])),
        ("reloadConfig", json!([])),
    ] {
        let fault = daemon.fault(method, params);
        assert_eq!(
            (fault.code, fault.text.as_str()),
            (6, "SHUTDOWN_STATE"),
            "{method}"
        );
    }
    assert_eq!(
        daemon.call("sendRemoteCommEvent", json!(["a", "b"])),
        json!(true)
    );
    assert!(daemon.call("system.listMethods", json!([])).is_array());
    std::fs::write(daemon.path("go"), "").expect("the directory is writable");
    daemon.wait_exit();
    daemon.assert_nothing_left();
}

#[test]
fn config_infos_tell_what_was_read() {
    let daemon = daemon();
    let infos = daemon.call("getAllConfigInfo", json!([]));
    let infos = infos.as_array().expect("an array");
    let names: Vec<_> = infos
        .iter()
        .map(|info| info["name"].as_str().unwrap_or_default())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    let run = infos
        .iter()
        .find(|info| info["name"] == "run")
        .expect("the program");
    assert_eq!(run["inuse"], true);
    assert_eq!(run["autostart"], true);
    assert_eq!(run["exitcodes"], json!([0]));
    assert_eq!(run["stopsignal"], 15);
    assert_eq!(
        (&run["group_prio"], &run["process_prio"]),
        (&json!(999), &json!(999))
    );
    assert_eq!(
        run["stdout_logfile"],
        format!("{}/run.out", daemon.dir().display())
    );
}

#[test]
fn numbers_and_empty_names_are_shown_as_they_are_written() {
    let daemon = Daemon::under_test(
        "[program:a]\ncommand=cat\nautostart=false\nstartsecs=-3\nstartretries=-4\nstopwaitsecs=-5\n\
         stdout_logfile=\nstderr_logfile=none\n",
    );
    let config = &daemon.call("getAllConfigInfo", json!([]))[0];
    let shown = [
        ("startsecs", json!(-3)),
        ("startretries", json!(-4)),
        ("stopwaitsecs", json!(-5)),
        ("stdout_logfile", json!("")),
        ("stderr_logfile", json!("none")),
    ];
    for (name, value) in shown {
        assert_eq!(config[name], value, "{name}");
    }
    for (method, text) in [
        ("readProcessStdoutLog", "NO_FILE: "),
        ("readProcessStderrLog", "NO_FILE"),
    ] {
        assert_eq!(daemon.fault(method, json!(["a", 0, 0])).text, text);
    }
    assert_eq!(daemon.call("startProcess", json!(["a"])), json!(true));
    daemon
        .wait_log("success: a entered RUNNING state, process has stayed up for > than -3 seconds");
}

#[test]
fn an_activity_log_that_is_no_file_is_named() {
    let daemon = Daemon::under_test("[supervisord]\nlogfile=syslog\n");
    let refused = daemon.fault("readLog", json!([0, 0]));
    assert_eq!(refused.text, "NO_FILE: syslog");
    assert_eq!(daemon.fault("clearLog", json!([])).text, "NO_FILE");
}
