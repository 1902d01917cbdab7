//! Two packages for Node: every call they have, over the sockets they know.

use std::path::Path;

use callboard_tests::{Daemon, Flavour};

use crate::install::{self, fixture};
use crate::python::CONFIG;
use crate::transcript::{both_agree, masked};

fn answers(flavour: Flavour, package: &str, host: fn(&Daemon) -> String) -> Vec<String> {
    let mut daemon = Daemon::start(flavour, CONFIG);
    daemon.wait_state("talk", "RUNNING");
    let output = daemon
        .fixture_command(Path::new("node"))
        .arg(fixture("calls.js"))
        .args([package, &host(&daemon)])
        .env("NODE_PATH", install::node_modules())
        .output()
        .expect("Node is installed");
    let output = callboard_tests::CtlOutput {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().unwrap_or(-1),
    };
    let lines = masked(&daemon, &output);
    // The last call was for that.
    assert_eq!(daemon.wait_exit().code(), Some(0));
    lines
}

fn with_login(daemon: &Daemon) -> String {
    format!("http://ann:secret@127.0.0.1:{}", daemon.port())
}

#[test]
fn supervisord_over_tcp_finds_no_difference() {
    both_agree(|flavour| answers(flavour, "supervisord", with_login));
}

#[test]
fn supervisord_over_the_unix_socket_finds_no_difference() {
    let host = |daemon: &Daemon| format!("unix://{}", daemon.path("s.sock").display());
    both_agree(|flavour| answers(flavour, "supervisord", host));
}

#[test]
fn node_supervisord_finds_no_difference() {
    both_agree(|flavour| answers(flavour, "node-supervisord", with_login));
}
