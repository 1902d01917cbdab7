//! The supervisorctl module of Ansible's collection community.general.

use std::fs;

use callboard_tests::normalise::Run;
use callboard_tests::{Daemon, Flavour};
use serde_json::{Value, json};

use crate::install::{self, fixture};
use crate::transcript::both_agree;

const CONFIG: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
username=ann
password=open:sesame
[program:web]
command=sleep 1000
startsecs=0
autostart=false
[program:broken]
command=false
startretries=0
autostart=false
[program:worker]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
autostart=false
[group:team]
programs=worker
";

const LATE: &str = "[program:late]\ncommand=sleep 1000\nstartsecs=0\n";

/// Each step and whether it shall change something, or fail.
fn steps(daemon: &Daemon) -> Vec<(Value, &'static str)> {
    let url = format!("http://127.0.0.1:{}", daemon.port());
    let login = |state: &str, password: &str| json!({"name": "web", "state": state, "url": url, "username": "ann", "password": password});
    vec![
        // Restarts update, which adds it too.
        (
            json!({"name": "late", "state": "present", "check": true}),
            "changed",
        ),
        (json!({"name": "late", "state": "present"}), "changed"),
        (json!({"name": "late", "state": "present"}), "same"),
        (
            json!({"name": "late", "state": "absent", "stop": true}),
            "changed",
        ),
        (json!({"name": "late", "state": "absent"}), "same"),
        (
            json!({"name": "web", "state": "started", "check": true}),
            "changed",
        ),
        (json!({"name": "web", "state": "started"}), "changed"),
        (json!({"name": "web", "state": "started"}), "same"),
        (
            json!({"name": "web", "state": "signalled", "signal": "WINCH"}),
            "changed",
        ),
        (
            json!({"name": "web", "state": "signalled", "signal": "WAT"}),
            "failed",
        ),
        (json!({"name": "web", "state": "restarted"}), "changed"),
        (json!({"name": "web", "state": "absent"}), "failed"),
        (login("stopped", "open:sesame"), "changed"),
        (login("stopped", "wrong"), "failed"),
        (json!({"name": "broken", "state": "started"}), "failed"),
        (json!({"name": "nobody", "state": "started"}), "failed"),
        (json!({"name": "team:", "state": "started"}), "changed"),
        (json!({"name": "team:", "state": "stopped"}), "changed"),
        (
            json!({"name": "team:worker_1", "state": "started"}),
            "changed",
        ),
        (json!({"name": "nobody", "state": "present"}), "failed"),
    ]
}

/// What the module answers to each step.
fn answers(flavour: Flavour) -> Vec<String> {
    let daemon = daemon(flavour);
    let answer = |(step, expected): &(Value, _)| {
        let answer = module(&daemon, step);
        assert_eq!(outcome(&answer), *expected, "{flavour:?} {step}: {answer}");
        told(&daemon, step, &answer)
    };
    steps(&daemon).iter().map(answer).collect()
}

/// What a play answers to some of them.
fn played(flavour: Flavour) -> Vec<String> {
    let daemon = daemon(flavour);
    let steps = [
        json!({"name": "late", "state": "present", "check": true}),
        json!({"name": "team:", "state": "started"}),
        json!({"name": "nobody", "state": "stopped"}),
    ];
    let answers = play(&daemon, &steps);
    let outcomes: Vec<_> = answers.iter().map(outcome).collect();
    assert_eq!(outcomes, ["changed", "changed", "failed"]);
    let told = |(step, answer)| told(&daemon, step, answer);
    steps.iter().zip(&answers).map(told).collect()
}

/// A daemon whose configuration has got a program more since it was read.
fn daemon(flavour: Flavour) -> Daemon {
    let daemon = Daemon::start(flavour, CONFIG);
    daemon.write_config(&format!("{CONFIG}{LATE}"));
    daemon
}

fn told(daemon: &Daemon, step: &Value, answer: &Value) -> String {
    let run = Run {
        dir: daemon.dir(),
        port: daemon.port(),
    };
    let fields = ["changed", "affected", "name", "state"].map(|name| &answer[name]);
    run.text(&format!("{step} -> {fields:?} {}", message(answer)))
}

/// Runs the module as Ansible does on the machine it manages.
fn module(daemon: &Daemon, step: &Value) -> Value {
    let mut arguments = json!({"config": daemon.config_path().display().to_string()});
    for (name, value) in step.as_object().into_iter().flatten() {
        let name = match name.as_str() {
            "check" => "_ansible_check_mode",
            "stop" => "stop_before_removing",
            "url" => "server_url",
            name => name,
        };
        arguments[name] = value.clone();
    }
    let file = daemon.path("arguments.json");
    fs::write(&file, json!({"ANSIBLE_MODULE_ARGS": arguments}).to_string())
        .expect("the directory is writable");
    let module = "ansible_collections/community/general/plugins/modules/supervisorctl.py";
    let module = install::collections().join(module);
    let output = daemon.run(&install::python("python"), &[module, file]);
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:#?}"))
}

fn outcome(answer: &Value) -> &'static str {
    match (&answer["failed"], &answer["changed"]) {
        (Value::Bool(true), _) => "failed",
        (_, Value::Bool(true)) => "changed",
        _ => "same",
    }
}

/// What a failure says, except where the original prints names of Python's.
fn message(answer: &Value) -> &str {
    let text = answer["msg"].as_str().unwrap_or_default();
    match text.starts_with("error: ") {
        true => "error: ...",
        false => text,
    }
}

/// Runs all steps in one play.
fn play(daemon: &Daemon, steps: &[Value]) -> Vec<Value> {
    let variables = json!({
        "steps": steps,
        "config": daemon.config_path().display().to_string(),
        "answers": daemon.path("answers").display().to_string(),
        "ansible_python_interpreter": install::python("python").display().to_string(),
    });
    fs::write(daemon.path("variables.json"), variables.to_string())
        .expect("the directory is writable");
    let output = daemon
        .fixture_command(&install::python("ansible-playbook"))
        .args([
            "--inventory",
            "localhost,",
            "--connection",
            "local",
            "--extra-vars",
            "@variables.json",
        ])
        .arg(fixture("playbook.yml"))
        .env("ANSIBLE_COLLECTIONS_PATH", install::collections())
        .env("ANSIBLE_HOME", daemon.path("ansible"))
        .env("ANSIBLE_LOCALHOST_WARNING", "false")
        .output()
        .expect("Ansible is installed");
    let answers = daemon.read("answers");
    serde_json::from_str(&answers).unwrap_or_else(|error| panic!("{error}: {output:#?}"))
}

#[test]
fn ansibles_module_finds_no_difference() {
    both_agree(answers);
}

#[test]
fn a_play_finds_no_difference() {
    both_agree(played);
}
