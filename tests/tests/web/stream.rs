//! Events and logs as they happen.

use std::fs;
use std::io::Read;
use std::time::Instant;

use callboard_tests::{Daemon, wait};
use serde_json::json;

use crate::client::{Stream, post, send, wait_metric};

const CONFIG: &str = "\
[supervisord]
loglevel=info
[program:talk]
command=cat
startsecs=0
[program:idle]
command=sleep 1000
startsecs=0
autostart=false
[eventlistener:watch]
command=%(ENV_LISTENER)s %(here)s/events
events=REMOTE_COMMUNICATION
";

fn daemon() -> Daemon {
    let daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("talk", "RUNNING");
    daemon
}

fn descriptors(daemon: &Daemon) -> usize {
    let entries = fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("the daemon lives");
    entries.count()
}

#[test]
fn state_changes_arrive_in_order() {
    let daemon = daemon();
    let mut stream = Stream::open(
        &daemon,
        "/api/v1/events?types=PROCESS_STATE,REMOTE_COMMUNICATION",
    );
    daemon.call("startProcess", json!(["idle"]));
    daemon.call("stopProcess", json!(["idle"]));
    let remote = json!({"type": "a b", "data": "x\r\ny"});
    assert_eq!(post(&daemon, "/api/v1/remote-event", &remote).0, 200);
    let pid = |event: &crate::client::Event| event.json()["fields"]["pid"].clone();
    let names = [
        ("PROCESS_STATE_STARTING", "STOPPED"),
        ("PROCESS_STATE_RUNNING", "STARTING"),
        ("PROCESS_STATE_STOPPING", "RUNNING"),
        ("PROCESS_STATE_STOPPED", "STOPPING"),
    ];
    let mut pids = Vec::new();
    for (name, from) in names {
        let event = stream.next().expect("an event");
        let body = event.json();
        assert_eq!(
            (event.name.as_str(), &body["eventname"]),
            (name, &json!(name))
        );
        assert_eq!(body["fields"]["processname"], "idle");
        assert_eq!(body["fields"]["groupname"], "idle");
        assert_eq!(body["fields"]["from_state"], from);
        pids.push(pid(&event));
    }
    assert_eq!(
        pids[1..],
        [pids[1].clone(), pids[1].clone(), pids[1].clone()]
    );
    let remote = stream.next().expect("an event").json();
    assert_eq!(remote["fields"], json!({"type": "a b"}));
    assert_eq!(remote["data"], "x\r\ny");
}

#[test]
fn streams_take_no_numbers_from_listeners() {
    let daemon = daemon();
    daemon.wait_state("watch", "RUNNING");
    let mut all = Stream::open(&daemon, "/api/v1/events");
    for count in 0..3 {
        daemon.call("sendRemoteCommEvent", json!(["n", count.to_string()]));
        daemon.call("startProcess", json!(["idle"]));
        daemon.call("stopProcess", json!(["idle"]));
    }
    daemon.wait_event("events", "the last", |event| event.payload.ends_with('2'));
    let serials: Vec<_> = daemon
        .events("events")
        .iter()
        .map(|event| event.number("serial"))
        .collect();
    assert_eq!(serials, [0, 1, 2]);
    let seen = std::iter::from_fn(|| all.next()).take_while(|event| event.json()["data"] != "2");
    assert!(seen.count() >= 10);
}

#[test]
fn lines_are_followed_over_clearing() {
    let daemon = daemon();
    let say = |text: &str| {
        let answer = post(
            &daemon,
            "/api/v1/processes/talk/stdin",
            &json!({"chars": text}),
        );
        assert_eq!(answer.0, 200);
    };
    say("old\nearlier\n");
    let log = "/api/v1/processes/talk/logs/stdout";
    wait::until_true("the log to be written", || {
        let answer = crate::client::get(&daemon, log).1;
        (answer["text"] == "old\nearlier\n", answer)
    });
    let mut stream = Stream::open(&daemon, &format!("{log}/follow?tail=9"));
    let mut quiet = Stream::open(&daemon, &format!("{log}/follow?tail=0"));
    let mut next = || stream.next().expect("a line").data;
    assert_eq!(next(), "earlier");
    say("half");
    say(" and half\r\nü\n");
    assert_eq!((next().as_str(), next().as_str()), ("half and half", "ü"));
    daemon.call("clearProcessLogs", json!(["talk"]));
    say("after\n");
    assert_eq!(
        (next().as_str(), next().as_str()),
        ("the file was emptied", "after")
    );
    assert_eq!(quiet.next().expect("a line").data, "half and half");
}

#[test]
fn a_log_and_events_come_in_one_stream_with_lines_that_have_no_end_yet() {
    let daemon = daemon();
    let say = |chars: &str| {
        let stdin = "/api/v1/processes/talk/stdin";
        assert_eq!(post(&daemon, stdin, &json!({"chars": chars})).0, 200);
    };
    let path = "/api/v1/processes/talk/logs/stdout/follow?unfinished=true&types=PROCESS_STATE";
    let mut stream = Stream::open(&daemon, path);
    let mut next = || {
        let event = stream.next().expect("an event");
        (event.name, event.data)
    };
    let told = |name: &str, data: &str| (name.to_owned(), data.to_owned());
    say("10 %\r2");
    assert_eq!(next(), told("unfinished", "10 %\n2"));
    daemon.call("startProcess", json!(["idle"]));
    assert_eq!(next().0, "PROCESS_STATE_STARTING");
    assert_eq!(next().0, "PROCESS_STATE_RUNNING");
    say("0 %");
    assert_eq!(next(), told("unfinished", "0 %"));
    say("\nend\n");
    assert_eq!(next(), told("", "10 %\n20 %"));
    assert_eq!(next(), told("", "end"));
}

#[test]
fn logs_are_followed_if_events_are_asked_for() {
    let daemon = daemon();
    let path = "/api/v1/daemon/log/follow?tail=0";
    let mut stream = Stream::open(&daemon, path);
    daemon.call("startProcess", json!(["idle"]));
    assert!(
        stream
            .next()
            .expect("a line")
            .data
            .contains("spawned: 'idle'")
    );
    let request =
        "GET /api/v1/processes/talk/logs/stderr HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n";
    let mut connection = daemon.address().connect().expect("the daemon listens");
    std::io::Write::write_all(&mut connection, request.as_bytes()).expect("it reads");
    let mut head = [0; 300];
    let read = connection.read(&mut head).expect("an answer");
    assert!(String::from_utf8_lossy(&head[..read]).contains("Content-Type: text/event-stream"));
}

#[test]
fn who_does_not_read_is_cut_off_and_delays_nobody() {
    let daemon = daemon();
    let path = "/api/v1/events?types=REMOTE_COMMUNICATION";
    let mut slow = send(&daemon.address(), path);
    let mut quick = Stream::open(&daemon, path);
    wait_metric(&daemon, "supervisor_event_streams", "2");
    let data = "x".repeat(200_000);
    let begun = Instant::now();
    for count in 0..40 {
        let kind = count.to_string();
        daemon.call("sendRemoteCommEvent", json!([kind, data]));
        let body = quick.next().expect("an event").json();
        assert_eq!(body["fields"]["type"], kind.as_str());
    }
    let taken = begun.elapsed();
    wait_metric(&daemon, "supervisor_event_streams_cut_off_total", "1");
    wait_metric(&daemon, "supervisor_event_streams", "1");
    // Had it been waited for, this would have taken its minute of patience.
    assert!(taken.as_secs() < 30, "{taken:?}");
    let mut rest = Vec::new();
    // The end comes, in whatever form.
    let _ = slow.read_to_end(&mut rest);
    assert!(rest.len() < 40 * data.len());
    daemon.wait_log("gave up a stream of events");
    daemon.call("sendRemoteCommEvent", json!(["last", ""]));
    assert_eq!(
        quick.next().expect("an event").json()["fields"]["type"],
        "last"
    );
}

#[test]
fn closed_streams_leave_nothing() {
    let daemon = daemon();
    let before = descriptors(&daemon);
    let paths = [
        "/api/v1/events",
        "/api/v1/processes/talk/logs/stdout/follow",
    ];
    for _ in 0..3 {
        let streams: Vec<_> = (0..60)
            .map(|number| Stream::open(&daemon, paths[number % 2]))
            .collect();
        wait_metric(&daemon, "supervisor_event_streams", "30");
        drop(streams);
        wait_metric(&daemon, "supervisor_event_streams", "0");
    }
    wait::until_true("descriptors to be closed", || {
        let open = descriptors(&daemon);
        (open <= before, (before, open))
    });
}

#[test]
fn streams_end_with_the_daemon() {
    let mut daemon = daemon();
    let mut stream = Stream::open(&daemon, "/api/v1/events?types=SUPERVISOR_STATE_CHANGE");
    let mut chunked = daemon.address().connect().expect("the daemon listens");
    let request = "GET /api/v1/events?types=TICK_3600 HTTP/1.1\r\nHost: x\r\n\r\n";
    std::io::Write::write_all(&mut chunked, request.as_bytes()).expect("it reads");
    wait_metric(&daemon, "supervisor_event_streams", "2");
    daemon.shut_down();
    assert_eq!(
        stream.next().expect("an event").name,
        "SUPERVISOR_STATE_CHANGE_STOPPING"
    );
    assert_eq!(stream.next(), None);
    let mut answer = Vec::new();
    let _ = chunked.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.ends_with("\r\n\r\nd\r\nretry: 3000\n\n\r\n0\r\n\r\n"),
        "{answer}"
    );
}
