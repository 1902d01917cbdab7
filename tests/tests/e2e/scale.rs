//! A thousand programs.

use std::collections::BTreeMap;

use callboard_tests::{Daemon, procfs, wait};
use serde_json::json;

const CONFIG: &str = "\
[program:many]
command=sleep 1000
process_name=%(program_name)s_%(process_num)04d
numprocs=1000
startsecs=1
stdout_logfile=NONE
stderr_logfile=NONE
[supervisord]
loglevel=info
minfds=8192
";

/// How many processes are in each state.
fn states(daemon: &Daemon) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for info in daemon
        .call("getAllProcessInfo", json!([]))
        .as_array()
        .expect("an array")
    {
        *counts
            .entry(info["statename"].as_str().unwrap_or_default().to_owned())
            .or_default() += 1;
    }
    counts
}

fn wait_all(daemon: &Daemon, state: &str) {
    wait::until(&format!("all to be {state}"), || {
        let seen = states(daemon);
        if seen.get(state) == Some(&1000) {
            Ok(())
        } else {
            Err(seen)
        }
    });
}

#[test]
fn a_thousand_programs_start_stop_and_leave_nothing() {
    let mut daemon = Daemon::under_test(CONFIG);
    wait_all(&daemon, "RUNNING");
    assert_eq!(daemon.processes().len(), 1001);
    let rows = daemon.call("stopProcessGroup", json!(["many"]));
    let rows = rows.as_array().expect("an array");
    assert_eq!(rows.len(), 1000);
    assert!(rows.iter().all(|row| row["status"] == 80));
    wait_all(&daemon, "STOPPED");
    assert_eq!(daemon.processes().len(), 1);
    assert_eq!(procfs::zombies_of(daemon.pid()), []);
    let rows = daemon.call("startAllProcesses", json!([]));
    assert_eq!(rows.as_array().map(Vec::len), Some(1000));
    wait_all(&daemon, "RUNNING");
    daemon.shut_down();
}
