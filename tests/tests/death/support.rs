//! A daemon with a keeper, and ways to kill either.

use callboard_tests::{Daemon, Flavour, procfs, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

/// A daemon in the foreground whose keeper has this mode.
pub(crate) fn start(mode: &str, config: &str) -> Daemon {
    Daemon::start(Flavour::Ours, &with_mode(mode, config))
}

/// The configuration of such a daemon.
pub(crate) fn with_mode(mode: &str, config: &str) -> String {
    format!("{config}\n[supervisord]\nprograms_on_death={mode}\n")
}

/// The process id of the daemon itself.
pub(crate) fn supervisord(daemon: &Daemon) -> i32 {
    let pid = daemon.call("getPID", json!([]));
    pid.as_i64()
        .and_then(|pid| i32::try_from(pid).ok())
        .expect("a pid")
}

/// Sends a process a signal.
pub(crate) fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).expect("it lives");
}

/// Kills the daemon itself and waits until another one answers; its pid.
pub(crate) fn kill_daemon(daemon: &Daemon) -> i32 {
    let before = supervisord(daemon);
    send(before, Signal::SIGKILL);
    successor(daemon, before)
}

/// Waits until another daemon than this one answers; its pid.
pub(crate) fn successor(daemon: &Daemon, before: i32) -> i32 {
    wait::until("a successor to answer", || {
        let answer = daemon.try_call("supervisor.getPID", &json!([]));
        match answer {
            Ok(Ok(pid)) if pid != before => Ok(pid.as_i64().expect("a pid") as i32),
            other => Err(format!("{other:?}\n{}", daemon.log())),
        }
    })
}

/// Kills the daemon itself and lets nobody start another one until the answer is dropped.
pub(crate) fn begin_gap(daemon: &Daemon) -> Gap {
    let before = supervisord(daemon);
    send(daemon.pid(), Signal::SIGSTOP);
    send(before, Signal::SIGKILL);
    wait_end(before);
    Gap {
        keeper: daemon.pid(),
        before,
    }
}

/// A time without a daemon.
pub(crate) struct Gap {
    keeper: i32,
    before: i32,
}

impl Gap {
    /// Waits until there is another one; its pid.
    pub(crate) fn end(self, daemon: &Daemon) -> i32 {
        let before = self.before;
        drop(self);
        successor(daemon, before)
    }
}

impl Drop for Gap {
    fn drop(&mut self) {
        send(self.keeper, Signal::SIGCONT);
    }
}

/// Waits until a process has ended, reaped or not.
pub(crate) fn wait_end(pid: i32) {
    wait::until_true("the process to end", || (!procfs::is_alive(pid), pid));
}
