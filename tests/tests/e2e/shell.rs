//! supervisorctl's shell on a terminal.

use callboard_tests::{CtlOutput, Daemon, originals, workspace};
use serde_json::json;

const CONFIG: &str = "\
[program:idle]
command=sleep 1000
startsecs=0
[supervisorctl]
serverurl=unix://%(here)s/s.sock
prompt=board
history_file=%(here)s/history
";

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

/// Runs the shell; each step is a text to wait for and the keys to type then.
fn shell(daemon: &Daemon, steps: &[(&str, &str)]) -> CtlOutput {
    terminal(daemon, steps, &["TERM=xterm"])
}

fn terminal(daemon: &Daemon, steps: &[(&str, &str)], environment: &[&str]) -> CtlOutput {
    let script = workspace::fixtures()
        .join("terminal.py")
        .display()
        .to_string();
    let ctl = daemon
        .flavour()
        .command("supervisorctl")
        .display()
        .to_string();
    let steps = json!(steps).to_string();
    let words = [
        &[script.as_str(), &steps, "env"],
        environment,
        &[&ctl, "-c", "supervisord.conf"],
    ];
    daemon.run(&originals::python(), &words.concat())
}

fn daemon() -> Daemon {
    let daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("idle", "RUNNING");
    daemon
}

#[test]
fn lines_typed_ahead_are_all_run() {
    let daemon = daemon();
    let steps = [
        ("board> ", "version\rpid\rfrobnicate\r"),
        ("*** Unknown syntax: frobnicate", CTRL_D),
    ];
    let output = shell(&daemon, &steps);
    assert_eq!(output.code, 0, "{output:?}");
    let pid = format!("{}\r\n", daemon.pid());
    for answer in ["\r\n4.3.0\r\n", &pid] {
        assert!(output.stdout.contains(answer), "{output:?}");
    }
}

#[test]
fn words_are_completed_and_lines_remembered() {
    let daemon = daemon();
    let steps = [
        ("board> ", "sta\t\t"),
        ("status", "tus i\t\r"),
        ("idle   ", "\u{1b}[A\r"),
        ("idle   ", "quit\r"),
    ];
    let output = shell(&daemon, &steps);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("status idle "), "{output:?}");
    assert!(daemon.read("history").starts_with("status idle"));
}

#[test]
fn interrupts_leave_the_shell_but_not_a_log() {
    let daemon = daemon();
    let steps = [
        ("board> ", "maintail -f\r"),
        ("==> Press Ctrl-C to exit <==", CTRL_C),
        ("board> ", "shutdown\r"),
        ("y/N? ", "n\r"),
        ("board> ", CTRL_C),
    ];
    let output = shell(&daemon, &steps);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(daemon.state("idle"), "RUNNING");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let daemon = daemon();
    let steps = [("board> ", CTRL_D)];
    for (environment, coloured) in [
        (&["TERM=xterm"][..], true),
        (&["TERM=xterm", "NO_COLOR=1"], false),
        (&["TERM=dumb"], false),
    ] {
        let output = terminal(&daemon, &steps, environment);
        assert_eq!(output.code, 0, "{output:?}");
        let green = output.stdout.contains("\u{1b}[32mRUNNING");
        assert_eq!(green, coloured, "{environment:?}: {output:?}");
    }
    assert!(!daemon.ctl(&["status"]).stdout.contains('\u{1b}'));
}
