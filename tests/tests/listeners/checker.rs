//! supervisor-listener-test, with listeners good and bad.

use std::path::PathBuf;
use std::process::{Command, Output};

use callboard_tests::{originals, workspace};
use serde_json::Value;

/// What a listener does wrong, as its argument and the code in the report; the check that finds it; what the report says else.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("not-ready", "not-ready", "start", ""),
    (
        "no-line-feed",
        "no-line-feed",
        "start",
        r#""output":"READY""#,
    ),
    ("carriage-return", "carriage-return", "start", ""),
    (
        "text-before-ready",
        "text-before-ready",
        "start",
        r#""output":"starting\nREADY\n""#,
    ),
    (
        "text-after-ready",
        "text-after-ready",
        "start",
        r#""output":"waiting\n""#,
    ),
    ("ready-twice", "ready-twice", "start", ""),
    ("result-unasked", "result-unasked", "start", ""),
    ("not-flushed", "not-flushed", "start", ""),
    (
        "no-result",
        "no-result",
        "again",
        r#""event":"REMOTE_COMMUNICATION""#,
    ),
    ("not-ready-again", "not-ready-again", "again", ""),
    ("bad-result-line", "bad-result-line", "again", ""),
    ("sloppy-result-line", "sloppy-result-line", "again", ""),
    (
        "prints-while-busy",
        "prints-while-busy",
        "types",
        r#""event":"PROCESS_STATE_STARTING""#,
    ),
    (
        "ready-instead-of-result",
        "ready-instead-of-result",
        "again",
        "",
    ),
    (
        "wrong-length",
        "wrong-length",
        "again",
        r#""output":"OKREADY\n""#,
    ),
    ("wrong-length-line-feed", "wrong-length", "again", ""),
    ("wrong-length-short", "wrong-length", "again", ""),
    (
        "line-feed-after-result",
        "line-feed-after-result",
        "again",
        "",
    ),
    (
        "unknown-result",
        "unknown-result",
        "again",
        r#""output":"DONEREADY\n""#,
    ),
    (
        "reads-lines",
        "reads-lines",
        "empty",
        r#""event":"SUPERVISOR_STATE_CHANGE_RUNNING""#,
    ),
    ("waits-for-eof", "waits-for-eof", "again", ""),
    ("died", "died", "types", r#""stderr":"cannot bear it""#),
    ("early-answer", "early-answer", "pieces", ""),
    (
        "loses-pieces",
        "loses-pieces",
        "pieces",
        r#""symptom":"died""#,
    ),
    ("counts-bytes", "counts-bytes", "non-ascii", ""),
    ("counts-bytes", "counts-bytes", "wide", ""),
    ("counts-utf16", "counts-utf16", "wide", ""),
    ("stays-after-eof", "stays-after-eof", "eof", ""),
    ("talks-after-eof", "talks-after-eof", "eof", ""),
    ("ignores-sigterm", "ignores-sigterm", "term", ""),
];

/// What is no fault, but worth a word.
const ADVICE: &[(&str, &str, &str)] = &[
    ("always-fails", "always-fails", "types"),
    ("ends-badly", "ends-badly", "eof"),
    ("answers-half", "answers-half", "cut"),
    ("splits-at-colons", "splits-at-colons", "colon"),
];

fn script() -> PathBuf {
    workspace::root().join("tests/tests/listeners/broken.py")
}

fn test(options: &[&str], fault: &str) -> Output {
    Command::new(workspace::binary("supervisor-listener-test"))
        .args(options)
        .arg("--")
        .arg(originals::python())
        .arg(script())
        .arg(fault)
        .output()
        .expect("it runs")
}

/// The codes of the faults in a report.
fn codes(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().expect("checks");
    let faults = checks
        .iter()
        .flat_map(|check| check["faults"].as_array().expect("faults"));
    faults
        .map(|fault| fault["code"].as_str().expect("a code"))
        .collect()
}

/// Runs rows a few at a time: they mostly wait.
fn in_parallel<T: Sync>(rows: &[T], check: impl Fn(&T) + Sync) {
    for rows in rows.chunks(6) {
        std::thread::scope(|scope| {
            for row in rows {
                scope.spawn(|| check(row));
            }
        });
    }
}

#[test]
fn a_good_listener_passes() {
    let output = test(&["--strict", "--json", "--timeout", "30"], "good");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report}");
    assert_eq!(report["passed"], true);
    assert_eq!(report["command"][2], "good");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn our_own_listeners_pass() {
    let rows = [
        "memmon -a 1GB",
        "httpok -a -t 1 http://127.0.0.1:1/",
        "crashmail",
        "crashmailbatch -t a@b -f c@d -i 9999",
        "fatalmailbatch -t a@b -f c@d -i 9999",
        "crashsms -t a@b -f c@d -i 9999",
    ];
    in_parallel(&rows, |row| {
        let words: Vec<_> = row.split(' ').collect();
        let output = Command::new(workspace::binary("supervisor-listener-test"))
            .args(["--strict", "--timeout", "30", "--"])
            .arg(workspace::binary(words[0]))
            .args(&words[1..])
            .env_remove("SUPERVISOR_SERVER_URL")
            .output()
            .expect("it runs");
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{row}: {report}");
    });
}

#[test]
fn faults_are_told_apart() {
    in_parallel(FAULTS, |(fault, code, check, detail)| {
        let output = test(&["--json", "--timeout", "8", "--check", check], fault);
        let text = String::from_utf8(output.stdout).expect("text");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(codes(&report).first(), Some(code), "{fault}: {text}");
        assert!(text.contains(detail), "{fault}: {text}");
        assert_eq!(output.status.code(), Some(1), "{fault}");
    });
}

#[test]
fn advice_is_given_to_the_lenient_too() {
    in_parallel(ADVICE, |(fault, code, check)| {
        let options = ["--json", "--timeout", "30", "--check", check];
        let output = test(&options, fault);
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(codes(&report), [*code], "{report}");
        assert_eq!(output.status.code(), Some(0), "{fault}");
        let output = test(&[&options[..], &["--strict"]].concat(), fault);
        assert_eq!(output.status.code(), Some(1), "{fault}");
    });
}

#[test]
fn bytes_are_right_where_bytes_are_announced() {
    let options = [
        "--bytes",
        "--timeout",
        "30",
        "--check",
        "non-ascii",
        "--check",
        "wide",
    ];
    assert_eq!(test(&options, "counts-bytes").status.code(), Some(0));
    // This one takes its time: who counts characters waits for more.
    let options = [
        "--bytes",
        "--json",
        "--timeout",
        "4",
        "--check",
        "non-ascii",
    ];
    let output = test(&options, "good");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(codes(&report), ["counts-characters"]);
}

#[test]
fn only_events_of_the_subscription_are_sent() {
    let output = test(
        &["--events", "TICK_60,PROCESS_STATE_EXITED", "-t", "30"],
        "good",
    );
    let text = String::from_utf8(output.stdout).expect("text");
    for check in ["empty", "non-ascii", "wide", "big"] {
        assert!(text.contains(&format!("skip  {check} ")), "{text}");
    }
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_listener_that_does_not_start_is_not_tried_further() {
    let output = Command::new(workspace::binary("supervisor-listener-test"))
        .arg("/nonexistent/listener")
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("FAIL  start"), "{text}");
    assert!(text.contains("the command cannot be started\n"), "{text}");
    assert!(text.contains("No such file or directory"), "{text}");
    assert!(text.ends_with("failed 1 of 1 checks\n"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn people_are_told_how_to_repair_it() {
    let output = test(&["-t", "4", "-c", "again"], "line-feed-after-result");
    let text = String::from_utf8(output.stdout).expect("text");
    let want = "      a line feed follows the body of the result\n      event:       REMOTE_COMMUNICATION\n      \
                it wrote:    \"\\nREADY\\n\"\n      repair:      nothing may follow OK: print() and puts() add a line feed";
    assert!(text.contains(want), "{text}");
}
