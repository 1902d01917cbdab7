//! The small commands beside supervisord.

use std::fs;
use std::process::Stdio;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn sample(daemon: &Daemon) -> String {
    daemon
        .run::<&str>(&daemon.flavour().command("echo_supervisord_conf"), &[])
        .stdout
}

/// The lines that say something, their trailing comments cut off.
fn active(sample: &str) -> Vec<&str> {
    let lines = sample
        .lines()
        .map(|line| line.split(" ;").next().unwrap_or_default().trim());
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .collect()
}

#[test]
fn the_sample_configuration_says_what_the_original_says() {
    let [original, ours] = [Flavour::Original, Flavour::under_test()]
        .map(|flavour| sample(&Daemon::prepare(flavour, "")));
    assert_eq!(active(&ours), active(&original));
    for line in [
        ";[include]",
        ";files = relative/directory/*.ini",
        ";[inet_http_server]",
    ] {
        let found = |sample: &str| {
            sample
                .lines()
                .any(|candidate| candidate.split("  ").next() == Some(line))
        };
        assert!(found(&original) && found(&ours), "{line}");
    }
}

#[test]
fn the_sample_configuration_starts_as_it_is() {
    let mut daemon = Daemon::prepare(Flavour::under_test(), "");
    let sample = sample(&daemon).replace("/tmp/", &format!("{}/", daemon.dir().display()));
    fs::write(
        daemon.config_path(),
        sample.replace("supervisor.sock", "s.sock"),
    )
    .expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.shut_down();
}

#[test]
fn pidproxy_forwards_signals_to_the_pid_in_the_file() {
    let daemon = Daemon::prepare(Flavour::under_test(), "");
    let mut target = daemon.fixture_child("sleep", &["1000"]);
    fs::write(daemon.path("target.pid"), format!("{}\n", target.id()))
        .expect("the directory is writable");
    let mut proxy = daemon
        .command("pidproxy")
        .args(["target.pid", "/bin/sh", "-c", "touch up; exec sleep 1000"])
        .stdin(Stdio::null())
        .spawn()
        .expect("pidproxy starts");
    wait::until_true("the command to run", || (daemon.path("up").exists(), ()));
    kill(Pid::from_raw(proxy.id() as i32), Signal::SIGTERM).expect("it runs");
    let status = target.wait().expect("the target ends");
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(Signal::SIGTERM as i32)
    );
    assert_eq!(proxy.wait().expect("pidproxy ends").code(), Some(0));
}
