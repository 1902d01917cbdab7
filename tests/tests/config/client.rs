//! The comparison for supervisorctl, which reads its own section of the same file.

use callboard_tests::workspace;
use config::supervisorctl::{self, Settings};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

use crate::case::Case;
use crate::difference;
use crate::originals::Outcome;

/// Reads a case as supervisorctl does and compares.
pub(crate) fn compare(case: &Case, original: &Outcome) -> Vec<String> {
    let environment = case.environment.iter().cloned().collect();
    let ours = supervisorctl::load(&case.argv[0], Some("main.conf"), &case.dir, &environment);
    let mut lines = Vec::new();
    match (original, ours.map_err(|error| error.to_string())) {
        (Outcome::Accepted(original), Ok(settings)) => {
            difference::compare("client", &original["client"], &shown(&settings), &mut lines);
        }
        (Outcome::Refused { code, text }, Err(ours)) => {
            if !ours.starts_with(text) {
                lines.push(format!("message: original {text:?}, ours {ours:?}"));
            }
            let (exit, stderr) = run(case);
            if *code != i64::from(exit) {
                lines.push(format!("exit code: original {code}, ours {exit}"));
            }
            if !stderr.starts_with(&format!("Error: {ours}\n")) {
                lines.push(format!(
                    "stderr: library {ours:?}, supervisorctl {stderr:?}"
                ));
            }
        }
        (original, ours) => lines.push(format!("outcome: original {original:?}, ours {ours:?}")),
    }
    lines
}

fn shown(settings: &Settings) -> Value {
    json!({
        "serverurl": settings.serverurl,
        "username": settings.username,
        "password": settings.password,
        "prompt": settings.prompt,
        "history_file": settings.history_file,
    })
}

/// Exit code and standard error of a supervisorctl that gets no further than its configuration.
fn run(case: &Case) -> (i32, String) {
    let output = Command::new(workspace::binary("supervisorctl"))
        .args(&case.argv[1..])
        .arg("status")
        .current_dir(&case.dir)
        .env_clear()
        .envs(case.environment.iter().cloned())
        .stdin(Stdio::null())
        .output()
        .expect("supervisorctl starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), stderr)
}
