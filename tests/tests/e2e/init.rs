//! As the first process of a container: orphans come to us.

use callboard_tests::{Daemon, Flavour, Namespace, workspace};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

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
    let mut namespace = Namespace::start(&daemon);
    daemon.wait_log("supervisord started with pid 1");
    daemon.wait_log("exited: orphan (exit status 0; expected)");
    daemon.wait_log("reaped unknown pid");
    kill(Pid::from_raw(namespace.first()), Signal::SIGTERM).expect("it lives");
    namespace.wait_end();
    daemon.wait_log("stopped: sleeper (terminated by SIGTERM)");
    assert!(!daemon.path("supervisord.pid").exists());
}
