//! What listeners are told: every event type with its exact header and payload.

use callboard_tests::{Daemon, Event, Flavour};
use serde_json::json;

/// A recording listener for the given events.
fn recorder(name: &str, events: &str) -> String {
    format!(
        "[eventlistener:{name}]\ncommand=%(ENV_LISTENER)s %(here)s/{name}\nevents={events}\nbuffer_size=1000\nstartsecs=0\n"
    )
}

/// Waits until a listener has been asked for its first event.
fn ready(daemon: &Daemon, name: &str) {
    daemon.wait_state(name, "RUNNING");
    daemon.wait_log(&format!("{name}: ACKNOWLEDGED -> READY"));
}

fn named<'a>(name: &'a str) -> impl Fn(&Event) -> bool + 'a {
    move |event| event.name() == name
}

/// Checks the header word by word.
fn assert_header(event: &Event, pool: &str, name: &str) {
    let (serial, poolserial) = (event.number("serial"), event.number("poolserial"));
    let length = event.payload.chars().count();
    assert_eq!(
        event.header,
        format!(
            "ver:3.0 server:board serial:{serial} pool:{pool} poolserial:{poolserial} eventname:{name} len:{length}"
        )
    );
}

#[test]
fn startup_is_told_in_order_from_serial_zero() {
    let daemon = Daemon::under_test(
        &[
            recorder("all", "EVENT"),
            "[program:a]\ncommand=sleep 1000\nstartsecs=0\n".to_owned(),
        ]
        .concat(),
    );
    daemon.wait_event("all", "a running", |event| {
        event.process() == "a" && event.name() == "PROCESS_STATE_RUNNING"
    });
    let events = daemon.events("all");
    let expected = [
        ("PROCESS_GROUP_ADDED", "groupname:all\n"),
        ("PROCESS_GROUP_ADDED", "groupname:a\n"),
        ("SUPERVISOR_STATE_CHANGE_RUNNING", ""),
        (
            "PROCESS_STATE_STARTING",
            "processname:all groupname:all from_state:STOPPED tries:0",
        ),
    ];
    for (number, (event, (name, payload))) in events.iter().zip(expected).enumerate() {
        assert_eq!((event.name(), event.payload.as_str()), (name, payload));
        assert_eq!(
            event.header,
            format!(
                "ver:3.0 server:board serial:{number} pool:all poolserial:{number} eventname:{name} len:{}",
                payload.len()
            )
        );
    }
    for (number, event) in (0..).zip(&events) {
        assert_eq!(
            (event.number("serial"), event.number("poolserial")),
            (number, number),
            "{events:#?}"
        );
    }
}

#[test]
fn remote_communication_carries_code_points() {
    let daemon = Daemon::under_test(&recorder("remote", "REMOTE_COMMUNICATION"));
    ready(&daemon, "remote");
    assert_eq!(
        daemon.call(
            "sendRemoteCommEvent",
            json!(["typ\u{e9}", "d\u{e9}ta\nline two"])
        ),
        json!(true)
    );
    let event = daemon.wait_event("remote", "the event", named("REMOTE_COMMUNICATION"));
    assert_eq!(event.payload, "type:typ\u{e9}\nd\u{e9}ta\nline two");
    assert_eq!(
        event.header,
        "ver:3.0 server:board serial:0 pool:remote poolserial:0 eventname:REMOTE_COMMUNICATION len:23"
    );
}

/// Reads as many bytes as the header says and records them.
const BYTE_READER: &str = "\
import os
while True:
    os.write(1, b'READY\\n')
    header = b''
    while not header.endswith(b'\\n'):
        header += os.read(0, 1) or exit()
    left = int(header.split(b'len:')[1])
    while left:
        data = os.read(0, left)
        left -= len(data)
        open('bytes.out', 'ab').write(data)
    os.write(1, b'RESULT 2\\nOK')
";

#[test]
fn a_pool_can_have_its_lengths_in_bytes() {
    // An option of ours: the original ignores it.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let mut daemon = Daemon::prepare(
        Flavour::Ours,
        "[eventlistener:bytes]\ncommand=python3 bytes.py\ndirectory=%(here)s\nevents=REMOTE_COMMUNICATION\n\
         event_len=bytes\nstartsecs=0\n",
    );
    std::fs::write(daemon.path("bytes.py"), BYTE_READER).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    for data in ["d\u{e9}ta", "\u{1f600}", "end"] {
        let sent = daemon.call("sendRemoteCommEvent", json!(["t", data]));
        assert_eq!(sent, json!(true));
    }
    let expected = "type:t\nd\u{e9}tatype:t\n\u{1f600}type:t\nend";
    daemon.wait_file("bytes.out", expected);
    assert_eq!(daemon.read("bytes.out"), expected);
}

#[test]
fn output_is_told_with_channel_and_pid() {
    let daemon = Daemon::under_test(
        &[
            recorder("output", "PROCESS_LOG"),
            "[program:a]\ncommand=sh -c 'read x; echo \"o $x\"; read x; echo \"e $x\" >&2; sleep 1000'\n\
             stdout_events_enabled=true\nstderr_events_enabled=true\nstartsecs=0\n"
                .to_owned(),
        ]
        .concat(),
    );
    ready(&daemon, "output");
    daemon.wait_state("a", "RUNNING");
    let pid = daemon.process_pid("a");
    for (text, name, channel, data) in [
        ("1\n", "PROCESS_LOG_STDOUT", "stdout", "o 1\n"),
        ("h\u{e9}\n", "PROCESS_LOG_STDERR", "stderr", "e h\u{e9}\n"),
    ] {
        assert_eq!(
            daemon.call("sendProcessStdin", json!(["a", text])),
            json!(true)
        );
        let event = daemon.wait_event("output", name, named(name));
        assert_header(&event, "output", name);
        assert_eq!(
            event.payload,
            format!("processname:a groupname:a pid:{pid} channel:{channel}\n{data}")
        );
    }
}

#[test]
fn undecodable_output_is_told_in_pythons_spelling() {
    let daemon = Daemon::under_test(
        &[
            recorder("output", "PROCESS_LOG"),
            "[program:a]\ncommand=sh -c 'read x; printf \"x\\377\\376\"; sleep 1000'\nstdout_events_enabled=true\nstartsecs=0\n"
                .to_owned(),
        ]
        .concat(),
    );
    ready(&daemon, "output");
    daemon.wait_state("a", "RUNNING");
    daemon.call("sendProcessStdin", json!(["a", "\n"]));
    let event = daemon.wait_event("output", "output", named("PROCESS_LOG_STDOUT"));
    assert_eq!(
        event.payload.split_once('\n').map(|(_, data)| data),
        Some("Undecodable: b'x\\xff\\xfe'")
    );
}

#[test]
fn captured_text_is_a_communication_and_not_in_the_log() {
    let daemon = Daemon::under_test(
        &[
            recorder("comm", "PROCESS_COMMUNICATION"),
            "[program:a]\ncommand=sh -c 'read x; \
             echo \"before<!--XSUPERVISOR:BEGIN-->hello there<!--XSUPERVISOR:END-->after, with some more text\"; \
             read x; echo \"<!--XSUPERVISOR:BEGIN-->oops<!--XSUPERVISOR:END-->\" >&2; sleep 1000'\n\
             stdout_capture_maxbytes=1MB\nstderr_capture_maxbytes=1MB\nstartsecs=0\nstdout_logfile=%(here)s/a.out\n".to_owned(),
        ]
        .concat(),
    );
    ready(&daemon, "comm");
    daemon.wait_state("a", "RUNNING");
    let pid = daemon.process_pid("a");
    for (name, data) in [
        ("PROCESS_COMMUNICATION_STDOUT", "hello there"),
        ("PROCESS_COMMUNICATION_STDERR", "oops"),
    ] {
        daemon.call("sendProcessStdin", json!(["a", "\n"]));
        let event = daemon.wait_event("comm", name, named(name));
        assert_header(&event, "comm", name);
        assert_eq!(
            event.payload,
            format!("processname:a groupname:a pid:{pid}\n{data}")
        );
    }
    daemon.wait_file("a.out", "beforeafter, with some more text\n");
    daemon.wait_log("'a' stdout emitted a comm event");
}

#[test]
fn groups_and_shutdown_are_told() {
    let mut daemon = Daemon::under_test(
        &[
            recorder("super", "PROCESS_GROUP,SUPERVISOR_STATE_CHANGE"),
            "[program:a]
command=sleep 1000
startsecs=0
\
             [program:late]
command=sh -c 'trap \"sleep 1; exit\" TERM; touch %(here)s/armed; while :; do sleep 0.05; done'
startsecs=0
"
            .to_owned(),
        ]
        .concat(),
    );
    // It keeps the shutdown waiting, so that the listener, which goes last, is told of it.
    callboard_tests::wait::until_true("the trap", || (daemon.path("armed").exists(), ()));
    ready(&daemon, "super");
    daemon.wait_state("a", "RUNNING");
    daemon.call("stopProcess", json!(["a"]));
    daemon.call("removeProcessGroup", json!(["a"]));
    daemon.call("addProcessGroup", json!(["a"]));
    daemon.wait_event("super", "the removal", named("PROCESS_GROUP_REMOVED"));
    daemon.shut_down();
    let lines: Vec<_> = daemon.events("super").iter().map(Event::line).collect();
    assert_eq!(
        lines,
        [
            "PROCESS_GROUP_ADDED groupname:super\n",
            "PROCESS_GROUP_ADDED groupname:a\n",
            "PROCESS_GROUP_ADDED groupname:late\n",
            "SUPERVISOR_STATE_CHANGE_RUNNING ",
            "PROCESS_GROUP_REMOVED groupname:a\n",
            "PROCESS_GROUP_ADDED groupname:a\n",
            "SUPERVISOR_STATE_CHANGE_STOPPING ",
        ]
    );
}

#[test]
fn ticks_carry_the_aligned_second() {
    let daemon = Daemon::under_test(&recorder("tick", "TICK_5"));
    let event = daemon.wait_event("tick", "a tick", named("TICK_5"));
    assert_header(&event, "tick", "TICK_5");
    let when: u64 = event
        .field("when")
        .and_then(|text| text.parse().ok())
        .expect("a number");
    assert_eq!(event.payload, format!("when:{when}"));
    assert_eq!(when % 5, 0);
}

#[test]
fn subscriptions_are_inherited_and_case_does_not_matter() {
    let daemon = Daemon::under_test(
        &[
            recorder("running", "process_state_running"),
            recorder("states", "PROCESS_STATE"),
            "[program:a]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n".to_owned(),
        ]
        .concat(),
    );
    ready(&daemon, "running");
    ready(&daemon, "states");
    daemon.call("startProcess", json!(["a"]));
    daemon.wait_event("states", "a running", |event| {
        event.process() == "a" && event.name() == "PROCESS_STATE_RUNNING"
    });
    daemon.wait_event("running", "a running", |event| event.process() == "a");
    assert!(
        daemon
            .events("running")
            .iter()
            .all(|event| event.name() == "PROCESS_STATE_RUNNING")
    );
    let of_a: Vec<_> = daemon
        .events("states")
        .into_iter()
        .filter(|event| event.process() == "a")
        .map(|event| event.name().to_owned())
        .collect();
    assert_eq!(of_a, ["PROCESS_STATE_STARTING", "PROCESS_STATE_RUNNING"]);
}

#[test]
fn every_pool_gets_each_event_once_with_serials_of_its_own() {
    let pool = "[eventlistener:workers]\ncommand=%(ENV_LISTENER)s %(here)s/worker_%(process_num)d\nprocess_name=%(program_name)s_%(process_num)d\n\
                numprocs=3\nevents=REMOTE_COMMUNICATION\nbuffer_size=1000\nstartsecs=0\n";
    let daemon =
        Daemon::under_test(&[recorder("alone", "REMOTE_COMMUNICATION"), pool.to_owned()].concat());
    for name in [
        "alone",
        "workers:workers_0",
        "workers:workers_1",
        "workers:workers_2",
    ] {
        daemon.wait_state(name, "RUNNING");
    }
    for number in 0..40 {
        daemon.call("sendRemoteCommEvent", json!(["n", number.to_string()]));
    }
    let records = ["worker_0", "worker_1", "worker_2"];
    let all = || {
        records
            .iter()
            .flat_map(|record| daemon.events(record))
            .collect::<Vec<_>>()
    };
    callboard_tests::wait::until("all events", || {
        match (all().len(), daemon.events("alone").len()) {
            (40, 40) => Ok(()),
            other => Err(other),
        }
    });
    let mut pooled = all();
    pooled.sort_by_key(|event| event.number("serial"));
    for (number, (event, alone)) in (0..).zip(pooled.iter().zip(daemon.events("alone"))) {
        assert_eq!(event.payload, format!("type:n\n{number}"));
        assert_eq!(
            alone.payload, event.payload,
            "a lone listener is told in order"
        );
        assert_eq!(
            (event.number("serial"), event.number("poolserial")),
            (number, number)
        );
        assert_eq!(
            (alone.number("serial"), alone.number("poolserial")),
            (number, number)
        );
        assert_eq!(
            (event.token("pool"), alone.token("pool")),
            (Some("workers"), Some("alone"))
        );
    }
}
