//! A daemon as the first process of a PID namespace, as in a container.

use std::process::{Child, Command, ExitStatus, Stdio};

use nix::unistd::Uid;

use crate::{Daemon, wait};

/// The namespace; it ends with its first process, and when it is dropped.
#[derive(Debug)]
pub struct Namespace(Child);

impl Namespace {
    /// Starts a prepared daemon in the foreground. As an ordinary user this takes unprivileged user namespaces.
    pub fn start(daemon: &Daemon) -> Self {
        let mut command = Command::new("unshare");
        for (name, value) in daemon.command("supervisord").get_envs() {
            command.envs(value.map(|value| (name, value)));
        }
        command.args((!Uid::effective().is_root()).then_some("--map-root-user"));
        let child = command
            .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
            .arg(daemon.flavour().command("supervisord"))
            .args(["-n", "-c"])
            .arg(daemon.config_path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("unshare is there"))
    }

    /// The first process, by the pid it has outside.
    pub fn first(&self) -> i32 {
        let children = format!("/proc/{pid}/task/{pid}/children", pid = self.0.id());
        std::fs::read_to_string(children)
            .ok()
            .and_then(|children| children.trim().parse().ok())
            .expect("unshare has one child")
    }

    /// Waits until the first process has ended; its status.
    pub fn wait_end(&mut self) -> ExitStatus {
        wait::until("the namespace to end", || match self.0.try_wait() {
            Ok(Some(status)) => Ok(status),
            other => Err(format!("{other:?}")),
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It has ended already if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
