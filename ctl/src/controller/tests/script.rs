//! A server that answers from a script, somebody who types, and what is printed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::rc::Rc;
use std::slice::from_ref;
use std::time::Duration;

use client::{CallError, Credentials};
use protocol::xmlrpc::{FaultValue, Value};

use crate::console::{Console, Entry};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;
use crate::screen::{Look, Screen};
use crate::server::{Ending, OnPiece, Server};
use crate::waiting::{Call, Moment, Observer};

pub(super) type Answer = Result<Value, CallError>;

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
        let call = written(method, params);
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
pub(super) fn run(line: &str, calls: Vec<(&'static str, Answer)>) -> (String, ExitStatus) {
    run_with(line, calls, None)
}

/// The same; with something typed, the controller is interactive.
pub(super) fn run_with(
    line: &str,
    calls: Vec<(&'static str, Answer)>,
    typed: Option<&'static str>,
) -> (String, ExitStatus) {
    run_on(Look::Plain, line, calls, typed)
}

/// The same in front of a terminal; escape sequences shown readably.
pub(super) fn run_on_terminal(
    line: &str,
    calls: Vec<(&'static str, Answer)>,
) -> (String, ExitStatus) {
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

pub(super) fn up() -> (&'static str, Answer) {
    ("getVersion", Ok("3.0".into()))
}

/// A call as scripts have it; those of a `system.multicall` one after another.
fn written(method: &str, params: &[Value]) -> String {
    let of = |param: &Value| match (param, param.get("methodName"), param.get("params")) {
        (_, Some(method), Some(params)) => {
            let params = params.as_array().unwrap_or_default();
            written(method.as_str().unwrap_or_default(), params)
        }
        (Value::Array(calls), ..) if method == "system.multicall" => {
            let calls: Vec<_> = calls
                .iter()
                .map(|call| written("", from_ref(call)))
                .collect();
            calls.concat()
        }
        _ => param.as_str().map_or(format!("{param:?}"), str::to_owned),
    };
    let name = method.trim_start_matches("supervisor.").to_owned();
    let params = params.iter().map(|param| format!(" {}", of(param)));
    name + &params.collect::<String>()
}

pub(super) fn done(call: &'static str) -> (&'static str, Answer) {
    (call, Ok(true.into()))
}

pub(super) fn refused(call: &'static str, code: i32, text: &str) -> (&'static str, Answer) {
    let text = text.to_owned();
    (call, Err(FaultValue { code, text }.into()))
}

pub(super) fn changes(lists: [&[&str]; 3]) -> Answer {
    let list = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
    let lists = lists.into_iter().map(list).collect();
    Ok(Value::Array(vec![Value::Array(lists)]))
}

pub(super) fn results(rows: &[(&str, &str, i32)]) -> Answer {
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
pub(super) fn processes(rows: &[(&str, i32)]) -> (&'static str, Answer) {
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
