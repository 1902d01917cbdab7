//! Process states, the activity log, the files left.

use callboard_tests::scenario::{Scenario, compare};
use serde_json::json;

use super::settle;

mod board;
mod fcgi;
mod lifecycle;
mod order;
mod probe;
mod spawning;

// A program that takes no time to start must live for a turn of the original's loop to be seen running.

const STATES: Scenario = Scenario {
    name: "states",
    config: "\
[program:run]
command=sleep 1000
priority=5
[program:fine]
command=sh -c 'sleep 2; exit 2'
startsecs=0
exitcodes=2
[program:bad]
command=sh -c 'sleep 2; exit 4'
startsecs=0
autorestart=false
[program:killed]
command=sh -c 'sleep 2; kill -KILL $$'
startsecs=0
autorestart=false
[program:early]
command=sh -c 'exit 0'
startretries=1
[program:gone]
command=/nonexistent/command
startretries=0
[program:idle]
command=sleep 1000
autostart=false
startsecs=0
[program:deaf]
command=sh -c 'trap \"\" TERM; touch %(here)s/armed; while :; do sleep 0.05; done'
startsecs=0
stopwaitsecs=1
[program:many]
command=sleep 1000
process_name=%(program_name)s_%(process_num)02d
numprocs=3
startsecs=0
stdout_logfile=%(here)s/%(process_num)02d.out
stderr_logfile=NONE
[eventlistener:recorder]
command=%(ENV_LISTENER)s %(here)s/events
events=PROCESS_STATE
buffer_size=1000
",
    steps: |session| {
        let settled = [
            ("run", "RUNNING"),
            ("fine", "EXITED"),
            ("bad", "EXITED"),
            ("killed", "EXITED"),
            ("early", "FATAL"),
            ("gone", "FATAL"),
            ("deaf", "RUNNING"),
            ("recorder", "RUNNING"),
        ];
        settle(session, &settled);
        callboard_tests::wait::until_true("the trap", || {
            (session.daemon.path("armed").exists(), ())
        });
        session.rpc("getAllProcessInfo", json!([]));
        session.rpc("getAllConfigInfo", json!([]));
        session.rpc("startProcess", json!(["idle"]));
        session.rpc("startProcess", json!(["bad"]));
        session.daemon.wait_state("bad", "EXITED");
        session.rpc("stopProcess", json!(["deaf"]));
        session.rpc("stopProcess", json!(["many:*"]));
        session.rpc("startProcessGroup", json!(["many"]));
        session.rpc("signalProcess", json!(["run", "KILL"]));
        session
            .daemon
            .wait_log("exited: run (terminated by SIGKILL; not expected)");
        session.daemon.wait_state("run", "RUNNING");
        session.rpc("getAllProcessInfo", json!([]));
        session.daemon.wait_event("events", "run again", |event| {
            event.process() == "run" && event.name() == "PROCESS_STATE_EXITED"
        });
        session
            .daemon
            .wait_event("events", "run running again", |event| {
                event.process() == "run"
                    && event.name() == "PROCESS_STATE_RUNNING"
                    && event.field("pid") == Some(&session.daemon.process_pid("run").to_string())
            });
        session.events_by_process("events");
        session.shut_down();
        session.log_from_info();
        session.files();
    },
};

#[test]
fn states_events_log_and_files_agree() {
    compare(&STATES);
}

const RELOAD: Scenario = Scenario {
    name: "reload",
    config: "\
[program:same]
command=sleep 1000
startsecs=0
[program:changed]
command=sleep 1000
startsecs=0
[program:removed]
command=sleep 1000
startsecs=0
",
    steps: |session| {
        settle(
            session,
            &[
                ("same", "RUNNING"),
                ("changed", "RUNNING"),
                ("removed", "RUNNING"),
            ],
        );
        session.ctl(&["reread"]);
        session.daemon.write_config(
            "[program:same]\ncommand=sleep 1000\nstartsecs=0\n\
             [program:changed]\ncommand=sleep 2000\nstartsecs=0\n\
             [program:added]\ncommand=sleep 1000\nstartsecs=0\n",
        );
        session.rpc("reloadConfig", json!([]));
        session.ctl(&["reread"]);
        session.ctl(&["avail"]);
        session.ctl(&["add", "added", "same", "nobody"]);
        session.ctl(&["remove", "same", "nobody"]);
        session.ctl(&["update"]);
        session.ctl(&["update"]);
        session.ctl(&["update", "same", "nobody"]);
        session.rpc("getAllProcessInfo", json!([]));
        session.ctl(&["stop", "same"]);
        session.ctl(&["remove", "same"]);
        session.ctl(&["add", "same"]);
        session.ctl(&["status", "same"]);
        session.daemon.write_config("[program:x]\n");
        session.ctl(&["reread"]);
        session.rpc("reloadConfig", json!([]));
        session.shut_down();
        session.log_from_info();
    },
};

#[test]
fn reread_and_update_agree() {
    compare(&RELOAD);
}
