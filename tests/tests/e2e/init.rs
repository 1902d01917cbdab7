//! As the first process of a container: orphans come to us.

use std::process::Stdio;

use callboard_tests::{Daemon, Flavour, wait, workspace};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

#[test]
fn as_pid_1_orphans_are_reaped_and_a_signal_ends_everything() {
    let orphan = workspace::fixtures().join("orphan.sh");
    let daemon = Daemon::prepare(
        Flavour::under_test(),
        &format!(
            "[program:orphan]\ncommand=sh {}\nstartsecs=0\nautorestart=false\n\
             [program:sleeper]\ncommand=sleep 1000\nstartsecs=0\n",
            orphan.display()
        ),
    );
    let supervisord = daemon.flavour().command("supervisord");
    let mut namespace = daemon
        .command("supervisord")
        .get_envs()
        .fold(
            std::process::Command::new("unshare"),
            |mut command, (name, value)| {
                if let Some(value) = value {
                    command.env(name, value);
                }
                command
            },
        )
        .args(namespace_of_a_user())
        .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
        .arg(supervisord)
        .args(["-n", "-c"])
        .arg(daemon.config_path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("unshare is there");
    daemon.wait_log("supervisord started with pid 1");
    daemon.wait_log("exited: orphan (exit status 0; expected)");
    daemon.wait_log("reaped unknown pid");
    let children = format!("/proc/{pid}/task/{pid}/children", pid = namespace.id());
    let first: i32 = std::fs::read_to_string(children)
        .ok()
        .and_then(|children| children.trim().parse().ok())
        .expect("unshare has one child");
    kill(Pid::from_raw(first), Signal::SIGTERM).expect("it lives");
    wait::until("the namespace to end", || match namespace.try_wait() {
        Ok(Some(status)) => Ok(status),
        other => Err(format!("{other:?}")),
    });
    daemon.wait_log("stopped: sleeper (terminated by SIGTERM)");
    assert!(!daemon.path("supervisord.pid").exists());
}

/// Other namespaces take root, which an ordinary user has in a user namespace.
fn namespace_of_a_user() -> Option<&'static str> {
    (!Uid::effective().is_root()).then_some("--map-root-user")
}
