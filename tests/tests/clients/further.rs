//! What our supervisorctl has beyond the original's.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use callboard_tests::{CtlOutput, Daemon, Flavour};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

const CONFIG: &str = "\
[program:web]
command=sh -c 'echo out %(process_num)d; echo err %(process_num)d >&2; exec cat'
process_name=%(program_name)s_%(process_num)d
numprocs=3
startsecs=0
[program:idle]
command=sleep 1000
startsecs=0
autostart=false
[program:broken]
command=false
startretries=0
autostart=false
";

fn daemon() -> Daemon {
    let daemon = Daemon::start(Flavour::Ours, CONFIG);
    for name in ["web:web_0", "web:web_1", "web:web_2"] {
        daemon.wait_state(name, "RUNNING");
    }
    daemon
}

fn lines(output: &CtlOutput) -> Vec<&str> {
    output.stdout.lines().collect()
}

/// Each row is a command, its exit status and all it prints.
#[test]
fn wildcards_stand_for_the_processes_they_match() {
    let daemon = daemon();
    let rows: [(&[&str], i32, &[&str]); 9] = [
        (
            &["stop", "web:web_[01]"],
            0,
            &["web:web_0: stopped", "web:web_1: stopped"],
        ),
        (
            &["stop", "web:web_*"],
            0,
            &[
                "web:web_0: ERROR (not running)",
                "web:web_1: ERROR (not running)",
                "web:web_2: stopped",
            ],
        ),
        (
            &["start", "w*:web_?", "idle"],
            0,
            &[
                "web:web_0: started",
                "web:web_1: started",
                "web:web_2: started",
                "idle: started",
            ],
        ),
        (&["signal", "WINCH", "i*"], 0, &["idle: signalled"]),
        (&["restart", "id*"], 0, &["idle: stopped", "idle: started"]),
        (
            &["clear", "web:web_[!0]"],
            0,
            &["web:web_1: cleared", "web:web_2: cleared"],
        ),
        (&["start", "no*"], 1, &["no*: ERROR (no such process)"]),
        (&["pid", "no*"], 1, &["No such process no*"]),
        (&["start", "bro*"], 7, &["broken: ERROR (spawn error)"]),
    ];
    for (words, code, expected) in rows {
        let output = daemon.ctl(words);
        assert_eq!(
            (output.code, lines(&output)),
            (code, expected.to_vec()),
            "{words:?}"
        );
    }
}

#[test]
fn many_are_started_and_stopped_by_pattern() {
    let daemon = daemon();
    let rows: [(&[&str], &[&str]); 5] = [
        (
            &["mstop", "web_[12]"],
            &["web:web_1: stopped", "web:web_2: stopped"],
        ),
        (&["mstart", "web:*_1"], &["web:web_1: started"]),
        (
            &["mrestart", "web_0"],
            &["web:web_0: stopped", "web:web_0: started"],
        ),
        (
            &["serialrestart", "web:web_0", "web:web_1"],
            &[
                "web:web_0: stopped",
                "web:web_0: started",
                "web:web_1: stopped",
                "web:web_1: started",
            ],
        ),
        (
            &["mstart", "nobody*"],
            &["No process matched given expression."],
        ),
    ];
    for (words, expected) in rows {
        let output = daemon.ctl(words);
        assert_eq!(
            (output.code, lines(&output)),
            (0, expected.to_vec()),
            "{words:?}"
        );
    }
}

#[test]
fn a_status_in_json_is_what_the_api_says() {
    let daemon = daemon();
    let output = daemon.ctl(&["status", "--json", "web:*", "idle", "nobody"]);
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (3, "nobody: ERROR (no such process)\n")
    );
    let rows: Value = serde_json::from_str(&output.stdout).expect("JSON and nothing else");
    let rows = rows.as_array().expect("an array");
    let names: Vec<_> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["web_0", "web_1", "web_2", "idle"]);
    for row in rows {
        let name = format!(
            "{}:{}",
            row["group"].as_str().unwrap_or_default(),
            row["name"].as_str().unwrap_or_default()
        );
        let info = daemon.info(&name);
        for field in ["group", "name", "pid", "start"] {
            assert_eq!(row[field], info[field], "{row}");
        }
        assert_eq!(row["state"], info["statename"], "{row}");
    }
}

#[test]
fn stopped_processes_may_be_ignored() {
    let daemon = daemon();
    let code = |words: &[&str]| daemon.ctl(words).code;
    assert_eq!(code(&["status"]), 3);
    assert_eq!(code(&["status", "--ignore-stopped"]), 0);
    assert_eq!(daemon.fault("startProcess", json!(["broken"])).code, 50);
    daemon.wait_state("broken", "FATAL");
    assert_eq!(code(&["status", "--ignore-stopped"]), 3);
    assert_eq!(code(&["status", "--ignore-stopped", "nobody"]), 4);
}

#[test]
fn several_logs_are_followed_at_once() {
    let daemon = daemon();
    let mut tail = daemon
        .command("supervisorctl")
        .arg("-c")
        .arg(daemon.config_path())
        .args(["tail", "-f", "web:web_0", "web:web_1"])
        .stdout(File::create(daemon.path("tailed")).expect("the directory is writable"))
        .spawn()
        .expect("our supervisorctl starts");
    for text in ["out 0", "out 1", "err 0", "err 1"] {
        daemon.wait_file("tailed", text);
    }
    for (name, text) in [
        ("web:web_0", "to the first\n"),
        ("web:web_1", "to the second\n"),
    ] {
        daemon.call("sendProcessStdin", json!([name, text]));
        daemon.wait_file("tailed", text);
    }
    assert!(!daemon.read("tailed").contains("out 2"));
    kill(Pid::from_raw(tail.id() as i32), Signal::SIGINT).expect("it follows");
    assert_eq!(tail.wait().expect("it ends").code(), Some(0));
}

/// The original may hang at the end, so this is not compared.
#[test]
fn a_process_in_the_foreground_is_written_to_until_the_input_ends() {
    let daemon = daemon();
    let mut fg = daemon
        .command("supervisorctl")
        .arg("-c")
        .arg(daemon.config_path())
        .args(["fg", "web:web_0"])
        .stdin(Stdio::piped())
        .stdout(File::create(daemon.path("shown")).expect("the directory is writable"))
        .spawn()
        .expect("our supervisorctl starts");
    daemon.wait_file("shown", "==> Press Ctrl-C to exit <==\n");
    let mut input = fg.stdin.take().expect("it is piped");
    input.write_all(b"typed\n").expect("it reads");
    daemon.wait_file("shown", "typed\n");
    drop(input);
    assert_eq!(fg.wait().expect("it ends").code(), Some(0));
    assert!(daemon.read("shown").ends_with("Exiting foreground\n"));
    assert_eq!(daemon.state("web:web_0"), "RUNNING");
}
