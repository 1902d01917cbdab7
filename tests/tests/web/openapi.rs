//! The OpenAPI document, and a tool that makes requests of it.

use std::fs;
use std::path::PathBuf;

use callboard_tests::{Daemon, venv, workspace};

const CONFIG: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
[program:talk]
command=cat
startsecs=0
[program:web]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
[eventlistener:watch]
command=%(ENV_LISTENER)s %(here)s/events
events=REMOTE_COMMUNICATION
";

pub(crate) fn program(name: &str) -> PathBuf {
    let requirements = workspace::fixtures().join("web/requirements.txt");
    venv::program("web-python", &requirements, name)
}

#[test]
fn the_document_is_the_committed_one() {
    let daemon = Daemon::under_test(CONFIG);
    let path = "/api/v1/openapi.json";
    let reply = daemon.address().send("GET", path, &[]).unwrap();
    let committed = fs::read(workspace::root().join("docs/openapi.json")).unwrap();
    assert!(reply.body == committed);
    let known = format!("If-None-Match: {}", reply.header("etag").unwrap());
    let reply = daemon.address().send("GET", path, &[&known]).unwrap();
    assert_eq!((reply.status, reply.body.len()), (304, 0));
}

/// Hundreds of requests, good and bad, made from the document: no answer may be a server's error, and every one has to
/// be as the document says. Streams are left out, as they do not end, and so is what ends the daemon.
fn explore(names: &[&str]) {
    let daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("web:web_1", "RUNNING");
    let url = format!("http://127.0.0.1:{}/api/v1/openapi.json", daemon.port());
    let mut arguments: Vec<&str> = names.to_vec();
    arguments.extend([
        "run",
        &url,
        "--phases=coverage,fuzzing",
        "--max-examples=5",
        "--seed=1",
        "--exclude-path-regex=(shutdown|daemon/restart|/events$|/follow$)",
        // An offset from the end with a length is a fault.
        "--exclude-checks=positive_data_acceptance",
        "--generation-database=none",
        "--request-timeout=30",
        "--no-color",
        "--warnings=off",
    ]);
    let output = daemon.run(&program("schemathesis"), &arguments);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(
        output.stdout.contains("No issues found"),
        "{}",
        output.stdout
    );
    assert_eq!(
        daemon.call("getState", serde_json::json!([]))["statename"],
        "RUNNING"
    );
}

#[test]
fn answers_are_as_documented() {
    explore(&[]);
}

#[test]
fn answers_about_what_exists_are_as_documented() {
    let config = workspace::fixtures().join("web/schemathesis.toml");
    explore(&["--config-file", &config.display().to_string()]);
}
