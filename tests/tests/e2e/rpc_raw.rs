//! Hundreds of raw XML-RPC requests, sent to the original and to ours in the same order: the answers must be equal.

mod documents;
mod methods;

use std::io;
use std::thread;
use std::time::Duration;

use callboard_tests::http::{Address, Reply};
use callboard_tests::{Daemon, Flavour, xmlrpc};
use serde_json::Value;

/// What both daemons run. Nothing starts by itself but `run`, which says one line.
const CONFIG: &str = "\
[program:run]
command=sh -c 'trap \"\" HUP TRAP; echo 0123456789; exec sleep 1000'
startsecs=0
stdout_logfile=%(here)s/run.out
[program:idle]
command=sleep 1000
startsecs=0
autostart=false
[program:slow]
command=sleep 1000
startsecs=1
autostart=false
[program:gone]
command=/nonexistent/command
autostart=false
startretries=0
[program:member]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=1
autostart=false
stdout_logfile=NONE
stderr_logfile=NONE
[group:team]
programs=member
";

/// How long an answer may take; the original looks at calls that wait about once a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request and what is expected of its answer.
#[derive(Debug, Clone)]
struct Row {
    /// The body of the request.
    body: Vec<u8>,
    expected: Expected,
}

#[derive(Debug, Clone)]
enum Expected {
    /// The same from both; where the original fails with HTTP 500, the fault INCORRECT_PARAMETERS from ours.
    Same,
    /// The fault INCORRECT_PARAMETERS from ours, because something is of the wrong type. The original says so as well,
    /// or whatever else comes of it in Python.
    Mistyped,
    /// This from ours, something else from the original.
    Ours(String),
}

impl Row {
    fn same(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            expected: Expected::Same,
        }
    }

    fn mistyped(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            expected: Expected::Mistyped,
        }
    }

    fn ours(body: impl Into<Vec<u8>>, outcome: impl Into<String>) -> Self {
        Self {
            body: body.into(),
            expected: Expected::Ours(outcome.into()),
        }
    }

    /// What is wrong with the two outcomes, if anything.
    fn complaint(&self, original: &str, ours: &str) -> Option<String> {
        let is_fine = match &self.expected {
            Expected::Same if original == "status 500" => is_incorrect(ours),
            Expected::Same => original == ours,
            Expected::Mistyped => is_incorrect(ours),
            Expected::Ours(expected) => ours == expected && original != ours,
        };
        let request = String::from_utf8_lossy(&self.body);
        (!is_fine).then(|| format!("{request}\n  original: {original}\n  ours:     {ours}\n"))
    }
}

/// Whether an answer is the fault INCORRECT_PARAMETERS, or holds it as a call's of a multicall.
fn is_incorrect(outcome: &str) -> bool {
    outcome.starts_with("fault 2 INCORRECT_PARAMETERS")
        || outcome.contains("{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS\"}")
}

/// A request for `method`; `params` are whole `<value>` elements.
fn call(method: &str, params: &[&str]) -> String {
    let params: String = params
        .iter()
        .map(|param| format!("<param>{param}</param>"))
        .collect();
    format!(
        "<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
    )
}

/// A string as a `<value>`, markup in it included.
fn text(text: &str) -> String {
    format!("<value><string>{text}</string></value>")
}

fn int(number: i64) -> String {
    format!("<value><int>{number}</int></value>")
}

/// Sends the rows one after the other, each on a connection of its own.
fn outcomes(daemon: &Daemon, rows: &[Row]) -> Vec<String> {
    let address = daemon.address();
    let home = daemon.dir().display().to_string();
    let one = |row: &Row| outcome(&address, &row.body).replace(&home, "<home>");
    rows.iter().map(one).collect()
}

fn outcome(address: &Address, body: &[u8]) -> String {
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    match exchange(address, &[head.as_bytes(), body].concat()) {
        Ok(reply) if reply.status == 200 => match xmlrpc::decode_answer(&reply.text()) {
            Ok(value) => format!("value {}", in_order(value)),
            Err(fault) => format!("fault {} {}", fault.code, fault.text),
        },
        Ok(reply) => format!("status {}", reply.status),
        Err(_) => "no answer".to_owned(),
    }
}

fn exchange(address: &Address, request: &[u8]) -> io::Result<Reply> {
    let mut connection = address.connect_for(PATIENCE)?;
    connection.write_all(request)?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    Reply::parse(&answer)
}

/// Results of several processes come in the order of completion, which differs from run to run.
fn in_order(mut answer: Value) -> Value {
    if let Value::Array(rows) = &mut answer
        && rows.iter().all(|row| row.get("status").is_some())
    {
        rows.sort_by_key(Value::to_string);
    }
    answer
}

/// Numbers that differ from run to run, and what ours has in addition.
fn masked(outcome: &str) -> String {
    let is_varying = |text: &str| text.starts_with("value {\"description\":\"pid ");
    match is_varying(outcome) {
        true => "value of a running process".to_owned(),
        false => outcome.to_owned(),
    }
}

fn start(flavour: Flavour) -> Daemon {
    let daemon = Daemon::start(flavour, CONFIG);
    daemon.wait_state("run", "RUNNING");
    daemon.wait_file("run.out", "0123456789\n");
    daemon
}

fn compare(rows: &[Row]) {
    let [original, ours] = thread::scope(|scope| {
        [Flavour::Original, Flavour::Ours]
            .map(|flavour| scope.spawn(move || outcomes(&start(flavour), rows)))
            .map(|thread| thread.join().expect("no panic"))
    });
    let outcomes = original.iter().zip(&ours);
    let complaints: Vec<_> = rows
        .iter()
        .zip(outcomes)
        .filter_map(|(row, (original, ours))| row.complaint(&masked(original), &masked(ours)))
        .collect();
    assert!(
        complaints.is_empty(),
        "{} of {} requests:\n{}",
        complaints.len(),
        rows.len(),
        complaints.concat()
    );
}

#[test]
fn methods_check_their_arguments_alike() {
    let rows = methods::rows();
    assert!(rows.len() > 300, "{}", rows.len());
    compare(&rows);
}

#[test]
fn documents_are_read_alike() {
    compare(&documents::rows());
}
