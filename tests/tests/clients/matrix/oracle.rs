//! Many runs of the original supervisorctl: Python starts once and forks for each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use callboard_tests::{CtlOutput, Daemon, Flavour, originals};
use serde_json::{Value, json};

use crate::install::fixture;

/// A supervisorctl of either flavour for the daemon of a session.
pub(super) enum Tool {
    Original(Oracle),
    Ours,
}

/// The server that runs the original.
pub(super) struct Oracle {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Tool {
    pub(super) fn new(flavour: Flavour, daemon: &Daemon) -> Self {
        match flavour {
            Flavour::Original => Self::Original(Oracle::start(daemon)),
            Flavour::Ours => Self::Ours,
        }
    }

    pub(super) fn run(&mut self, daemon: &Daemon, words: &[&str]) -> CtlOutput {
        match self {
            Self::Original(oracle) => oracle.run(daemon, words),
            Self::Ours => daemon.ctl_of(Flavour::Ours, words),
        }
    }
}

impl Oracle {
    fn start(daemon: &Daemon) -> Self {
        let mut child = daemon
            .fixture_command(&originals::python())
            .arg(fixture("oracle.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the originals are installed");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        Self {
            child,
            stdin,
            stdout,
        }
    }

    fn run(&mut self, daemon: &Daemon, words: &[&str]) -> CtlOutput {
        let config = daemon.config_path().display().to_string();
        let mut line = json!(["-c", config]);
        line.as_array_mut()
            .expect("an array")
            .extend(words.iter().map(|word| json!(word)));
        writeln!(self.stdin, "{line}").expect("the server reads");
        let mut answer = String::new();
        self.stdout
            .read_line(&mut answer)
            .expect("the server answers");
        let answer: Value = serde_json::from_str(&answer).expect("it answers in JSON");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        CtlOutput {
            stdout: text("stdout"),
            stderr: text("stderr"),
            code: answer["code"].as_i64().expect("an exit status") as i32,
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It ends with its input; if it does not, the fixture's mark ends it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
