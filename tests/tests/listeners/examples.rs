//! The examples at work, under our daemon and the original.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use callboard_tests::{Daemon, Flavour, originals, wait, workspace};
use serde_json::json;
use tempfile::TempDir;

/// Where the examples are.
pub(crate) fn directory() -> PathBuf {
    workspace::root().join("examples/listeners")
}

/// An example and the command line that runs it.
struct Example {
    name: &'static str,
    command: Vec<String>,
}

/// Examples built for this run; dropping them would remove the programs.
struct Built {
    examples: Vec<Example>,
    _directory: TempDir,
}

/// All examples whose tools this machine has. Python, a shell, a C compiler and Rust there must be.
fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = TempDir::with_prefix("callboard-").expect("a temporary directory");
        let here = |name: &str| text(&self::directory().join(name));
        let mut examples = vec![
            example(
                "python",
                [text(&originals::python()), here("python/listener.py")],
            ),
            example("sh", ["sh".to_owned(), here("sh/listener.sh")]),
            example("c", [c(directory.path())]),
        ];
        for (name, program) in [("rust", "listener"), ("async-rust", "async_listener")] {
            examples.push(example(name, [rust(program)]));
        }
        if works("node", "--version") {
            examples.push(example(
                "node",
                ["node".to_owned(), here("node/listener.js")],
            ));
        }
        if works("go", "version") {
            examples.push(example("go", [go(directory.path())]));
        }
        Built {
            examples,
            _directory: directory,
        }
    })
}

fn example<const N: usize>(name: &'static str, command: [String; N]) -> Example {
    Example {
        name,
        command: command.into(),
    }
}

/// A path as a word of a command line.
pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

fn works(tool: &str, argument: &str) -> bool {
    Command::new(tool)
        .arg(argument)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

fn c(into: &Path) -> String {
    let program = into.join("c_listener");
    run(Command::new("cc")
        .args(["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&program, &directory().join("c/listener.c")]));
    text(&program)
}

fn go(into: &Path) -> String {
    let program = into.join("go_listener");
    run(Command::new("go")
        .args(["build", "-o"])
        .args([&program, &directory().join("go/listener.go")])
        .env("GOCACHE", into.join("go-cache")));
    text(&program)
}

fn rust(program: &str) -> String {
    run(Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "-p",
            "callboard-listener-kit",
            "--example",
            program,
        ])
        .arg("--target-dir")
        .arg(workspace::target_dir())
        .current_dir(workspace::root()));
    text(&workspace::target_dir().join("debug/examples").join(program))
}

/// Payloads that tell characters from bytes and from units of UTF-16, and empty ones.
fn payloads() -> Vec<(&'static str, String)> {
    vec![
        ("plain", "data".to_owned()),
        ("typ", "déta".to_owned()),
        ("", String::new()),
        ("lines", "é\n€\n𝄞\n".to_owned()),
        ("wide", "𝄞".repeat(100)),
        ("many", "é€𝄞a\n".repeat(1500)),
        ("last", "one".to_owned()),
    ]
}

/// Runs all examples under one daemon; each must have written every event to its log, and nothing else.
fn under(flavour: Flavour) {
    let mut config = String::new();
    for Example { name, command } in &built().examples {
        let command = command.join(" ");
        config.push_str(&format!(
            "[eventlistener:{name}]\ncommand={command}\nevents=REMOTE_COMMUNICATION,SUPERVISOR_STATE_CHANGE\n\
             buffer_size=100\nstartsecs=0\nenvironment=LC_ALL=\"POSIX\"\nstderr_logfile=%(here)s/{name}.log\n"
        ));
    }
    let daemon = Daemon::start(flavour, &config);
    let mut want = "SUPERVISOR_STATE_CHANGE_RUNNING: \n".to_owned();
    for (kind, data) in payloads() {
        want.push_str(&format!("REMOTE_COMMUNICATION: type:{kind}\n{data}\n"));
        daemon.call("sendRemoteCommEvent", json!([kind, data]));
    }
    for Example { name, .. } in &built().examples {
        wait::until(&format!("all events in {name}'s log"), || {
            let log = daemon.read(&format!("{name}.log"));
            if log == want { Ok(()) } else { Err(log) }
        });
        daemon.wait_state(name, "RUNNING");
    }
}

#[test]
fn under_our_daemon() {
    under(Flavour::Ours);
}

#[test]
fn under_the_original() {
    under(Flavour::Original);
}

#[test]
fn they_pass_the_strict_test() {
    let checker = workspace::binary("supervisor-listener-test");
    std::thread::scope(|scope| {
        for Example { name, command } in &built().examples {
            let mut test = Command::new(&checker);
            test.args(["--strict", "--timeout", "30", "--"])
                .args(command);
            scope.spawn(move || {
                let output = test.output().expect("it runs");
                let report = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{name}: {report}");
                assert!(report.ends_with("passed, 14 checks\n"), "{name}: {report}");
                assert!(!report.contains("skip"), "{name}: {report}");
            });
        }
    });
}
