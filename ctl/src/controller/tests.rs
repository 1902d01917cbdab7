//! Whole commands against a server that answers from a script.

use client::CallError;
use protocol::xmlrpc::Value;

use crate::exit_status::ExitStatus;

mod further;
mod script;

use script::{changes, done, refused, results, run, run_with, up};

#[test]
fn names_are_started_one_after_another_and_the_last_problem_counts() {
    let calls = vec![
        up(),
        done("startProcess a:a"),
        refused("startProcess b", 50, "SPAWN_ERROR: b"),
        (
            "startProcessGroup g",
            results(&[("g", "x", 80), ("g", "y", 60)]),
        ),
        refused("startProcessGroup n", 10, "BAD_NAME: n"),
    ];
    let expected = "a: started\nb: ERROR (spawn error)\ng:x: started\n\
        g:y: ERROR (already started)\nn: ERROR (no such group)\n";
    let outcome = run("start a:a b g:* n:", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::BadArguments));
}

#[test]
fn restart_stops_everything_before_it_starts_anything() {
    let calls = vec![
        up(),
        done("stopProcess a"),
        refused("stopProcess b", 70, "NOT_RUNNING: b"),
        done("startProcess a"),
        done("startProcess b"),
    ];
    let expected = "a: stopped\nb: ERROR (not running)\na: started\nb: started\n";
    let outcome = run("restart a b", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Success));
}

#[test]
fn update_removes_then_changes_then_adds() {
    let calls = vec![
        (
            "reloadConfig",
            changes([&["new"], &["other"], &["old", "bad"]]),
        ),
        ("stopProcessGroup old", results(&[])),
        done("removeProcessGroup old"),
        ("stopProcessGroup bad", results(&[("bad", "bad", 30)])),
        ("stopProcessGroup other", results(&[])),
        done("removeProcessGroup other"),
        done("addProcessGroup other"),
        done("addProcessGroup new"),
    ];
    let expected = "old: stopped\nold: removed process group\nbad: stopped\n\
        bad: has problems; not removing\nother: stopped\nother: updated process group\n\
        new: added process group\n";
    let outcome = run("update", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));
}

#[test]
fn update_of_some_groups_leaves_the_others_alone() {
    let calls = vec![
        ("reloadConfig", changes([&["new"], &["other"], &[]])),
        ("getAllProcessInfo", Ok(Value::Array(Vec::new()))),
        done("addProcessGroup new"),
    ];
    let expected = "ERROR: no such group: x\nnew: added process group\n";
    let outcome = run("update x new x", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));
}

#[test]
fn update_adds_many_groups_by_one_request() {
    let fault = Value::record([
        ("faultCode", 90.into()),
        ("faultString", "ALREADY_ADDED: b".into()),
    ]);
    let rows = [
        (vec![true.into(), true.into()], "b: added process group\n"),
        (
            vec![true.into(), fault],
            "error: fault 90: ALREADY_ADDED: b\n",
        ),
        (
            vec![true.into()],
            "error: unix:///s gave an incomplete answer",
        ),
    ];
    for (answers, expected) in rows {
        let status = match expected.starts_with("error") {
            true => ExitStatus::Failed,
            false => ExitStatus::Success,
        };
        let calls = vec![
            ("reloadConfig", changes([&["a", "b"], &[], &[]])),
            (
                "system.multicall  addProcessGroup a addProcessGroup b",
                Ok(Value::Array(answers)),
            ),
        ];
        let (told, exit) = run("update", calls);
        let rest = told.strip_prefix("a: added process group\n");
        assert!(
            rest.is_some_and(|rest| rest.starts_with(expected)),
            "{told}"
        );
        assert_eq!(exit, status, "{told}");
    }
}

#[test]
fn clear_knows_groups() {
    let process = Value::record([
        ("group", "g".into()),
        ("name", "x".into()),
        ("state", 20.into()),
    ]);
    let all = || ("getAllProcessInfo", Ok(Value::Array(vec![process.clone()])));
    let calls = vec![up(), all(), done("clearProcessLogs g:x"), all()];
    let expected = "g:x: cleared\nn: ERROR (no such group)\n";
    let outcome = run("clear g:* n:*", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));
}

#[test]
fn servers_that_cannot_be_used_are_named() {
    let gone = |call| vec![(call, Err(CallError::NoSuchFile))];
    let no = |call| vec![(call, Err(CallError::Refused))];
    let fault = |call, code| vec![refused(call, code, "X")];
    let version = vec![("getVersion", Ok(Value::from("9")))];
    let rows = [
        (
            "stop x",
            gone("getVersion"),
            "unix:///s no such file",
            ExitStatus::NotRunning,
        ),
        (
            "stop x",
            no("getVersion"),
            "unix:///s refused connection",
            ExitStatus::Unknown,
        ),
        (
            "status",
            gone("getVersion"),
            "unix:///s no such file",
            ExitStatus::Unknown,
        ),
        (
            "status",
            fault("getVersion", 1),
            "Sorry, supervisord",
            ExitStatus::Unknown,
        ),
        (
            "version",
            fault("getVersion", 1),
            "Sorry, supervisord",
            ExitStatus::NotAllRunning,
        ),
        (
            "version",
            version,
            "Sorry, this version",
            ExitStatus::WrongVersion,
        ),
        (
            "version",
            fault("getVersion", 6),
            "error: supervisord is",
            ExitStatus::Failed,
        ),
        (
            "reread",
            no("reloadConfig"),
            "unix:///s refused connection: start supervisord",
            ExitStatus::Failed,
        ),
        (
            "reread",
            fault("reloadConfig", 6),
            "ERROR: supervisor shutting down",
            ExitStatus::Failed,
        ),
        (
            "reload",
            fault("restart", 6),
            "ERROR: already shutting down",
            ExitStatus::Failed,
        ),
        (
            "shutdown",
            fault("shutdown", 6),
            "ERROR: already shutting down",
            ExitStatus::Success,
        ),
        (
            "shutdown",
            gone("shutdown"),
            "ERROR: unix:///s no such file (already shut down?)",
            ExitStatus::Failed,
        ),
    ];
    for (line, calls, expected, status) in rows {
        let (output, actual) = run(line, calls);
        assert!(output.starts_with(expected), "{line}: {output}");
        assert_eq!(output.lines().count(), 1, "{line}: {output}");
        assert_eq!(actual, status, "{line}");
    }
}

#[test]
fn credentials_are_asked_for_when_somebody_is_there() {
    let calls = || vec![("restart", Err(CallError::Unauthorized))];
    let (output, status) = run("reload", calls());
    assert!(output.starts_with("Server requires authentication\nerror: "));
    assert_eq!(status, ExitStatus::Failed);

    let calls = vec![
        ("getVersion", Err(CallError::Unauthorized)),
        up(),
        ("getSupervisorVersion", Ok("1.2".into())),
    ];
    let (output, status) = run_with("version", calls, Some("user"));
    assert_eq!(output, "Server requires authentication\n\n1.2\n");
    assert_eq!(status, ExitStatus::Success);
}

#[test]
fn what_cannot_be_undone_is_confirmed() {
    let rows = [
        ("yes", "Shut down\n"),
        ("Y", "Shut down\n"),
        ("no", ""),
        ("", ""),
    ];
    for (typed, expected) in rows {
        let calls = match expected {
            "" => Vec::new(),
            _ => vec![done("shutdown")],
        };
        assert_eq!(run_with("shutdown", calls, Some(typed)).0, expected);
    }
}

#[test]
fn followed_logs_end_with_a_new_line() {
    let expected = "==> Press Ctrl-C to exit <==\n</logtail/a:b/stderr>\n\n";
    let outcome = run("tail -f a:b stderr", vec![up()]);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Success));
}

#[test]
fn blank_lines_and_nonsense() {
    assert_eq!(run(" ", Vec::new()), (String::new(), ExitStatus::Success));
    let (output, status) = run(" foo bar ", Vec::new());
    assert_eq!(output, "*** Unknown syntax: foo bar\n");
    assert_eq!(status, ExitStatus::Failed);
}
