//! Ways to ask for an upgrade, and ways a daemon may be started.

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;

use callboard_tests::{Daemon, Flavour, Namespace, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use serde_json::json;

use crate::installed::{install, last, start};

const SLEEPER: &str = "[program:a]\ncommand=sleep 1000\nstartsecs=0\n";

#[test]
fn supervisorctl_tells_what_has_happened() {
    let daemon = start(SLEEPER);
    daemon.wait_state("a", "RUNNING");
    let output = daemon.ctl(&["upgrade"]);
    let version = env!("CARGO_PKG_VERSION");
    let start =
        format!("Upgraded supervisord from {version} to {version}: 1 processes go on, pause ");
    assert!(output.stdout.starts_with(&start), "{output:?}");
    assert_eq!(output.code, 0);
    install(&daemon, "/bin/false".as_ref());
    let output = daemon.ctl(&["upgrade"]);
    let reason = format!(
        "ERROR: {}/bin-supervisord refuses: exit status 1\n",
        daemon.dir().display()
    );
    assert_eq!((output.stdout.as_str(), output.code), (reason.as_str(), 1));
}

#[test]
fn the_signal_is_told_in_the_log() {
    let daemon = Daemon::start(Flavour::Ours, SLEEPER);
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_log("INFO received SIGUSR1 indicating upgrade request");
    daemon.wait_log("INFO upgraded in place from ");
}

/// Asks by the interface and waits for the outcome.
fn upgrade_by_call(daemon: &Daemon) {
    let before = last(daemon)["number"].clone();
    assert_eq!(daemon.call("callboard.upgrade", json!([])), true);
    let outcome = wait::until("the outcome", || {
        match daemon.try_call("callboard.getLastUpgrade", &json!([])) {
            Ok(Ok(last)) if last["number"] != before => Ok(last),
            other => Err(format!("{other:?}")),
        }
    });
    assert_eq!(outcome["failure"], "", "{}", daemon.log());
}

#[test]
fn a_daemon_in_the_background_is_upgraded() {
    let config = format!("{SLEEPER}[supervisord]\ndirectory=/\numask=027\n");
    let daemon = Daemon::prepare(Flavour::Ours, &config);
    let path = daemon.config_path().display().to_string();
    let output = daemon.run(&daemon.flavour().command("supervisord"), &["-c", &path]);
    assert_eq!(output.code, 0, "{output:?}");
    daemon.wait_state("a", "RUNNING");
    let (pid, child) = (daemon.call("getPID", json!([])), daemon.process_pid("a"));
    upgrade_by_call(&daemon);
    assert_eq!(daemon.read("supervisord.pid").trim(), pid.to_string());
    assert_eq!(
        (daemon.call("getPID", json!([])), daemon.process_pid("a")),
        (pid.clone(), child)
    );
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    assert!(status.contains("Umask:\t0027"), "{status}");
    assert_eq!(daemon.call("shutdown", json!([])), true);
    daemon.assert_nothing_left();
}

#[test]
fn the_first_process_of_a_container_is_upgraded() {
    let daemon = Daemon::prepare(Flavour::Ours, SLEEPER);
    let mut namespace = Namespace::start(&daemon);
    daemon.wait_log("supervisord started with pid 1");
    daemon.wait_state("a", "RUNNING");
    let child = daemon.process_pid("a");
    upgrade_by_call(&daemon);
    assert_eq!(
        (daemon.call("getPID", json!([])), daemon.process_pid("a")),
        (json!(1), child)
    );
    assert_eq!(daemon.call("shutdown", json!([])), true);
    namespace.wait_end();
}

#[test]
fn a_daemon_that_has_become_another_user_is_upgraded() {
    if !Uid::effective().is_root() {
        // Nobody else can become somebody else.
        return;
    }
    let daemon = Daemon::prepare(
        Flavour::Ours,
        &format!("{SLEEPER}[supervisord]\nuser=nobody\n"),
    );
    let nobody = nix::unistd::User::from_name("nobody")
        .expect("a user database")
        .expect("nobody");
    for path in [daemon.dir(), &daemon.path("logs")] {
        nix::unistd::chown(path, Some(nobody.uid), None).expect("we are root");
    }
    let program = copy_for_everybody(&daemon);
    let mut child = daemon
        .fixture_command(&program)
        .args(["-n", "-c"])
        .arg(daemon.config_path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("supervisord starts");
    wait::until_true("the program to run", || {
        let info = daemon.try_call("supervisor.getProcessInfo", &json!(["a"]));
        let is_up = matches!(&info, Ok(Ok(info)) if info["statename"] == "RUNNING");
        (is_up, format!("{info:?}"))
    });
    let (pid, process) = (daemon.call("getPID", json!([])), daemon.process_pid("a"));
    upgrade_by_call(&daemon);
    assert_eq!(
        (daemon.call("getPID", json!([])), daemon.process_pid("a")),
        (pid, process)
    );
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it lives");
    assert!(
        status.contains(&format!("Uid:\t{}\t", nobody.uid)),
        "{status}"
    );
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("it lives");
    child.wait().expect("it ends");
}

/// The program in a place that other users reach.
fn copy_for_everybody(daemon: &Daemon) -> std::path::PathBuf {
    let program = daemon.path("supervisord");
    std::fs::copy(daemon.flavour().command("supervisord"), &program).expect("there is room");
    program
}
