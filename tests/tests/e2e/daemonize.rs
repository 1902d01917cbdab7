//! Going to the background.

use std::time::Duration;

use callboard_tests::{Daemon, Flavour, procfs, wait};
use serde_json::json;

#[test]
fn a_daemon_detaches_writes_its_pidfile_and_cleans_up() {
    let daemon = Daemon::prepare(
        Flavour::under_test(),
        "[program:a]\ncommand=sleep 1000\nstartsecs=0\n[supervisord]\ndirectory=/\numask=027\n",
    );
    let config = daemon.config_path().display().to_string();
    let output = daemon.run(&daemon.flavour().command("supervisord"), &["-c", &config]);
    assert_eq!(output.code, 0, "{output:?}");
    if daemon.flavour() == Flavour::Ours {
        assert!(
            daemon.path("supervisord.pid").exists(),
            "the pidfile is there when the caller goes on"
        );
    }
    daemon.wait_log("INFO supervisord started with pid ");
    daemon.wait_log("INFO daemonizing the supervisord process");
    let pid: i32 = wait::until("the pidfile", || {
        daemon
            .read("supervisord.pid")
            .trim()
            .parse()
            .map_err(|error| format!("{error}"))
    });
    let row = procfs::row(pid).expect("the daemon lives");
    assert_eq!(row.group, pid, "it leads a session");
    assert_eq!(
        std::fs::read_link(format!("/proc/{pid}/cwd")).ok(),
        Some("/".into())
    );
    for descriptor in 0..3 {
        let target =
            std::fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).expect("it is open");
        assert_eq!(target.to_str(), Some("/dev/null"));
    }
    assert!(
        daemon
            .address()
            .connect_for(Duration::from_secs(30))
            .is_ok()
    );
    daemon.wait_state("a", "RUNNING");
    assert_eq!(daemon.call("getPID", json!([])), pid);
    assert_eq!(daemon.call("shutdown", json!([])), json!(true));
    daemon.assert_nothing_left();
}
