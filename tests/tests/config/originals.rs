//! The originals' reading of all cases.

use std::path::Path;
use std::process::Command;

use callboard_tests::originals;
use serde_json::{Value, json};

use crate::case::Case;

/// What the original makes of a case.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It starts: what `originals.py` shows of it.
    Accepted(Value),
    /// It prints something and exits with success.
    Printed,
    /// It exits. A code of 1 stands for an exception, whose text follows.
    Refused {
        /// Exit code.
        code: i64,
        /// What follows `Error: `, or the exception.
        text: String,
    },
}

/// Reads all cases in one process; `scratch` is a directory to write to.
pub(crate) fn read(scratch: &Path, cases: &[Case]) -> Vec<Outcome> {
    let input = scratch.join("cases.json");
    let list: Vec<_> = cases.iter().map(Case::to_json).collect();
    std::fs::write(&input, json!(list).to_string()).expect("the directory is writable");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/originals.py");
    let output = Command::new(originals::python())
        .arg(script)
        .arg(input)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("Python starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "originals.py: {complaint}");
    let outcomes: Vec<Value> = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!(outcomes.len(), cases.len());
    outcomes.into_iter().map(outcome).collect()
}

fn outcome(mut value: Value) -> Outcome {
    if let Some(accepted) = value.get_mut("accepted") {
        return Outcome::Accepted(accepted.take());
    }
    let Some(refused) = value.get("refused") else {
        assert!(value.get("printed").is_some(), "no known outcome: {value}");
        return Outcome::Printed;
    };
    let text = refused["text"].as_str().expect("a refusal has a text");
    let text = text.strip_prefix("Error: ").unwrap_or(text);
    let (text, _help) = text.split_once("\nFor help, use ").unwrap_or((text, ""));
    Outcome::Refused {
        code: refused["code"].as_i64().expect("a refusal has a code"),
        text: text.to_owned(),
    }
}
