//! The comparison: same acceptance, same words of refusal, same configuration.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nix::unistd::Uid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::case::Case;
use crate::deliberate::DELIBERATE;
use crate::originals::{self, Outcome};
use crate::ours::{self, Reading, Running};
use crate::{client, difference, model, snippets};

/// How many configurations there are at least.
const ENOUGH: usize = 1000;

/// How many of them the daemon is run with at least.
const RUN: usize = 400;

#[test]
fn configurations_mean_the_same() {
    let snippets = snippets::all();
    let names: HashSet<_> = snippets.iter().map(|snippet| &snippet.name).collect();
    assert!(names.len() >= ENOUGH, "only {} configurations", names.len());
    assert_eq!(names.len(), snippets.len(), "a name is there twice");
    let scratch = TempDir::with_prefix("callboard-config-").expect("a temporary directory");
    let cases: Vec<_> = (snippets.iter().enumerate())
        .map(|(at, snippet)| Case::write(scratch.path().join(at.to_string()), snippet))
        .collect();
    let outcomes = originals::read(scratch.path(), &cases);
    let pairs: Vec<_> = cases.iter().zip(outcomes).collect();
    let run = pairs
        .iter()
        .filter(|(case, outcome)| is_run(case, outcome))
        .count();
    assert!(run >= RUN, "only {run} configurations are run");
    if let Err(report) = judge(&differences(&pairs)) {
        panic!("{report}");
    }
}

/// The cases that differ, with their differences; computed by as many threads as there are processors.
fn differences(pairs: &[(&Case, Outcome)]) -> Vec<(String, String)> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let work = || {
        while let Some((case, outcome)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let lines = match case.is_client {
                true => client::compare(case, outcome),
                false => compare(case, outcome),
            };
            let lines = lines.into_iter().map(|line| (case.name.clone(), line));
            found.lock().expect("nobody panicked").extend(lines);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().expect("nobody panicked");
    found.sort();
    found
}

/// Fails with a report of the differences that are not wanted, and of wanted ones that are not there.
fn judge(differences: &[(String, String)]) -> Result<(), String> {
    let mut report = String::new();
    for (name, line) in differences {
        if !DELIBERATE.iter().any(|entry| entry.excuses(name, line)) {
            let _ = writeln!(report, "{name}\n    {line}");
        }
    }
    for entry in DELIBERATE {
        if !differences
            .iter()
            .any(|(name, line)| entry.excuses(name, line))
        {
            let (snippet, difference) = (entry.snippet, entry.difference);
            let _ = writeln!(
                report,
                "no longer differs: {snippet}: {difference} ({})",
                entry.reason
            );
        }
    }
    if report.is_empty() {
        Ok(())
    } else {
        Err(report)
    }
}

fn compare(case: &Case, original: &Outcome) -> Vec<String> {
    let ours = ours::read(case);
    let mut lines = Vec::new();
    compare_with_check(case, &ours, &mut lines);
    match (original, ours) {
        (Outcome::Printed, Reading::Printed) => {}
        (Outcome::Accepted(original), Reading::Accepted(ours)) => {
            difference::compare(
                "model",
                &original["model"],
                &model::shown(&ours),
                &mut lines,
            );
            compare_notices(original, &ours, &mut lines);
            match is_startable(case, &original["model"]) {
                true => compare_running(case, original, &mut lines),
                false => check_only(case, &mut lines),
            }
        }
        (Outcome::Refused { code, text }, Reading::Refused(ours)) => {
            compare_refusals(case, *code, text, &ours, &mut lines);
        }
        (original, ours) => {
            let ours = brief(&ours);
            lines.push(format!("outcome: original {original:?}, ours {ours}"));
        }
    }
    lines
}

/// A check finds errors exactly in what a start refuses.
fn compare_with_check(case: &Case, ours: &Reading, lines: &mut Vec<String>) {
    match (ours, ours::check(case)) {
        (Reading::Accepted(_), Some(errors)) if !errors.is_empty() => {
            lines.push(format!("check: accepted, but {errors:?}"));
        }
        (Reading::Refused(message), Some(errors)) if errors.is_empty() => {
            lines.push(format!("check: without an error, but refused: {message}"));
        }
        _ => {}
    }
}

fn brief(reading: &Reading) -> String {
    match reading {
        Reading::Accepted(_) => "accepted".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Ours may have more to say.
fn compare_notices(original: &Value, ours: &config::model::Config, lines: &mut Vec<String>) {
    let mut ours: Vec<_> = ours.notices.iter().map(|notice| &*notice.text).collect();
    for notice in original["notices"].as_array().expect("notices are a list") {
        let notice = notice.as_str().expect("a notice is a text");
        match ours.iter().position(|own| *own == notice) {
            Some(at) => drop(ours.swap_remove(at)),
            None => lines.push(format!("notice: only the original says {notice:?}")),
        }
    }
}

/// Ours says the same, then perhaps where it is; the daemon says what the library says.
fn compare_refusals(case: &Case, code: i64, original: &str, ours: &str, lines: &mut Vec<String>) {
    if !ours.starts_with(original) {
        lines.push(format!("message: original {original:?}, ours {ours:?}"));
    }
    // A daemon that takes it wrongly shall not get out of sight.
    let is_foreground = |word: &String| word.starts_with("-n") || word.starts_with("--n");
    let words: &[_] = if case.argv.iter().any(is_foreground) {
        &[]
    } else {
        &["-n"]
    };
    let (exit, stderr) = Running::start(case, words).end();
    if code != i64::from(exit) {
        lines.push(format!("exit code: original {code}, ours {exit}"));
    }
    if !stderr.starts_with(&format!("Error: {ours}\nFor help, use ")) {
        lines.push(format!("stderr: library {ours:?}, daemon {stderr:?}"));
    }
}

fn is_run(case: &Case, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Accepted(original) => !case.is_client && is_startable(case, &original["model"]),
        Outcome::Printed | Outcome::Refused { .. } => false,
    }
}

/// Whether the daemon can be run with it: as this user, and with the preamble's socket only.
fn is_startable(case: &Case, model: &Value) -> bool {
    let socket = json!({"path": case.dir.join("s.sock"), "mode": 0o700, "owner": null});
    let server = json!([{"section": "unix_http_server", "address": socket, "credentials": null}]);
    let user = &model["daemon"]["user"];
    let groups = model["groups"].as_array().expect("groups are a list");
    model["servers"] == server
        && model["rpc_interfaces"] == json!(["supervisor"])
        && (user.is_null() || *user == json!(Uid::current().as_raw()))
        && groups
            .iter()
            .all(|group| is_private(case, &group["socket"]))
}

/// Whether a group's fcgi socket, if it has one, can be opened by this user without being in somebody's way.
fn is_private(case: &Case, socket: &Value) -> bool {
    let is_own = socket["owner"].is_null() || Uid::current().is_root();
    let url = socket["url"].as_str();
    let is_free = url.is_none_or(|url| match url.strip_prefix("unix://") {
        Some(path) => path.starts_with(&*case.dir.to_string_lossy()),
        None => url.ends_with(":0"),
    });
    is_own && is_free
}

/// What cannot be run can be checked.
fn check_only(case: &Case, lines: &mut Vec<String>) {
    let (exit, stderr) = Running::start(case, &["--check"]).end();
    if exit != 0 {
        lines.push(format!("check: exit code {exit}, {stderr:?}"));
    }
}

fn compare_running(case: &Case, original: &Value, lines: &mut Vec<String>) {
    let foreground = original["model"]["daemon"]["nodaemon"] == true;
    let mut daemon = Running::start(case, if foreground { &[] } else { &["-n"] });
    let answers = daemon
        .ask("getAllConfigInfo")
        .and_then(|configs| Ok((configs, daemon.ask("getAllProcessInfo")?)));
    let (configs, processes) = match answers {
        Ok(answers) => answers,
        Err(error) => {
            lines.push(format!("daemon: {error}"));
            return;
        }
    };
    let started = started(&original["config_info"]);
    for (method, ours) in [("config_info", configs), ("process_info", processes)] {
        let original = comparable(&original[method], &started);
        difference::compare(method, &original, &comparable(&ours, &started), lines);
    }
    let (exit, stderr) = daemon.stop();
    if exit != 0 {
        lines.push(format!("end: exit code {exit}, {stderr:?}"));
    }
}

/// Groups and names of the processes that a start starts.
fn started(configs: &Value) -> HashSet<(String, String)> {
    let configs = configs.as_array().into_iter().flatten();
    let started = configs.filter(|config| config["autostart"] == true);
    started.map(identity).collect()
}

fn identity(info: &Value) -> (String, String) {
    (info["group"].to_string(), info["name"].to_string())
}

/// What must be the same: not the time, nor what became of started processes, nor the random part of log names.
fn comparable(infos: &Value, started: &HashSet<(String, String)>) -> Value {
    let mut infos = infos.clone();
    for info in infos.as_array_mut().into_iter().flatten() {
        let runs = started.contains(&identity(info));
        let Some(members) = info.as_object_mut() else {
            continue;
        };
        members.remove("now");
        if runs && members.contains_key("statename") {
            let kept = [
                "name",
                "group",
                "logfile",
                "stdout_logfile",
                "stderr_logfile",
            ];
            members.retain(|name, _| kept.contains(&name.as_str()));
        }
        for (name, value) in members {
            if let (true, Some(path)) = (name.ends_with("logfile"), value.as_str()) {
                *value = json!(without_random_part(path));
            }
        }
    }
    infos
}

fn without_random_part(path: &str) -> String {
    match path.rsplit_once('-') {
        Some((start, end)) if path.contains("---") && end.ends_with(".log") => {
            format!("{start}-*.log")
        }
        _ => path.to_owned(),
    }
}
