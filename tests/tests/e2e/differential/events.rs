//! The stream a listener sees, header and payload, in order.

use callboard_tests::scenario::{Scenario, compare};
use serde_json::json;

use super::settle;

// `late` keeps the shutdown waiting, so that the listener, which goes last, is told of it.

const STREAM: Scenario = Scenario {
    name: "stream",
    config: "\
[program:a]
command=sh -c 'while read line; do echo \"$line\"; done'
autostart=false
startsecs=0
stdout_events_enabled=true
stdout_capture_maxbytes=1MB
[program:late]
command=sh -c 'trap \"sleep 1; exit\" TERM; touch %(here)s/armed; while :; do sleep 0.05; done'
startsecs=0
autostart=false
[eventlistener:all]
command=%(ENV_LISTENER)s %(here)s/all
events=PROCESS_STATE,PROCESS_LOG,PROCESS_COMMUNICATION,REMOTE_COMMUNICATION,SUPERVISOR_STATE_CHANGE,PROCESS_GROUP
buffer_size=1000
startsecs=0
",
    steps: |session| {
        settle(session, &[("all", "RUNNING")]);
        session.daemon.wait_log("all: ACKNOWLEDGED -> READY");
        session.daemon.wait_event("all", "the listener running", |event| {
            event.name() == "PROCESS_STATE_RUNNING"
        });
        session.rpc("startProcess", json!(["late"]));
        callboard_tests::wait::until_true("the trap", || (session.daemon.path("armed").exists(), ()));
        session.rpc("startProcess", json!(["a"]));
        let captured = "x <!--XSUPERVISOR:BEGIN-->h\u{e9}llo<!--XSUPERVISOR:END--> and enough text after it\n";
        session.rpc("sendProcessStdin", json!(["a", captured]));
        session.daemon.wait_event("all", "the capture", |event| event.name() == "PROCESS_COMMUNICATION_STDOUT");
        session.rpc("sendRemoteCommEvent", json!(["t\u{e9}", "<d>&\u{e9}"]));
        session.daemon.wait_event("all", "the message", |event| event.name() == "REMOTE_COMMUNICATION");
        session.rpc("stopProcess", json!(["a"]));
        session.rpc("removeProcessGroup", json!(["a"]));
        session.rpc("addProcessGroup", json!(["a"]));
        session.daemon.wait_event("all", "the removal", |event| event.name() == "PROCESS_GROUP_REMOVED");
        session.shut_down();
        session.events_until("all", "SUPERVISOR_STATE_CHANGE_STOPPING");
    },
};

#[test]
fn the_event_stream_agrees() {
    compare(&STREAM);
}
