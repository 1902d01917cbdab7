//! The webhook at work, with a real server.

use callboard_tests::{Daemon, Flavour, wait, workspace};
use serde_json::{Value, json};

use crate::server::{NEVER, Server};

/// A program that ends when it is told to by a signal, and a second one.
const PROGRAMS: &str = "[program:web]\ncommand=sleep 1000\nstartsecs=0\nautorestart=false\n\
                        [program:other]\ncommand=sleep 1000\nstartsecs=0\nautorestart=false\n";

fn start(flavour: Flavour, server: &Server, events: &str, options: &str) -> Daemon {
    let webhook = workspace::binary("webhook");
    let (webhook, url) = (webhook.display(), server.url());
    Daemon::start(
        flavour,
        &format!(
            "[eventlistener:hook]\ncommand={webhook} {options} {url}\nevents={events}\nbuffer_size=100\nstartsecs=0\n\
             stderr_logfile=%(here)s/hook.log\n{PROGRAMS}"
        ),
    )
}

fn both() -> [Flavour; 2] {
    [Flavour::Ours, Flavour::Original]
}

fn say(daemon: &Daemon, data: &str) {
    daemon.call("sendRemoteCommEvent", json!(["note", data]));
}

/// The data of the events in a body.
fn data(body: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(body).expect("JSON");
    let events = match value {
        Value::Array(events) => events,
        event => vec![event],
    };
    let text = |event: &Value| event["data"].as_str().expect("text").to_owned();
    events.iter().map(text).collect()
}

#[test]
fn events_are_posted_as_json() {
    for flavour in both() {
        let server = Server::start(&[]);
        let daemon = start(flavour, &server, "PROCESS_STATE,TICK_5", "-p web");
        daemon.wait_state("web", "RUNNING");
        let pid = daemon.process_pid("web");
        daemon.call("signalProcess", json!(["other", "KILL"]));
        daemon.call("signalProcess", json!(["web", "KILL"]));
        let event = server.wait_for("the exit", |event| {
            event["eventname"] == "PROCESS_STATE_EXITED"
        });
        assert_eq!(event["server"], "board");
        assert_eq!(event["pool"], "hook");
        let fields = json!({
            "processname": "web", "groupname": "web", "from_state": "RUNNING", "expected": false, "pid": pid,
        });
        assert_eq!(event["fields"], fields);
        assert!(
            server
                .bodies()
                .iter()
                .all(|body| body.contains(r#""processname":"web""#))
        );
        daemon.wait_state("hook", "RUNNING");
    }
}

#[test]
fn templates_make_the_body() {
    let server = Server::start(&[]);
    let options = r#"-t '{"text": "*{process}* says: {data}"}' -g web"#;
    let daemon = start(Flavour::Ours, &server, "PROCESS_LOG", options);
    daemon.write_config("");
    let again = r#"-t '{"text": "{summary}"}'"#;
    let server_of_notes = Server::start(&[]);
    let notes = start(
        Flavour::Ours,
        &server_of_notes,
        "REMOTE_COMMUNICATION",
        again,
    );
    say(&notes, "déjà \"vu\"");
    assert_eq!(
        server_of_notes.wait_bodies(1),
        [r#"{"text": "REMOTE_COMMUNICATION type:note: déjà \"vu\""}"#]
    );
    assert_eq!(server.bodies(), Vec::<String>::new());
}

#[test]
fn several_events_share_a_request() {
    let server = Server::start(&[]);
    let daemon = start(
        Flavour::Ours,
        &server,
        "REMOTE_COMMUNICATION",
        "-b 3 -i 1000",
    );
    for text in ["a", "b", "c", "d"] {
        say(&daemon, text);
    }
    assert_eq!(data(&server.wait_bodies(1)[0]), ["a", "b", "c"]);
    // The end does not wait for the interval.
    daemon.call("stopProcess", json!(["hook"]));
    assert_eq!(data(&server.wait_bodies(2)[1]), ["d"]);
}

#[test]
fn failures_are_tried_again_in_order() {
    for flavour in both() {
        let server = Server::start(&[500, 503]);
        let daemon = start(flavour, &server, "REMOTE_COMMUNICATION", "-w 0.05");
        say(&daemon, "first");
        say(&daemon, "second");
        let bodies = server.wait_bodies(4);
        let told: Vec<_> = bodies.iter().flat_map(|body| data(body)).collect();
        assert_eq!(told, ["first", "first", "first", "second"]);
        daemon.wait_file(
            "hook.log",
            "cannot deliver 1 events, trying again in 0.05 s: status 500",
        );
        daemon.wait_file("hook.log", "trying again in 0.1 s: status 503");
    }
}

#[test]
fn dead_letters_are_kept_and_replayed() {
    let server = Server::start(&[400, 500, 500, 200, 400]);
    let options = "-r 1 -w 0.01 -d %(here)s/dead";
    let daemon = start(Flavour::Ours, &server, "REMOTE_COMMUNICATION", options);
    for text in ["refused", "failed", "good"] {
        say(&daemon, text);
    }
    daemon.wait_file("dead", "\"data\":\"failed\"");
    server.wait_bodies(4);
    let dead = daemon.path("dead").display().to_string();
    let replay = || {
        daemon.run(
            &workspace::binary("webhook"),
            &["-R", "-d", &dead, &server.url()],
        )
    };
    let output = replay();
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (1, "1 letters delivered, 1 kept\n")
    );
    assert!(daemon.read("dead").contains("\"data\":\"refused\""));
    let output = replay();
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, "1 letters delivered, 0 kept\n")
    );
    assert_eq!(daemon.read("dead"), "");
    let told: Vec<_> = server.bodies().iter().flat_map(|body| data(body)).collect();
    assert_eq!(
        told,
        [
            "refused", "failed", "failed", "good", "refused", "failed", "refused"
        ]
    );
}

#[test]
fn nothing_is_lost_when_it_is_stopped() {
    for flavour in both() {
        let server = Server::start(&[NEVER]);
        let options = "-T 1000 -d %(here)s/dead";
        let daemon = start(flavour, &server, "REMOTE_COMMUNICATION", options);
        for text in ["stuck", "queued", "late"] {
            say(&daemon, text);
        }
        server.wait_bodies(1);
        wait::until("all events to be accepted", || {
            let accepted = daemon.log().matches("hook: event was processed").count();
            if accepted == 3 { Ok(()) } else { Err(accepted) }
        });
        daemon.call("stopProcess", json!(["hook"]));
        assert_eq!(daemon.info("hook")["exitstatus"], 0);
        let kept = daemon.read("dead");
        for text in ["stuck", "queued", "late"] {
            assert!(kept.contains(&format!("\"data\":\"{text}\"")), "{kept}");
        }
    }
}

#[test]
fn a_full_queue_leaves_events_with_the_daemon() {
    let server = Server::start(&[NEVER]);
    let options = "-q 1 -T 1000 -d %(here)s/dead";
    let daemon = start(Flavour::Ours, &server, "REMOTE_COMMUNICATION", options);
    for text in ["delivering", "queued", "waiting", "buffered"] {
        say(&daemon, text);
    }
    server.wait_bodies(1);
    wait::until("the third event to be sent", || {
        let sent = daemon.log().matches("sent to listener hook").count();
        if sent == 3 { Ok(()) } else { Err(sent) }
    });
    daemon.call("stopProcess", json!(["hook"]));
    let kept = daemon.read("dead");
    assert!(
        kept.contains("queued") && !kept.contains("buffered"),
        "{kept}"
    );
    daemon.call("startProcess", json!(["hook"]));
    let event = server.wait_for("the event that was never sent", |event| {
        event["data"] == "buffered"
    });
    assert_eq!(event["fields"]["type"], "note");
    server.wait_for("the event that was not accepted", |event| {
        event["data"] == "waiting"
    });
}

#[test]
fn synchronous_answers_wait_for_the_delivery() {
    for flavour in both() {
        let server = Server::start(&[500, 500]);
        let daemon = start(flavour, &server, "REMOTE_COMMUNICATION", "-S -w 0.05");
        say(&daemon, "insistent");
        let bodies = server.wait_bodies(3);
        let serials: Vec<_> = bodies
            .iter()
            .map(|body| serde_json::from_str::<Value>(body).expect("JSON")["serial"].clone())
            .collect();
        assert!(
            serials.iter().all(|serial| *serial == serials[0]),
            "{serials:?}"
        );
        daemon.wait_log("hook: event was rejected");
        daemon.wait_log("hook: event was processed");
    }
}

#[test]
fn it_keeps_to_the_protocol() {
    let checker = workspace::binary("supervisor-listener-test");
    let webhook = workspace::binary("webhook");
    let server = Server::start(&[]);
    let output = std::process::Command::new(checker)
        .args(["-s", "-t", "30", "--"])
        .arg(webhook)
        .arg(server.url())
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
