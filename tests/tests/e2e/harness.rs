//! The fixtures themselves.

use callboard_tests::flavour::Flavour;
use callboard_tests::scenario::{Scenario, compare_with};
use serde_json::json;

const TWO_PROGRAMS: Scenario = Scenario {
    name: "harness",
    config: "\
[program:sleeper]
command=sleep 1000
[program:once]
command=sleep 2
startsecs=0
autorestart=false
[eventlistener:recorder]
command=%(ENV_LISTENER)s %(here)s/events
events=PROCESS_STATE
buffer_size=100
",
    steps: |session| {
        for (name, state) in [
            ("sleeper", "RUNNING"),
            ("once", "EXITED"),
            ("recorder", "RUNNING"),
        ] {
            session.daemon.wait_state(name, state);
        }
        session.rpc("getAllProcessInfo", json!([]));
        session.ctl(&["status"]);
        session
            .daemon
            .wait_event("events", "sleeper running", |event| {
                event.name() == "PROCESS_STATE_RUNNING" && event.process() == "sleeper"
            });
        session
            .daemon
            .wait_event("events", "recorder running", |event| {
                event.name() == "PROCESS_STATE_RUNNING" && event.process() == "recorder"
            });
        session.events_by_process("events");
        session.shut_down();
        session.log_from_info();
        session.files();
    },
};

/// Zero differences between two originals: whatever a comparison reports is due to ours.
#[test]
fn two_originals_leave_the_same_transcript() {
    compare_with(&TWO_PROGRAMS, Flavour::Original, Flavour::Original);
}
