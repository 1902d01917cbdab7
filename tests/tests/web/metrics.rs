//! The metrics, read by Prometheus's own parser and held against what is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::Stdio;

use callboard_tests::{Daemon, wait, workspace};
use serde_json::{Value, json};

use crate::openapi::program;

const CONFIG: &str = "\
[program:cat]
command=cat
startsecs=0
[program:crash]
command=sh -c 'echo dying; exit 1'
startsecs=0
autostart=false
autorestart=false
[program:absent]
command=/nonexistent/program
startretries=0
[program:odd]
command=sleep 1000
process_name=a\"b\\c
startsecs=0
[eventlistener:watch]
command=%(ENV_LISTENER)s %(here)s/events
events=REMOTE_COMMUNICATION
";

/// A scrape, by sample name and labels.
struct Scrape {
    samples: BTreeMap<(String, String), f64>,
    families: BTreeSet<String>,
    text: String,
}

impl Scrape {
    fn of(daemon: &Daemon, query: &str) -> Self {
        let reply = daemon
            .address()
            .send("GET", &format!("/metrics{query}"), &[]);
        let reply = reply.expect("the daemon answers");
        assert_eq!(reply.status, 200);
        let families = parse(daemon, &reply.body);
        let mut scrape = Self {
            samples: BTreeMap::new(),
            families: BTreeSet::new(),
            text: reply.text(),
        };
        for family in families.as_array().expect("a list") {
            let name = family[0].as_str().expect("a name").to_owned();
            assert_ne!(family[1], "unknown", "{name}");
            assert_ne!(family[2], "", "{name}");
            assert!(scrape.families.insert(name), "{family} is there twice");
            for sample in family[3].as_array().expect("a list") {
                let key = (
                    sample[0].as_str().unwrap().to_owned(),
                    sample[1].to_string(),
                );
                let value = sample[2].as_f64().expect("a number");
                assert_eq!(
                    scrape.samples.insert(key, value),
                    None,
                    "{sample} is there twice"
                );
            }
        }
        scrape
    }

    fn find(&self, name: &str, labels: Value) -> Option<f64> {
        self.samples
            .get(&(name.to_owned(), labels.to_string()))
            .copied()
    }

    fn get(&self, name: &str, labels: Value) -> f64 {
        self.find(name, labels.clone())
            .unwrap_or_else(|| panic!("no {name} {labels} in {}", self.text))
    }

    /// A sample about a process.
    fn about(&self, metric: &str, name: &str) -> Option<f64> {
        self.find(
            &format!("supervisor_process_{metric}"),
            json!({"group": name, "name": name}),
        )
    }
}

fn parse(daemon: &Daemon, text: &[u8]) -> Value {
    let script = workspace::fixtures().join("web/metrics.py");
    let mut child = daemon
        .fixture_command(&program("python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text)
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

#[test]
fn samples_are_what_is() {
    let daemon = Daemon::under_test(CONFIG);
    for name in ["cat", "watch"] {
        daemon.wait_state(name, "RUNNING");
    }
    for _ in 0..2 {
        daemon.call("startProcess", json!(["crash"]));
        daemon.wait_state("crash", "EXITED");
    }
    daemon.wait_state("absent", "FATAL");
    daemon.fault("startProcess", json!(["absent"]));
    daemon.call("stopProcess", json!(["cat"]));
    daemon.call("startProcess", json!(["cat"]));
    daemon.call("sendRemoteCommEvent", json!(["a", "b"]));
    daemon.call("sendProcessStdin", json!(["cat", "12345\n"]));
    wait::until(
        "the event to be delivered and the line to be written",
        || {
            let scrape = Scrape::of(&daemon, "");
            let delivered = scrape.get(
                "supervisor_pool_events_delivered_total",
                json!({"pool": "watch"}),
            );
            let labels = json!({"group": "cat", "name": "cat", "channel": "stdout"});
            let written = scrape.get("supervisor_process_log_bytes_total", labels);
            match (delivered, written) {
                (1.0, 6.0) => Ok(()),
                other => Err(other),
            }
        },
    );
    let scrape = Scrape::of(&daemon, "?descriptors=true");
    processes_are_what_they_are(&daemon, &scrape);
    the_daemon_is_what_it_is(&daemon, &scrape);
}

fn processes_are_what_they_are(daemon: &Daemon, scrape: &Scrape) {
    let info = daemon.info("cat");
    let rows = [
        ("cat", "up", Some(1.0)),
        ("crash", "up", Some(0.0)),
        ("cat", "state", Some(20.0)),
        ("crash", "state", Some(100.0)),
        ("cat", "start_time_seconds", info["start"].as_f64()),
        ("absent", "last_exit_time_seconds", None),
        ("crash", "exit_status", Some(1.0)),
        ("crash", "starts_total", Some(2.0)),
        ("crash", "restarts_total", Some(1.0)),
        ("absent", "starts_total", Some(0.0)),
        ("absent", "failed_starts_total", Some(1.0)),
        ("crash", "resident_memory_bytes", None),
        ("crash", "uptime_seconds", Some(0.0)),
        (
            "crash",
            "last_exit_time_seconds",
            daemon.info("crash")["stop"].as_f64(),
        ),
    ];
    for (name, metric, expected) in rows {
        assert_eq!(scrape.about(metric, name), expected, "{metric} of {name}");
    }
    let exits = |name: &str, cause: &str| {
        let labels = json!({"group": name, "name": name, "cause": cause});
        scrape.get("supervisor_process_exits_total", labels)
    };
    assert_eq!(
        (exits("crash", "unexpected"), exits("cat", "stopped")),
        (2.0, 1.0)
    );
    let pid = &info["pid"];
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: f64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    let memory = scrape.about("resident_memory_bytes", "cat").unwrap();
    assert!((memory - pages * 4096.0).abs() < 1e6, "{memory} {pages}");
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as f64;
    assert_eq!(scrape.about("open_fds", "cat"), Some(open));
    assert!(scrape.about("cpu_seconds_total", "cat").is_some());
    assert_eq!(Scrape::of(daemon, "").about("open_fds", "cat"), None);
    // A name that has to be escaped.
    let odd = json!({"group": "odd", "name": "a\"b\\c"});
    assert_eq!(scrape.get("supervisor_process_up", odd), 1.0);
}

fn the_daemon_is_what_it_is(daemon: &Daemon, scrape: &Scrape) {
    let none = || json!({});
    assert_eq!(
        scrape.get("supervisor_state", json!({"identifier": "board"})),
        1.0
    );
    assert_eq!(scrape.get("supervisor_http_connections", none()), 1.0);
    assert!(scrape.get("process_resident_memory_bytes", none()) > 1e6);
    let open = fs::read_dir(format!("/proc/{}/fd", daemon.pid()))
        .unwrap()
        .count() as f64;
    assert!((scrape.get("process_open_fds", none()) - open).abs() <= 2.0);
    let of_type = |name: &str| scrape.get("supervisor_events_total", json!({"type": name}));
    assert_eq!(of_type("REMOTE_COMMUNICATION"), 1.0);
    // Counted though nobody has subscribed.
    assert_eq!(of_type("PROCESS_STATE_EXITED"), 2.0);
    assert_eq!(of_type("PROCESS_GROUP_ADDED"), 5.0);
    let calls = |suffix: &str| {
        let name = format!("supervisor_rpc_duration_seconds_{suffix}");
        scrape.get(&name, json!({"method": "startProcess"}))
    };
    assert_eq!(calls("count"), 4.0);
    assert!(calls("sum") < 60.0);
    let faults = json!({"method": "startProcess"});
    assert_eq!(scrape.get("supervisor_rpc_faults_total", faults), 1.0);
    let handling = "supervisor_pool_event_handling_seconds_count";
    assert_eq!(scrape.get(handling, json!({"pool": "watch"})), 1.0);
    let states = ["READY", "BUSY", "ACKNOWLEDGED", "UNKNOWN"];
    let listeners = states.map(|state| {
        scrape.get(
            "supervisor_pool_listeners",
            json!({"pool": "watch", "state": state}),
        )
    });
    assert_eq!(listeners.iter().sum::<f64>(), 1.0);
    let running = json!({"state": "RUNNING"});
    assert_eq!(scrape.get("supervisor_processes", running), 3.0);
}

#[test]
fn every_metric_is_in_the_page_and_the_other_way_round() {
    let daemon = Daemon::under_test(CONFIG);
    daemon.wait_state("cat", "RUNNING");
    let page = fs::read_to_string(workspace::root().join("docs/metrics.md")).unwrap();
    let listed: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    let text = Scrape::of(&daemon, "?descriptors=true").text;
    let given: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(given, listed);
}

#[test]
fn examples_ask_for_metrics_there_are() {
    let daemon = Daemon::under_test(CONFIG);
    let given = Scrape::of(&daemon, "?descriptors=true").text;
    for file in ["prometheus/alerts.yml", "grafana/dashboard.json"] {
        let text = fs::read_to_string(workspace::root().join("examples").join(file)).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let names: BTreeSet<_> = words
            .filter(|word| word.starts_with("supervisor_"))
            .collect();
        assert!(names.len() > 5, "{file}");
        for name in names {
            let base = name.trim_end_matches("_sum").trim_end_matches("_count");
            assert!(given.contains(&format!("# TYPE {base} ")), "{file}: {name}");
        }
    }
    let dashboard = fs::read(workspace::root().join("examples/grafana/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&dashboard).expect("the dashboard is JSON");
    assert!(
        dashboard["panels"]
            .as_array()
            .is_some_and(|panels| panels.len() > 5)
    );
}
