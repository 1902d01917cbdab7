//! What Supervisor's own supervisorctl lacks.

use client::CallError;

use super::script::{done, processes, refused, results, run, run_on_terminal, up};
use crate::exit_status::ExitStatus;

#[test]
fn wildcards_mean_processes() {
    let all = || processes(&[("cat", 20), ("web:a", 20), ("web:b", 20)]);
    let calls = vec![
        up(),
        all(),
        done("stopProcess web:a"),
        done("stopProcess web:b"),
        done("stopProcess cat"),
    ];
    let expected = "web:a: stopped\nweb:b: stopped\ncat: stopped\n";
    let outcome = run("stop web:? cat", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Success));

    let unknown = refused("stopProcess a*", 10, "BAD_NAME: a*");
    let outcome = run("stop a*", vec![up(), all(), unknown]);
    let expected = "a*: ERROR (no such process)\n";
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));

    let calls = vec![up(), all(), done("signalProcess web:b HUP")];
    let outcome = run("signal HUP *b", calls);
    assert_eq!(outcome.0, "web:b: signalled\n");

    let outcome = run("status w*", vec![up(), all()]);
    assert_eq!(outcome.0.lines().count(), 2, "{}", outcome.0);
}

#[test]
fn wildcards_are_asked_for_only_where_there_are_some() {
    let calls = vec![up(), ("stopProcessGroup g", results(&[]))];
    assert_eq!(run("stop g:*", calls).0, "");
}

#[test]
fn matched_processes_are_acted_on() {
    let all = || processes(&[("web", 20), ("g:web_1", 20), ("db", 20)]);
    let calls = vec![
        up(),
        all(),
        done("stopProcess web:web"),
        done("stopProcess g:web_1"),
        done("startProcess web:web"),
        done("startProcess g:web_1"),
    ];
    let expected = "web: stopped\ng:web_1: stopped\nweb: started\ng:web_1: started\n";
    let outcome = run("mrestart web*", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Success));

    for line in ["mstart n*", "mstop"] {
        let outcome = run(line, vec![up(), all()]);
        let expected = "No process matched given expression.\n";
        assert_eq!(outcome, (expected.to_owned(), ExitStatus::Success));
    }
}

#[test]
fn serial_restarts_wait_for_each() {
    let calls = vec![
        up(),
        processes(&[("a", 20), ("g:x", 20), ("g:y", 20)]),
        done("stopProcess g:x"),
        refused("startProcess g:x", 50, "SPAWN_ERROR: g:x"),
        done("stopProcess g:y"),
        done("startProcess g:y"),
    ];
    let expected = "No such process n\ng:x: stopped\ng:x: ERROR (spawn error)\n\
        g:y: stopped\ng:y: started\n";
    let outcome = run("serialrestart g:* n", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::NotRunning));

    let (output, status) = run("serialrestart", vec![up()]);
    assert!(
        output.starts_with("Error: serialrestart requires a process name\nserialrestart <name>")
    );
    assert_eq!(status, ExitStatus::Failed);
}

#[test]
fn several_logs_are_followed_with_their_names() {
    let all = || processes(&[("a", 20), ("g:x", 20)]);
    let expected = "n: ERROR (no such process name)\n==> Press Ctrl-C to exit <==\n\
        a stdout   | </logtail/a/stdout>\na stderr   | </logtail/a/stderr>\n\
        g:x stdout | </logtail/g:x/stdout>\n\
        a stdout   | begun\na stderr   | begun\ng:x stdout | begun\n\n";
    let outcome = run("tail -f a n g:x", vec![up(), all()]);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));

    let expected = "g:x: ERROR (no log file)\n==> Press Ctrl-C to exit <==\n\
        a | </logtail/a/stderr>\na | begun\n\n";
    let outcome = run("tail -f g:x a STDERR", vec![up(), all()]);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));
}

#[test]
fn a_second_word_that_names_nothing_is_a_bad_channel() {
    let outcome = run("tail -f a FOO", vec![up(), processes(&[("a", 20)])]);
    let expected = "Error: bad channel 'foo'\n";
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));
}

#[test]
fn terminals_show_progress_and_erase_it() {
    let calls = vec![up(), done("stopProcess a"), done("stopProcess b")];
    let expected = "{Waiting 1 s for a, b}<a: stopped\n{Waiting 1 s for b}<b: stopped\n";
    assert_eq!(run_on_terminal("stop a b", calls).0, expected);

    let group = ("startProcessGroup g", results(&[("g", "x", 80)]));
    let expected = "{Waiting 1 s for g:*}<g:x: started\n";
    assert_eq!(run_on_terminal("start g:*", vec![up(), group]).0, expected);

    let all = ("startAllProcesses", results(&[]));
    let expected = "{Waiting 1 s for all}<";
    assert_eq!(run_on_terminal("start all", vec![up(), all]).0, expected);
}

#[test]
fn terminals_see_a_shutdown_to_its_end() {
    let expected = "{Waiting 1 s for a, b}{Waiting 2 s for b}<Shut down\n";
    let outcome = run_on_terminal("shutdown", vec![done("shutdown")]);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Success));
}

#[test]
fn terminals_have_colours_and_advice() {
    let (output, _) = run_on_terminal("status a", vec![up(), processes(&[("a", 20)])]);
    assert!(output.ends_with(" ^[32mRUNNING^[0m   \n"), "{output}");

    let gone = || vec![("getVersion", Err(CallError::NoSuchFile))];
    let (output, status) = run_on_terminal("stop a", gone());
    assert!(output.starts_with("unix:///s no such file: start supervisord"));
    assert_eq!(status, ExitStatus::NotRunning);
    assert_eq!(run("stop a", gone()).0, "unix:///s no such file\n");
}

fn last_upgrade(number: i32, failure: &str) -> (&'static str, super::script::Answer) {
    let members = [
        ("number", number.into()),
        ("failure", failure.into()),
        ("from", "1.0".into()),
        ("version", "1.1".into()),
        ("children", 3.into()),
        ("pause", 2.into()),
    ];
    let answer = protocol::xmlrpc::Value::record(members);
    ("callboard.getLastUpgrade", Ok(answer))
}

#[test]
fn the_outcome_of_an_upgrade_is_told() {
    let begins = || vec![up(), last_upgrade(4, ""), done("callboard.upgrade")];
    let mut calls = begins();
    calls.push(("callboard.getLastUpgrade", Err(CallError::Refused)));
    calls.extend([last_upgrade(4, ""), last_upgrade(5, "")]);
    let expected = "Upgraded supervisord from 1.0 to 1.1: 3 processes go on, pause 2 ms\n";
    let outcome = run("upgrade", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Success));

    let mut calls = begins();
    calls.push(last_upgrade(5, "it was not to be"));
    let expected = "ERROR: not upgraded, supervisord goes on: it was not to be\n";
    let outcome = run("upgrade", calls);
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));

    let refused = refused("callboard.upgrade", 30, "FAILED: /x refuses: no");
    let outcome = run("upgrade", vec![up(), last_upgrade(0, ""), refused]);
    let expected = "ERROR: /x refuses: no\n";
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));

    let unknown = refused_last();
    let outcome = run("upgrade", vec![up(), unknown]);
    let expected = "ERROR: the server cannot be upgraded in place\n";
    assert_eq!(outcome, (expected.to_owned(), ExitStatus::Failed));
}

fn refused_last() -> (&'static str, super::script::Answer) {
    refused("callboard.getLastUpgrade", 1, "UNKNOWN_METHOD")
}
