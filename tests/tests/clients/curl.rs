//! curl over both sockets.

use std::path::Path;
use std::process::Stdio;

use callboard_tests::xmlrpc::encode_call;
use callboard_tests::{Daemon, Flavour};
use serde_json::json;

use crate::transcript::{both_agree, masked};

const CONFIG: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
username=ann
password=secret
[program:talk]
command=sh -c 'echo hello; exec sleep 1000'
startsecs=0
stdout_logfile=%(here)s/talk.out
[program:idle]
command=sleep 1000
startsecs=0
autostart=false
";

/// What to print after each answer.
const TOLD: &str = "\n%{http_code} %{http_version} %{content_type}\n";

/// Options of each run. `{tcp}` and `{unix}` are the two sockets, `{call}` a call as a body.
const RUNS: &[&str] = &[
    "{unix}/RPC2 {call}",
    "{tcp}/RPC2 --user ann:secret {call}",
    "{tcp}/RPC2 --user ann:wrong {call}",
    "{tcp}/RPC2 {call}",
    "{tcp}/RPC2 --user ann:secret --anyauth {call}",
    // Two calls on one connection.
    "{unix}/RPC2 http://localhost/RPC2 {call}",
    "{tcp}/RPC2 {tcp}/RPC2 --user ann:secret {call}",
    "{unix}/RPC2 http://localhost/RPC2 --http1.0 {call}",
    "{unix}/RPC2 http://localhost/RPC2 --http1.0 --header Connection:keep-alive {call}",
    "{unix}/RPC2 http://localhost/RPC2 --header Connection:close {call}",
    // Deferred.
    "{unix}/RPC2 http://localhost/RPC2 {start}",
    "{unix}/RPC2 http://localhost/RPC2 {call}",
    "{unix}/RPC2 --header Expect:100-continue {call}",
    "{unix}/RPC2 --header Transfer-Encoding:chunked {call}",
    "{unix}/RPC2 --header Content-Type:application/octet-stream {call}",
    "{unix}/RPC2 --compressed {call}",
    "{unix}/RPC2?a=b {call}",
    "{unix}/RPC2/more {call}",
    "{unix}/RPC2 --data-binary nonsense",
    "{unix}/RPC2",
    "{unix}/RPC2 --request PUT {call}",
    "{unix}/nothing",
    "{unix}/logtail/nobody",
    "{unix}/logtail/talk/wat",
    "{unix}/logtail/talk --request POST",
    "{tcp}/mainlogtail",
    "{unix}/stylesheets/nothing.css",
];

fn arguments(daemon: &Daemon, run: &str) -> Vec<String> {
    let body = |method| encode_call(method, &json!(["idle"]));
    let socket = daemon.path("s.sock").display().to_string();
    let port = daemon.port();
    let mut arguments = vec!["--silent".to_owned(), "--write-out".into(), TOLD.into()];
    for word in run.split_whitespace() {
        let word = word.replace("{tcp}", &format!("http://127.0.0.1:{port}"));
        match word.as_str() {
            "{call}" => arguments.extend(["--data-binary".into(), body("supervisor.stopProcess")]),
            "{start}" => {
                arguments.extend(["--data-binary".into(), body("supervisor.startProcess")])
            }
            word if word.starts_with("{unix}") => arguments.extend([
                "--unix-socket".into(),
                socket.clone(),
                word.replace("{unix}", "http://localhost"),
            ]),
            word => arguments.push(word.to_owned()),
        }
    }
    arguments
}

fn answers(flavour: Flavour) -> Vec<String> {
    let daemon = Daemon::start(flavour, CONFIG);
    daemon.wait_file("talk.out", "hello\n");
    let mut lines = Vec::new();
    for run in RUNS {
        lines.push((*run).to_owned());
        let output = daemon.run(Path::new("curl"), &arguments(&daemon, run));
        lines.extend(masked(&daemon, &output));
    }
    lines
}

#[test]
fn curl_finds_no_difference() {
    both_agree(answers);
}

/// How many connections curl opens for two calls. The original does not say that it will close one.
#[test]
fn curl_keeps_connections_as_asked() {
    let daemon = Daemon::under_test("");
    for (options, connections) in [
        ("", "10"),
        ("--header Connection:close", "11"),
        ("--http1.0", "11"),
        ("--http1.0 --header Connection:keep-alive", "10"),
    ] {
        let run = format!("{{unix}}/RPC2 http://localhost/RPC2 {options} {{call}}");
        let mut arguments = arguments(&daemon, run.trim());
        arguments.extend(
            [
                "--write-out",
                "%{num_connects}",
                "--output",
                "first",
                "--output",
                "second",
            ]
            .map(String::from),
        );
        let output = daemon.run(Path::new("curl"), &arguments);
        assert_eq!(output.stdout, connections, "{options}");
    }
}

/// Follows a log until it has seen what is there and what comes.
fn followed(flavour: Flavour, run: &str) -> String {
    let daemon = Daemon::start(
        flavour,
        "[program:talk]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/talk.out\n\
         [inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=ann\npassword=secret\n",
    );
    daemon.wait_state("talk", "RUNNING");
    daemon.call("sendProcessStdin", json!(["talk", "first\n"]));
    daemon.wait_file("talk.out", "first\n");
    let mut curl = daemon
        .fixture_command(Path::new("curl"))
        .args(arguments(&daemon, run))
        .args(["--no-buffer", "--output", "followed"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("curl is installed");
    daemon.wait_file("followed", "first\n");
    daemon.call("sendProcessStdin", json!(["talk", "second\n"]));
    daemon.wait_file("followed", "second\n");
    curl.kill().expect("it follows for ever");
    curl.wait().expect("it was killed");
    daemon.read("followed")
}

#[test]
fn curl_follows_a_log() {
    for run in [
        "{unix}/logtail/talk",
        "{tcp}/logtail/talk/stdout --user ann:secret",
        "{unix}/logtail/talk --http1.0",
    ] {
        assert_eq!(
            followed(Flavour::under_test(), run),
            "first\nsecond\n",
            "{run}"
        );
    }
}
