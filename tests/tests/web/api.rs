//! What the JSON interface answers, held against XML-RPC and the process table.

use std::fs;

use callboard_tests::{Daemon, procfs};
use serde_json::{Value, json};

use crate::client::{Answer, get, poke, post};

const CONFIG: &str = "\
[program:talk]
command=sh -c 'while read line; do echo \"got $line\"; done'
startsecs=0
[program:idle]
command=sleep 1000
startsecs=0
autostart=false
[program:crash]
command=sh -c 'echo one >&2; echo two >&2; kill -KILL $$'
startsecs=0
autostart=false
autorestart=false
[program:leave]
command=sh -c 'echo bye; exit 3'
startsecs=0
autostart=false
autorestart=false
[program:absent]
command=/nonexistent/program
autostart=false
startretries=0
[program:web]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
[eventlistener:watch]
command=%(ENV_LISTENER)s %(here)s/events
events=REMOTE_COMMUNICATION
";

fn daemon() -> Daemon {
    let daemon = Daemon::under_test(CONFIG);
    for name in ["talk", "web:web_0", "web:web_1"] {
        daemon.wait_state(name, "RUNNING");
    }
    daemon
}

/// The members of `one` that `other` has as well. What is null here is "none" there.
fn common(one: &Value, other: &Value) -> Value {
    let members = one.as_object().expect("an object");
    let shared = members
        .iter()
        .filter(|(name, value)| !other[*name].is_null() && !value.is_null());
    shared
        .filter(|(name, _)| !["now", "description"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn answers_are_those_of_xmlrpc() {
    let daemon = daemon();
    let lists = [
        ("/api/v1/processes", "getAllProcessInfo", 12),
        ("/api/v1/config", "getAllConfigInfo", 13),
        ("/api/v1/pools", "callboard.getAllEventPoolInfo", 10),
    ];
    for (path, method, least) in lists {
        let (status, rows) = get(&daemon, path);
        assert_eq!(status, 200);
        let known = daemon.call(method, json!([]));
        let (rows, known) = (rows.as_array().unwrap(), known.as_array().unwrap());
        assert_eq!(rows.len(), known.len(), "{path}");
        for (row, known) in rows.iter().zip(known) {
            let (ours, theirs) = (common(row, known), common(known, row));
            assert_eq!(ours, theirs, "{path}");
            assert!(ours.as_object().unwrap().len() >= least, "{path}: {ours}");
        }
    }
    let (_, state) = get(&daemon, "/api/v1/daemon");
    assert_eq!(state["pid"], daemon.pid());
    assert_eq!(state["identification"], "board");
    assert_eq!(state["supervisor_version"], "4.3.0");
    assert_eq!(state["statename"], "RUNNING");
}

#[test]
fn faults_are_those_of_xmlrpc() {
    let daemon = daemon();
    let rows = [
        (
            "startProcess",
            json!(["nope"]),
            "processes/nope/start",
            json!({}),
            404,
        ),
        (
            "startProcess",
            json!(["web:*x"]),
            "processes/web:*x/start",
            json!({}),
            404,
        ),
        (
            "startProcess",
            json!(["talk"]),
            "processes/talk/start",
            json!({}),
            409,
        ),
        (
            "startProcess",
            json!(["absent"]),
            "processes/absent/start",
            json!({}),
            409,
        ),
        (
            "stopProcess",
            json!(["idle"]),
            "processes/idle/stop",
            json!({}),
            409,
        ),
        (
            "stopProcessGroup",
            json!(["nope"]),
            "groups/nope/stop",
            json!({}),
            404,
        ),
        (
            "signalProcess",
            json!(["talk", "NOPE"]),
            "processes/talk/signal",
            json!({"signal": "NOPE"}),
            400,
        ),
        (
            "signalProcess",
            json!(["idle", "HUP"]),
            "processes/idle/signal",
            json!({"signal": "HUP"}),
            409,
        ),
        (
            "sendProcessStdin",
            json!(["idle", "x"]),
            "processes/idle/stdin",
            json!({"chars": "x"}),
            409,
        ),
        (
            "addProcessGroup",
            json!(["talk"]),
            "groups/talk/add",
            json!({}),
            409,
        ),
        (
            "addProcessGroup",
            json!(["nope"]),
            "groups/nope/add",
            json!({}),
            404,
        ),
        (
            "removeProcessGroup",
            json!(["talk"]),
            "groups/talk/remove",
            json!({}),
            409,
        ),
        (
            "clearProcessLogs",
            json!(["nope"]),
            "processes/nope/clear-logs",
            json!({}),
            404,
        ),
    ];
    for (method, arguments, path, body, status) in rows {
        let fault = daemon.fault(method, arguments);
        let answer = post(&daemon, &format!("/api/v1/{path}"), &body);
        assert_eq!(answer.0, status, "{path}: {answer:?}");
        assert_eq!(answer.1["fault"]["code"], fault.code, "{path}");
        assert_eq!(answer.1["fault"]["text"], fault.text, "{path}");
    }
    let rows = [
        ("getProcessInfo", json!(["nope"]), "processes/nope", 404),
        (
            "callboard.getEventPoolInfo",
            json!(["talk"]),
            "pools/talk",
            404,
        ),
        (
            "readLog",
            json!([-5, 5]),
            "daemon/log?offset=-5&length=5",
            400,
        ),
        (
            "readProcessStdoutLog",
            json!(["nope", 0, 0]),
            "processes/nope/logs/stdout",
            404,
        ),
        (
            "readProcessStderrLog",
            json!(["talk", 0, -1]),
            "processes/talk/logs/stderr?length=-1",
            400,
        ),
        (
            "tailProcessStdoutLog",
            json!(["nope", 0, 9]),
            "processes/nope/logs/stdout?tail=9",
            404,
        ),
    ];
    for (method, arguments, path, status) in rows {
        let fault = daemon.fault(method, arguments);
        let answer = get(&daemon, &format!("/api/v1/{path}"));
        assert_eq!(answer.0, status, "{path}: {answer:?}");
        assert_eq!(answer.1["fault"]["text"], fault.text, "{path}");
    }
}

fn done() -> Answer {
    (200, json!(true))
}

fn row(group: &str, name: &str) -> Value {
    json!({"group": group, "name": name, "status": 80, "description": "OK"})
}

#[test]
fn actions_act() {
    let daemon = daemon();
    let pid = |name: &str| daemon.process_pid(name);
    assert_eq!(poke(&daemon, "/api/v1/processes/idle/start"), done());
    assert_eq!(daemon.state("idle"), "RUNNING");
    let before = pid("idle");
    assert_eq!(poke(&daemon, "/api/v1/processes/idle/restart"), done());
    assert_ne!(pid("idle"), before);
    assert_eq!(poke(&daemon, "/api/v1/processes/idle/stop"), done());
    assert_eq!(poke(&daemon, "/api/v1/processes/idle/restart"), done());
    assert_eq!(daemon.state("idle"), "RUNNING");

    let both = (200, json!([row("web", "web_0"), row("web", "web_1")]));
    let before = [pid("web:web_0"), pid("web:web_1")];
    assert_eq!(poke(&daemon, "/api/v1/groups/web/restart"), both);
    assert_eq!(poke(&daemon, "/api/v1/processes/web:*/restart"), both);
    let escaped = poke(&daemon, "/api/v1/processes/web%3A%2A/stop");
    assert_eq!(escaped.0, 200);
    assert_eq!(escaped.1.as_array().unwrap().len(), 2);
    assert!(before.iter().all(|pid| !procfs::is_alive(*pid)));
    assert_eq!(poke(&daemon, "/api/v1/groups/web/remove"), done());
    assert_eq!(get(&daemon, "/api/v1/processes/web:web_0").0, 404);
    assert_eq!(poke(&daemon, "/api/v1/groups/web/add"), done());
    daemon.wait_state("web:web_0", "RUNNING");

    let killed = pid("talk");
    let signal = json!({"signal": 9});
    assert_eq!(
        post(&daemon, "/api/v1/processes/talk/signal", &signal),
        done()
    );
    callboard_tests::wait::until_true("talk to be another", || {
        let now = pid("talk");
        (now != killed && now != 0, now)
    });
    let (status, rows) = poke(&daemon, "/api/v1/processes/clear-logs");
    assert_eq!((status, rows.as_array().unwrap().len()), (200, 8));
    assert_eq!(poke(&daemon, "/api/v1/daemon/clear-log"), done());
}

#[test]
fn a_reread_names_the_groups_that_changed() {
    let daemon = daemon();
    let changed = CONFIG
        .replace("[program:idle]", "[program:new]")
        .replace("command=sleep 1000\nprocess", "command=sleep 1001\nprocess");
    daemon.write_config(&changed);
    let (status, changes) = poke(&daemon, "/api/v1/daemon/reload-config");
    assert_eq!(status, 200);
    let expected = json!({"added": ["new"], "changed": ["web"], "removed": ["idle"]});
    assert_eq!(changes, expected);
    daemon.write_config("[program:x]\n");
    let (status, refusal) = poke(&daemon, "/api/v1/daemon/reload-config");
    assert_eq!(
        (status, &refusal["fault"]["name"]),
        (409, &json!("CANT_REREAD"))
    );
}

#[test]
fn input_comes_out_of_the_log() {
    let daemon = daemon();
    let path = "/api/v1/processes/talk";
    let body = json!({"chars": "héllo\n"});
    assert_eq!(post(&daemon, &format!("{path}/stdin"), &body), done());
    let log = format!("{path}/logs/stdout");
    callboard_tests::wait::until("the log to be written", || match get(&daemon, &log) {
        (200, answer) if answer["text"] == "got héllo\n" => Ok(()),
        other => Err(other),
    });
    let rows = [
        ("?offset=4&length=3", json!({"text": "hé"})),
        ("?offset=-4", json!({"text": "llo\n"})),
        (
            "?tail=4",
            json!({"text": "llo\n", "size": 11, "overflow": true}),
        ),
        (
            "?tail=100&offset=0",
            json!({"text": "got héllo\n", "size": 11, "overflow": false}),
        ),
    ];
    for (query, expected) in rows {
        assert_eq!(
            get(&daemon, &format!("{log}{query}")),
            (200, expected),
            "{query}"
        );
    }
    let (status, main) = get(&daemon, "/api/v1/daemon/log?offset=-200");
    assert_eq!(status, 200);
    assert!(main["text"].as_str().unwrap().len() <= 200);
}

#[test]
fn deaths_are_explained() {
    let daemon = daemon();
    for name in ["crash", "leave"] {
        assert_eq!(
            poke(&daemon, &format!("/api/v1/processes/{name}/start")),
            done()
        );
        daemon.wait_state(name, "EXITED");
    }
    let show = |name: &str| {
        let (status, info) = get(
            &daemon,
            &format!("/api/v1/processes/{name}?log_lines=1&usage=true"),
        );
        assert_eq!(status, 200);
        info
    };
    let crash = show("crash");
    assert_eq!(crash["log_tail"], json!({"stdout": [], "stderr": ["two"]}));
    assert_eq!(crash["usage"], Value::Null);
    let record = &crash["record"];
    let exits = json!({"stopped": 0, "expected": 0, "unexpected": 1, "too_quick": 0});
    assert_eq!(record["exits"], exits);
    assert_eq!(record["log_bytes"], json!({"stdout": 0, "stderr": 8}));
    let end = &record["last_end"];
    assert_eq!(end["signal"], "SIGKILL");
    assert_eq!(end["exitstatus"], Value::Null);
    assert_eq!(end["core_dumped"], false);
    assert_eq!(end["description"], "terminated by SIGKILL");
    assert_eq!(end["time"], crash["stop"]);
    assert!(end["peak_memory"].as_u64().unwrap() > 100_000, "{end}");

    let leave = show("leave");
    assert_eq!(leave["log_tail"], json!({"stdout": ["bye"], "stderr": []}));
    let end = &leave["record"]["last_end"];
    assert_eq!(
        (&end["exitstatus"], &end["signal"]),
        (&json!(3), &Value::Null)
    );
    assert_eq!(end["cause"], "unexpected");
}

#[test]
fn usage_is_that_of_the_process_table() {
    let daemon = daemon();
    let (_, rows) = get(
        &daemon,
        "/api/v1/processes?usage=true&state=RUNNING&group=talk",
    );
    assert_eq!(rows.as_array().unwrap().len(), 1);
    let (usage, pid) = (&rows[0]["usage"], &rows[0]["pid"]);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident: u64 = resident
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    let told = usage["memory"].as_u64().unwrap() / 1024;
    assert!(told.abs_diff(resident) < 1024, "{told} {resident}");
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    assert_eq!(usage["descriptors"], open);
    let (_, all) = get(&daemon, "/api/v1/processes");
    assert_eq!(all[0]["usage"], Value::Null);
    assert!(all[0].get("usage").is_none());
}

#[test]
fn groups_are_summed_up() {
    let daemon = daemon();
    daemon.wait_state("watch", "RUNNING");
    let (_, groups) = get(&daemon, "/api/v1/groups");
    let find = |name: &str| {
        let mut groups = groups.as_array().unwrap().iter();
        groups.find(|group| group["name"] == name).unwrap().clone()
    };
    assert_eq!(
        find("web"),
        json!({"name": "web", "is_pool": false, "processes": ["web_0", "web_1"], "states": {"RUNNING": 2}})
    );
    assert_eq!(find("watch")["is_pool"], true);
    assert_eq!(find("idle")["states"], json!({"STOPPED": 1}));
}

#[test]
fn a_daemon_that_stops_says_so() {
    let mut daemon = Daemon::under_test(
        "[program:slow]\ncommand=sh -c 'trap \"while [ ! -e %(here)s/go ]; do sleep 0.02; done; exit\" TERM; \
         echo deaf; while true; do sleep 0.02; done'\nstartsecs=0\nstopwaitsecs=60\nstdout_logfile=%(here)s/slow.out\n",
    );
    daemon.wait_file("slow.out", "deaf");
    assert_eq!(poke(&daemon, "/api/v1/daemon/shutdown"), done());
    let (status, state) = get(&daemon, "/api/v1/daemon");
    assert_eq!((status, &state["statename"]), (200, &json!("SHUTDOWN")));
    for (status, answer) in [
        get(&daemon, "/api/v1/processes"),
        poke(&daemon, "/api/v1/processes/slow/start"),
        get(&daemon, "/api/v1/config"),
    ] {
        assert_eq!((status, &answer["fault"]["code"]), (503, &json!(6)));
    }
    let reply = daemon.address().send("GET", "/metrics", &[]).unwrap();
    assert!(
        reply
            .text()
            .contains("supervisor_state{identifier=\"board\"} -1\n")
    );
    fs::write(daemon.path("go"), "").unwrap();
    assert_eq!(daemon.wait_exit().code(), Some(0));
}
