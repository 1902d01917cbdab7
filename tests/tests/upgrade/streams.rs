//! Who reads what goes on notices nothing.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use callboard_tests::browser::{Browser, Look};
use callboard_tests::http::{Address, Connection};
use callboard_tests::{Daemon, Flavour, wait};
use serde_json::{Value, json};

use crate::installed::{install, install_script, launch, start, upgrade, upgrade_well};

const UPGRADES: usize = 20;

/// Writes numbered lines until it is told to stop, some of them in two pieces, and long ones to its standard error.
const WRITER: &str = r#"
import os, sys, time
n = 0
while not os.path.exists(sys.argv[1]):
    line = b"%d %s\n" % (n, b"x" * (n * 7 % 60))
    os.write(1, line[:n % 5]); os.write(1, line[n % 5:])
    os.write(2, line[:-1] + b"y" * 1000 + b"\n")
    n += 1
    time.sleep(0.0005)
os.write(1, b"%d lines\n" % n); os.write(2, b"%d lines\n" % n)
time.sleep(1000)
"#;

/// A daemon with the writer, whose log is empty until it is started.
fn with_writer() -> Daemon {
    let daemon = start(
        "[program:w]\ncommand=%(ENV_PYTHON)s %(here)s/writer.py %(here)s/stop\nautostart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=10KB\nstdout_logfile_backups=9\n\
         stderr_logfile=%(here)s/err\nstderr_logfile_maxbytes=0\n",
    );
    fs::write(daemon.path("writer.py"), WRITER).expect("the directory is writable");
    for log in ["out", "err"] {
        File::create(daemon.path(log)).expect("the directory is writable");
    }
    daemon
}

/// Somebody who follows the log; the output goes to a file of this name.
struct Reader {
    name: &'static str,
    child: Child,
}

impl Reader {
    fn spawn(daemon: &Daemon, name: &'static str, program: &Path, words: &[&str]) -> Self {
        let out = File::create(daemon.path(name)).expect("the directory is writable");
        let mut command: Command = daemon.fixture_command(program);
        let command = command.args(words).stdin(Stdio::null()).stdout(out);
        Self {
            name,
            child: command.spawn().expect("it starts"),
        }
    }

    fn curl(daemon: &Daemon, name: &'static str, words: &[&str]) -> Self {
        let socket = daemon.path("s.sock").display().to_string();
        let words = [&["-sN", "--unix-socket", &socket], words].concat();
        Self::spawn(daemon, name, "curl".as_ref(), &words)
    }

    fn ctl(daemon: &Daemon, name: &'static str, flavour: Flavour) -> Self {
        let program = flavour.command("supervisorctl");
        let words = ["-c", "supervisord.conf", "tail", "-f", "w"];
        Self::spawn(daemon, name, &program, &words)
    }

    /// The lines it has read when it has come to the last.
    fn lines(mut self, daemon: &Daemon) -> Vec<String> {
        let text = wait::until("the last line", || {
            let text = daemon.read(self.name);
            let ended = self.child.try_wait().expect("it is ours");
            assert_eq!(ended, None, "{} ended: {text}", self.name);
            match text.contains(" lines\n") {
                true => Ok(text),
                false => Err((self.name, text.len())),
            }
        });
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
        text.lines().map(str::to_owned).collect()
    }
}

/// Whether all lines of the writer are there, once each and in order.
fn assert_complete(name: &str, lines: &[String]) {
    let begin = lines.iter().position(|line| line.starts_with("0 "));
    let begin = begin.unwrap_or_else(|| panic!("{name} misses the first line"));
    let (last, lines) = lines[begin..].split_last().expect("there is one");
    for (number, line) in lines.iter().enumerate() {
        let expected = format!("{number} {}", "x".repeat(number * 7 % 60));
        assert_eq!(line.trim_end_matches('y'), expected, "{name}");
    }
    assert_eq!(*last, format!("{} lines", lines.len()), "{name}");
}

#[test]
fn no_line_is_lost_or_doubled_for_whoever_follows_a_log() {
    let daemon = with_writer();
    let url = "http://x/logtail/w";
    let lines_url = "http://x/api/v1/processes/w/logs/stdout/follow?tail=0";
    let readers = [
        Reader::ctl(&daemon, "original", Flavour::Original),
        Reader::ctl(&daemon, "ours", Flavour::Ours),
        Reader::curl(&daemon, "chunked", &[url]),
        Reader::curl(&daemon, "plain", &["-0", url]),
    ];
    let events = Reader::curl(&daemon, "events", &[lines_url]);
    let mut slow = daemon.address().connect().expect("the daemon listens");
    let request = "GET /logtail/w/stderr HTTP/1.0\r\n\r\n";
    slow.write_all(request.as_bytes()).expect("it reads");
    wait_open(&daemon, "out", readers.len() + 1);
    wait_open(&daemon, "err", 1);
    daemon.call("startProcess", json!(["w"]));
    for _ in 0..UPGRADES {
        let size = daemon.read("ours").len();
        upgrade_well(&daemon);
        wait::until_true("something new", || {
            let now = daemon.read("ours").len();
            (now > size, now)
        });
    }
    wait::until_true("more than a socket takes", || {
        let size = daemon.read("err").len();
        (size > 1_000_000, size)
    });
    upgrade_well(&daemon);
    assert!(daemon.path("out.1").exists(), "it was rotated");
    fs::write(daemon.path("stop"), "").expect("the directory is writable");
    for reader in readers {
        let name = reader.name;
        assert_complete(name, &reader.lines(&daemon));
    }
    let lines = events.lines(&daemon).into_iter();
    let lines = lines.filter_map(|line| line.strip_prefix("data: ").map(str::to_owned));
    assert_complete("events", &lines.collect::<Vec<_>>());
    let mut lines = Vec::new();
    let mut slow = BufReader::new(slow).lines();
    while !lines
        .last()
        .is_some_and(|line: &String| line.ends_with(" lines"))
    {
        lines.push(slow.next().expect("a further line").expect("text"));
    }
    assert_complete("slow", &lines);
}

/// Waits until the daemon has a file open so often.
fn wait_open(daemon: &Daemon, name: &str, count: usize) {
    let path = daemon.path(name);
    wait::until_true(name, || {
        let entries = fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("it lives");
        let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        let open = targets.filter(|target| *target == path).count();
        (open == count, open)
    });
}

/// Reads the events of a stream, and the head before them.
struct Events(Box<dyn std::io::BufRead>);

impl Events {
    fn open(daemon: &Daemon) -> Self {
        let mut connection = daemon.address().connect().expect("the daemon listens");
        let request = "GET /api/v1/events?types=REMOTE_COMMUNICATION HTTP/1.0\r\n\r\n";
        connection.write_all(request.as_bytes()).expect("it reads");
        let mut events = Self(Box::new(BufReader::new(connection)));
        // It is there when it begins.
        while events.line() != "retry: 3000" {}
        events
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let count = self.0.read_line(&mut line).expect("an answer in time");
        assert!(count > 0, "the stream has ended");
        line.truncate(line.trim_end().len());
        line
    }

    /// What the next event says.
    fn next(&mut self) -> String {
        loop {
            if let Some(data) = self.line().strip_prefix("data: ") {
                let body: Value = serde_json::from_str(data).expect("JSON");
                return body["data"].as_str().expect("a text").to_owned();
            }
        }
    }
}

fn send(daemon: &Daemon, number: usize) {
    let params = json!(["t", number.to_string()]);
    assert_eq!(daemon.call("sendRemoteCommEvent", params), true);
}

#[test]
fn streams_of_events_go_on() {
    let daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    let mut quick = Events::open(&daemon);
    let mut late = Events::open(&daemon);
    for number in 0..UPGRADES {
        send(&daemon, number);
        assert_eq!(quick.next(), number.to_string());
        upgrade_well(&daemon);
    }
    for number in 0..UPGRADES {
        assert_eq!(late.next(), number.to_string());
    }
}

#[test]
fn streams_outlast_an_upgrade_that_fails_at_the_last_moment() {
    let daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    let mut events = Events::open(&daemon);
    let mut idle = Idle::open(&daemon.address());
    let script = "#!/bin/sh\ncat >/dev/null\nrm -f \"$0\"\necho ready to go on as version 9\n";
    for number in 0..2 {
        install_script(&daemon, script);
        let last = upgrade(&daemon);
        let failure = last["failure"].as_str().expect("a text");
        assert!(failure.starts_with("cannot execute "), "{failure}");
        send(&daemon, number);
        assert_eq!(events.next(), number.to_string());
        idle.ask();
    }
    install(&daemon, &Flavour::Ours.command("supervisord"));
    upgrade_well(&daemon);
    send(&daemon, 2);
    assert_eq!(events.next(), "2");
    idle.ask();
}

/// A connection with one request after another.
struct Idle(BufReader<Box<dyn Connection>>);

const REQUEST: &str = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";

impl Idle {
    fn open(address: &Address) -> Self {
        let connection = address.connect().expect("the daemon listens");
        Self(BufReader::new(connection))
    }

    fn write(&mut self, text: &str) {
        let written = self.0.get_mut().write_all(text.as_bytes());
        written.expect("it is still open");
    }

    /// The size of the next answer.
    fn read(&mut self) -> usize {
        let mut size = None;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("an answer in time");
            assert_ne!(line, "", "it was closed");
            if let Some(length) = line.to_lowercase().strip_prefix("content-length: ") {
                size = length.trim().parse().ok();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; size.expect("a length")];
        self.0.read_exact(&mut body).expect("the whole answer");
        assert!(body.starts_with(b"{") && body.ends_with(b"}\n"));
        body.len()
    }

    fn ask(&mut self) -> usize {
        self.write(REQUEST);
        self.read()
    }
}

#[test]
fn idle_connections_stay_open_with_what_was_sent_on_them() {
    let daemon = start("[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n");
    for address in [daemon.address(), Address::Port(daemon.port())] {
        let mut idle = Idle::open(&address);
        let mut silent = Idle::open(&address);
        let size = idle.ask();
        let mut behind = Idle::open(&address);
        // Answers that are not read until the last upgrade, more than any socket takes.
        let many = 8_000_000 / size;
        behind.write(&REQUEST.repeat(many));
        let mut cuts = [1, 17, REQUEST.len() - 1].into_iter();
        let mut begun = "";
        for _ in 0..3 {
            upgrade_well(&daemon);
            idle.write(&REQUEST[begun.len()..]);
            assert_eq!(idle.read(), size);
            begun = &REQUEST[..cuts.next().unwrap_or(0)];
            idle.write(begun);
        }
        assert_eq!(silent.ask(), size);
        for _ in 0..many {
            assert_eq!(behind.read(), size);
        }
    }
}

#[test]
fn pythons_client_keeps_its_connection() {
    const CLIENT: &str = r#"
import http.client, sys
client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
client.connect()
client.auto_open = False
for line in sys.stdin:
    client.request("GET", "/api/v1/daemon")
    answer = client.getresponse()
    answer.read()
    print(answer.status, answer.getheader("Connection"), flush=True)
"#;
    let daemon = start("[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n");
    let python = callboard_tests::originals::python();
    let mut client = daemon
        .fixture_command(&python)
        .args(["-c", CLIENT, &daemon.port().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut input = client.stdin.take().expect("a pipe");
    let mut answers = BufReader::new(client.stdout.take().expect("a pipe")).lines();
    for _ in 0..5 {
        input.write_all(b"\n").expect("it reads");
        let answer = answers.next().expect("an answer").expect("text");
        assert_eq!(answer, "200 None");
        upgrade_well(&daemon);
    }
    drop(input);
    assert!(client.wait().expect("it ends").success());
}

#[test]
fn over_tls_a_log_ends_properly_and_can_be_begun_again() {
    let daemon = Daemon::prepare(
        Flavour::Ours,
        "[program:a]\ncommand=sh -c 'echo said; sleep 1000'\nstartsecs=0\n\
         [inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\ncertfile=%(here)s/cert\nkeyfile=%(here)s/key\n",
    );
    let words =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost";
    let words = words.split(' ').chain(["-keyout", "key", "-out", "cert"]);
    let made = daemon.run("openssl".as_ref(), &words.collect::<Vec<_>>());
    assert_eq!(made.code, 0, "{made:?}");
    let daemon = launch(daemon);
    let url = format!("https://127.0.0.1:{}/logtail/a", daemon.port());
    for name in ["first", "second"] {
        let mut reader = Reader::spawn(&daemon, name, "curl".as_ref(), &["-skN", &url]);
        daemon.wait_file(name, "said\n");
        upgrade_well(&daemon);
        let status = wait::until("the end", || match reader.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            other => Err(format!("{other:?}")),
        });
        assert!(status.success(), "{status}: not cut off");
    }
}

#[test]
fn the_open_page_shows_no_interruption() {
    let daemon = start(
        "[program:a]\ncommand=sleep 1000\nstartsecs=0\n[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n",
    );
    let browser = Browser::start();
    let tab = browser.tab(Look::DESKTOP);
    tab.go(&format!("http://127.0.0.1:{}/", daemon.port()));
    tab.wait(
        "the page to live",
        "!!document.querySelector('.link[data-link=open]')",
    );
    tab.value(
        "window.links = 0;\
         new MutationObserver(() => window.links++).observe(document.querySelector('.link'), {attributes: true})",
    );
    for state in ["stopped", "running", "stopped"] {
        upgrade_well(&daemon);
        let method = match state {
            "running" => "startProcess",
            _ => "stopProcess",
        };
        assert_eq!(daemon.call(method, json!(["a"])), true);
        let shown = "document.querySelector('.row[data-key=a] .state, .row[data-key=\"a:a\"] .state')?.textContent";
        tab.wait(state, &format!("{shown} === '{state}'"));
    }
    assert_eq!(
        tab.value("window.links"),
        0,
        "it is the same page with the same link"
    );
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

/// Its one stream has both, and half a line is completed by the other daemon.
#[test]
fn the_open_page_follows_its_log_on() {
    let daemon = start(
        "[program:a]\ncommand=cat\nstartsecs=0\n[program:b]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n\
         [inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n",
    );
    let browser = Browser::start();
    let tab = browser.tab(Look::DESKTOP);
    let log = format!("http://127.0.0.1:{}/#/process/a%3Aa/stdout", daemon.port());
    tab.go(&log);
    let shown = |lines: Value| {
        let seen =
            "[...document.querySelectorAll('.detail .line')].map((line) => line.textContent)";
        tab.wait(
            &lines.to_string(),
            &format!("JSON.stringify({seen}) === '{lines}'"),
        );
    };
    daemon.call("sendProcessStdin", json!(["a", "one\nha"]));
    shown(json!(["one", "ha"]));
    tab.value("document.querySelector('.line').id = 'old'");
    upgrade_well(&daemon);
    daemon.call("sendProcessStdin", json!(["a", "lf"]));
    shown(json!(["one", "half"]));
    daemon.call("sendProcessStdin", json!(["a", "!\nnext\n"]));
    shown(json!(["one", "half!", "next"]));
    assert_eq!(
        tab.value("document.querySelectorAll('.line#old').length"),
        1
    );
    daemon.call("startProcess", json!(["b"]));
    let event =
        "document.querySelector('.row[data-key=\"b:b\"] .state')?.textContent === 'running'";
    tab.wait("the event", event);
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
