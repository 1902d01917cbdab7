//! The webhook at work, with a real server.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use callboard_tests::http::Address;
use callboard_tests::{Daemon, Flavour, originals, wait, workspace};
use serde_json::{Value, json};

use crate::examples::text;
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
    let options = r#"-t '{"text": "{summary}"}'"#;
    let daemon = start(Flavour::Ours, &server, "REMOTE_COMMUNICATION", options);
    say(&daemon, "déjà \"vu\"");
    assert_eq!(
        server.wait_bodies(1),
        [r#"{"text": "REMOTE_COMMUNICATION type:note: déjà \"vu\""}"#]
    );
}

/// Makes a certificate for 127.0.0.1 that vouches for itself.
fn make_certificate(dir: &Path) {
    let output = Command::new("openssl")
        .args([
            "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=hook", "-newkey", "ec",
        ])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir)
        .output()
        .expect("openssl runs");
    assert!(output.status.success(), "{output:?}");
}

/// An HTTPS server that writes the body of every request to a file.
const HTTPS: &str = "
import http.server, os, ssl
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        open('posted', 'ab').write(body)
        self.send_response(204)
        self.end_headers()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('cert.pem', 'key.pem')
server = http.server.HTTPServer(('127.0.0.1', int(os.environ['TEST_PORT'])), Hook)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

#[test]
fn certificates_are_verified() {
    let mut daemon = Daemon::prepare(Flavour::Ours, "");
    make_certificate(daemon.dir());
    let webhook = workspace::binary("webhook");
    let hook = |name: &str, options: &str, environment: &str| {
        format!(
            "[eventlistener:{name}]\ncommand={} -r 0 {options} -c text/plain -t '{name} {{data}}' \
             https://127.0.0.1:%(ENV_TEST_PORT)s/\nenvironment=NO_PROXY=\"*\"{environment}\nevents=REMOTE_COMMUNICATION\n\
             stderr_logfile=%(here)s/{name}.log\n",
            webhook.display()
        )
    };
    let config = [
        hook("careful", "", ""),
        hook("trusting", "", ",SSL_CERT_FILE=\"%(here)s/cert.pem\""),
        hook("careless", "-k", ""),
    ];
    daemon.write_config(&config.concat());
    let mut server = daemon.fixture_child(&text(&originals::python()), &["-c", HTTPS]);
    let address = Address::Port(daemon.port());
    wait::until("the server to listen", || address.connect().map(|_| ()));
    daemon.launch(&[]);
    daemon.wait_until_up();
    say(&daemon, "hello");
    daemon.wait_file("posted", "trusting hello");
    daemon.wait_file("posted", "careless hello");
    daemon.wait_file("careful.log", "lost (");
    assert!(!daemon.read("posted").contains("careful"));
    server.kill().expect("it runs");
    server.wait().expect("it was killed");
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
fn it_notices_behind_a_full_queue_that_the_daemon_is_gone() {
    let server = Server::start(&[NEVER]);
    let dir = tempfile::tempdir().expect("a directory");
    let dead = dir.path().join("dead");
    let mut hook = Command::new(workspace::binary("webhook"))
        .args(["-q", "1", "-T", "1000", "-d"])
        .args([dead.as_os_str(), server.url().as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = hook.stdin.take().expect("a pipe");
    let mut stdout = hook.stdout.take().expect("a pipe");
    let texts = ["delivering", "queued", "waiting"];
    for text in texts {
        let payload = format!("type:note\n{text}");
        let event = format!(
            "ver:3.0 server:s serial:1 pool:hook poolserial:1 eventname:REMOTE_COMMUNICATION len:{}\n{payload}",
            payload.len()
        );
        stdin.write_all(event.as_bytes()).expect("it reads");
        server.wait_bodies(1);
    }
    // The third stays unanswered.
    let answers = b"READY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\n";
    let mut read = vec![0; answers.len()];
    stdout.read_exact(&mut read).expect("it answers");
    assert_eq!(read, answers);
    drop(stdin);
    wait::until("it to end", || hook.try_wait().expect("a child").ok_or(()));
    let kept = std::fs::read_to_string(dead).expect("dead letters");
    for text in texts {
        assert!(kept.contains(&format!("\"data\":\"{text}\"")), "{kept}");
    }
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
    let output = Command::new(checker)
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
