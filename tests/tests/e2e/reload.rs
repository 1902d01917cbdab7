//! Changing the configuration of a running daemon.

use callboard_tests::Daemon;
use serde_json::json;

const BEFORE: &str = "\
[program:same]\ncommand=sleep 1000\nstartsecs=0\n\
[program:changed]\ncommand=sleep 1000\nstartsecs=0\n\
[program:removed]\ncommand=sleep 1000\nstartsecs=0\n";

const AFTER: &str = "\
[program:same]\ncommand=sleep 1000\nstartsecs=0\n\
[program:changed]\ncommand=sleep 2000\nstartsecs=0\n\
[program:added]\ncommand=sleep 1000\nstartsecs=0\n";

fn running() -> Daemon {
    let daemon = Daemon::under_test(BEFORE);
    for name in ["same", "changed", "removed"] {
        daemon.wait_state(name, "RUNNING");
    }
    daemon
}

#[test]
fn reread_reports_and_changes_nothing() {
    let daemon = running();
    assert_eq!(
        daemon.call("reloadConfig", json!([])),
        json!([[[], [], []]])
    );
    daemon.write_config(AFTER);
    assert_eq!(
        daemon.call("reloadConfig", json!([])),
        json!([[["added"], ["changed"], ["removed"]]])
    );
    let output = daemon.ctl(&["reread"]);
    assert_eq!(
        (output.stdout.as_str(), output.code),
        (
            "added: available\nchanged: changed\nremoved: disappeared\n",
            0
        )
    );
    for name in ["same", "changed", "removed"] {
        assert_eq!(daemon.state(name), "RUNNING");
    }
}

#[test]
fn update_touches_only_what_differs() {
    let mut daemon = running();
    let (same, changed) = (daemon.process_pid("same"), daemon.process_pid("changed"));
    daemon.write_config(AFTER);
    let output = daemon.ctl(&["update"]);
    assert_eq!(
        (output.stdout.as_str(), output.code),
        (
            "removed: stopped\nremoved: removed process group\nchanged: stopped\nchanged: updated process group\n\
             added: added process group\n",
            0
        )
    );
    daemon.wait_state("added", "RUNNING");
    daemon.wait_state("changed", "RUNNING");
    assert_eq!(daemon.process_pid("same"), same);
    assert_ne!(daemon.process_pid("changed"), changed);
    let command =
        std::fs::read(format!("/proc/{}/cmdline", daemon.process_pid("changed"))).expect("it runs");
    assert_eq!(command, b"sleep\x002000\x00");
    assert_eq!(
        daemon.fault("getProcessInfo", json!(["removed"])).text,
        "BAD_NAME: removed"
    );
    daemon.shut_down();
}

#[test]
fn a_broken_file_is_refused_and_everything_goes_on() {
    let daemon = running();
    let pid = daemon.process_pid("same");
    daemon.write_config("[program:same]\ncommand=sleep 1000\nstartsecs=soon\n");
    let fault = daemon.fault("reloadConfig", json!([]));
    let message = format!(
        "CANT_REREAD: invalid literal for int() with base 10: 'soon' in section 'program:same' (file: '{}')",
        daemon.config_path().display()
    );
    assert_eq!(fault.code, 92);
    assert!(fault.text.starts_with(&message), "{fault:?}");
    let output = daemon.ctl(&["reread"]);
    assert_eq!(
        (output.stdout, output.code),
        (format!("ERROR: {}\n", fault.text), 1)
    );
    assert_eq!(daemon.process_pid("same"), pid);
}

#[test]
fn groups_are_removed_and_added_by_hand() {
    let daemon = running();
    assert_eq!(
        daemon.ctl(&["remove", "same"]).stdout,
        "ERROR: process/group still running: same\n"
    );
    assert_eq!(daemon.ctl(&["stop", "same"]).stdout, "same: stopped\n");
    assert_eq!(
        daemon.ctl(&["remove", "same"]).stdout,
        "same: removed process group\n"
    );
    assert_eq!(
        daemon.ctl(&["status", "same"]).stdout,
        "same: ERROR (no such process)\n"
    );
    assert_eq!(
        daemon.ctl(&["add", "same"]).stdout,
        "same: added process group\n"
    );
    daemon.wait_state("same", "RUNNING");
    assert_eq!(
        daemon.ctl(&["add", "same"]).stdout,
        "ERROR: process group already active\n"
    );
}

#[test]
fn a_changed_listener_keeps_its_name_and_starts_numbering_anew() {
    let listener = |events: &str| {
        format!(
            "[eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/{events}\nevents={events},REMOTE_COMMUNICATION\nstartsecs=0\n"
        )
    };
    let daemon = Daemon::under_test(&listener("PROCESS_GROUP"));
    let remote = |record: &str, text: &'static str| {
        daemon.wait_event(record, text, |event| {
            event.payload == format!("type:x\n{text}")
        })
    };
    daemon.call("sendRemoteCommEvent", json!(["x", "before"]));
    let before = remote("PROCESS_GROUP", "before");
    assert_eq!(before.token("poolserial"), Some("1"));
    daemon.write_config(&listener("TICK_3600"));
    assert_eq!(
        daemon.ctl(&["update"]).stdout,
        "l: stopped\nl: updated process group\n"
    );
    daemon.call("sendRemoteCommEvent", json!(["x", "after"]));
    let after = remote("TICK_3600", "after");
    assert_eq!(after.token("poolserial"), Some("0"));
    assert_eq!(
        after.number("serial"),
        before.number("serial") + 1,
        "unwanted events take no number"
    );
}
