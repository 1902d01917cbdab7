//! Whole commands against a server that answers from a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use client::{CallError, Credentials};
use protocol::xmlrpc::{FaultValue, Value};

use super::{Controller, Flow};
use crate::console::{Console, Entry};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::screen::{Look, Screen};
use crate::server::{Ending, OnPiece, Server};
use crate::waiting::{Call, Moment, Observer};

type Answer = Result<Value, CallError>;

/// Expects calls in their order, written `method argument...` without namespace, and answers them.
#[derive(Default)]
struct Script {
    calls: VecDeque<(&'static str, Answer)>,
    credentials: Option<Credentials>,
}

impl Server for Script {
    fn url(&self) -> &str {
        "unix:///s"
    }

    fn open(&mut self, _: &str) {}

    fn log_in(&mut self, credentials: Credentials) {
        self.credentials = Some(credentials);
    }

    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Failure> {
        let mut call = method.trim_start_matches("supervisor.").to_owned();
        for param in params {
            call += " ";
            call += &param.as_str().map_or(format!("{param:?}"), str::to_owned);
        }
        let (expected, answer) = self
            .calls
            .pop_front()
            .unwrap_or(("nothing", Ok(Value::Nil)));
        assert_eq!(call, expected);
        Ok(answer?)
    }

    /// A second passes before each answer; nobody else has answered by then.
    fn call_all(&mut self, calls: &[Call<'_>], observer: &mut dyn Observer) -> Result<(), Failure> {
        let mut open = vec![true; calls.len()];
        for (number, call) in calls.iter().enumerate() {
            let moment = Moment {
                elapsed: Duration::from_secs(1),
                open: &open,
                processes: &[],
            };
            if observer.is_watching() {
                observer.waiting(&moment)?;
            }
            let answer = self.call(call.method, &call.params);
            observer.answered(answer)?;
            open[number] = false;
        }
        Ok(())
    }

    fn follow_all(
        &mut self,
        paths: &[String],
        each: &mut OnPiece<'_, usize>,
    ) -> Result<(), Failure> {
        for (number, path) in paths.iter().enumerate() {
            each(number, format!("<{path}>\nbegun").as_bytes())?;
        }
        Err(Failure::Interrupted)
    }

    fn stay(&mut self, each: &mut OnPiece<'_, Duration>) -> Result<(), Failure> {
        each(Duration::ZERO, b"waiting for a, b to die\n")?;
        each(Duration::from_secs(1), b"")?;
        each(Duration::from_secs(2), b"stopped: a (exit status 0)\n")?;
        Err(CallError::Refused.into())
    }

    fn follow(&mut self, path: &str, out: &mut dyn Write) -> Result<(), Failure> {
        writeln!(out, "<{path}>").map_err(Failure::Output)?;
        Err(Failure::Interrupted)
    }

    fn foreground(&mut self, _: &str, _: &mut dyn Write) -> Result<Ending, Failure> {
        Ok(Ending::ProcessGone)
    }
}

/// Enters these lines.
struct Typist(VecDeque<&'static str>);

impl Console for Typist {
    fn read_command(&mut self, _: &str, _: &mut dyn Write) -> Result<Entry, Failure> {
        let line = self.0.pop_front();
        Ok(line.map_or(Entry::End, |line| Entry::Line(line.to_owned())))
    }

    fn ask(&mut self, question: &str, out: &mut dyn Write) -> Result<Entry, Failure> {
        self.read_command(question, out)
    }

    fn ask_password(&mut self, _: &str) -> Result<String, Failure> {
        Ok("secret".to_owned())
    }
}

#[derive(Clone, Default)]
struct Output(Rc<RefCell<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a line prints and the exit status it leaves. Every call of the script has to be made.
fn run(line: &str, calls: Vec<(&'static str, Answer)>) -> (String, ExitStatus) {
    run_with(line, calls, None)
}

/// The same; with something typed, the controller is interactive.
fn run_with(
    line: &str,
    calls: Vec<(&'static str, Answer)>,
    typed: Option<&'static str>,
) -> (String, ExitStatus) {
    run_on(Look::Plain, line, calls, typed)
}

/// The same in front of a terminal; escape sequences shown readably.
fn run_on_terminal(line: &str, calls: Vec<(&'static str, Answer)>) -> (String, ExitStatus) {
    let (text, status) = run_on(Look::Terminal { colour: true }, line, calls, None);
    let text = text
        .replace("\r\x1b[?7l", "{")
        .replace("\x1b[K\x1b[?7h", "}");
    (text.replace("\r\x1b[K", "<").replace('\x1b', "^"), status)
}

fn run_on(
    look: Look,
    line: &str,
    calls: Vec<(&'static str, Answer)>,
    typed: Option<&'static str>,
) -> (String, ExitStatus) {
    let script = Rc::new(RefCell::new(Script {
        calls: calls.into(),
        credentials: None,
    }));
    let output = Output::default();
    let console = Box::new(Typist(typed.into_iter().collect()));
    let interactive = typed.is_some();
    let screen = Screen::new(Box::new(output.clone()), look);
    let mut controller = Controller::new(script.clone(), console, screen, interactive);
    assert!(matches!(controller.execute(line), Ok(Flow::Continue)));
    assert!(script.borrow().calls.is_empty(), "calls left over");
    let text = String::from_utf8(output.0.take()).unwrap();
    (text, controller.status())
}

fn up() -> (&'static str, Answer) {
    ("getVersion", Ok("3.0".into()))
}

fn done(call: &'static str) -> (&'static str, Answer) {
    (call, Ok(true.into()))
}

fn refused(call: &'static str, code: i32, text: &str) -> (&'static str, Answer) {
    let text = text.to_owned();
    (call, Err(FaultValue { code, text }.into()))
}

fn changes(lists: [&[&str]; 3]) -> Answer {
    let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
    let lists = lists.into_iter().map(list).collect();
    Ok(Value::Array(vec![Value::Array(lists)]))
}

fn results(rows: &[(&str, &str, i32)]) -> Answer {
    let row = |(group, name, status): &(&str, &str, i32)| {
        Value::record([
            ("group", (*group).into()),
            ("name", (*name).into()),
            ("status", (*status).into()),
            ("description", "text".into()),
        ])
    };
    Ok(Value::Array(rows.iter().map(row).collect()))
}

/// The answer to `getAllProcessInfo`: `group:name`s, each with the code of its state.
fn processes(rows: &[(&str, i32)]) -> (&'static str, Answer) {
    let info = |(name, state): &(&str, i32)| {
        let (group, name) = name.split_once(':').unwrap_or((name, name));
        let statename = match state {
            20 => "RUNNING",
            _ => "STOPPED",
        };
        Value::record([
            ("group", group.into()),
            ("name", name.into()),
            ("state", (*state).into()),
            ("statename", statename.into()),
            ("stdout_logfile", "/log".into()),
            (
                "stderr_logfile",
                if name == "x" { "" } else { "/log" }.into(),
            ),
        ])
    };
    let infos = rows.iter().map(info).collect();
    ("getAllProcessInfo", Ok(Value::Array(infos)))
}

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
