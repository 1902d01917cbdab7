//! Starting, exiting, retrying, restarting.

use callboard_tests::{Daemon, Event, procfs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

const RECORDER: &str = "\
[eventlistener:recorder]
command=%(ENV_LISTENER)s %(here)s/events
events=PROCESS_STATE
buffer_size=1000
";

fn daemon(programs: &str) -> Daemon {
    Daemon::under_test(&format!("{programs}{RECORDER}"))
}

/// The lines of a process's events, its pid masked.
fn history(daemon: &Daemon, process: &str, last: &str) -> Vec<String> {
    daemon.wait_event("events", &format!("{last} of {process}"), |event| {
        event.process() == process && event.name() == last
    });
    daemon
        .events("events")
        .iter()
        .filter(|event| event.process() == process)
        .map(masked)
        .collect()
}

fn masked(event: &Event) -> String {
    let line = event.line();
    match event.field("pid") {
        Some("0") | None => line,
        Some(pid) => line.replace(&format!("pid:{pid}"), "pid:N"),
    }
}

#[test]
fn a_program_starts_runs_and_stops() {
    let mut daemon = daemon("[program:a]\ncommand=sleep 1000\n");
    daemon.wait_state("a", "RUNNING");
    daemon.wait_state("recorder", "RUNNING");
    assert_eq!(daemon.call("stopProcess", json!(["a"])), json!(true));
    assert_eq!(
        history(&daemon, "a", "PROCESS_STATE_STOPPED"),
        [
            "PROCESS_STATE_STARTING processname:a groupname:a from_state:STOPPED tries:0",
            "PROCESS_STATE_RUNNING processname:a groupname:a from_state:STARTING pid:N",
            "PROCESS_STATE_STOPPING processname:a groupname:a from_state:RUNNING pid:N",
            "PROCESS_STATE_STOPPED processname:a groupname:a from_state:STOPPING pid:N",
        ]
    );
    daemon.shut_down();
}

#[test]
fn an_early_death_is_retried_until_fatal_whatever_the_exit_code() {
    let daemon = daemon("[program:a]\ncommand=true\nstartretries=1\n");
    daemon.wait_state("a", "FATAL");
    assert_eq!(
        history(&daemon, "a", "PROCESS_STATE_FATAL"),
        [
            "PROCESS_STATE_STARTING processname:a groupname:a from_state:STOPPED tries:0",
            "PROCESS_STATE_BACKOFF processname:a groupname:a from_state:STARTING tries:1",
            "PROCESS_STATE_STARTING processname:a groupname:a from_state:BACKOFF tries:1",
            "PROCESS_STATE_BACKOFF processname:a groupname:a from_state:STARTING tries:2",
            "PROCESS_STATE_FATAL processname:a groupname:a from_state:BACKOFF",
        ]
    );
    let info = daemon.info("a");
    assert_eq!(
        info["spawnerr"],
        "Exited too quickly (process log may have details)"
    );
    assert_eq!(info["description"], info["spawnerr"]);
    assert_eq!((&info["pid"], &info["exitstatus"]), (&json!(0), &json!(0)));
    assert!(
        daemon
            .log()
            .contains("INFO gave up: a entered FATAL state, too many start retries too quickly")
    );
}

#[test]
fn a_fatal_program_starts_with_a_fresh_count() {
    let daemon = daemon("[program:a]\ncommand=false\nstartretries=0\n");
    daemon.wait_state("a", "FATAL");
    let fault = daemon.fault("startProcess", json!(["a"]));
    assert_eq!((fault.code, fault.text.as_str()), (50, "SPAWN_ERROR: a"));
    daemon.wait_state("a", "FATAL");
    let tries = |daemon: &Daemon| -> Vec<String> {
        let events = daemon.events("events");
        let starts = events
            .iter()
            .filter(|event| event.process() == "a" && event.name() == "PROCESS_STATE_STARTING");
        starts
            .filter_map(|event| event.field("tries").map(str::to_owned))
            .collect()
    };
    callboard_tests::wait::until("the second start", || match tries(&daemon) {
        tries if tries == ["0", "0"] => Ok(()),
        other => Err(other),
    });
}

#[test]
fn a_command_that_cannot_be_spawned_goes_through_backoff() {
    let daemon = daemon(
        "[program:gone]\ncommand=/nonexistent/command\nstartretries=0\n\
         [program:directory]\ncommand=/tmp\nstartretries=0\n\
         [program:plain]\ncommand=%(here)s/supervisord.conf\nstartretries=0\n\
         [program:empty]\ncommand=\nstartretries=0\n\
         [program:quote]\ncommand=sh -c 'x\nstartretries=0\n",
    );
    let dir = daemon.dir().display();
    let rows = [
        (
            "gone",
            "can't find command '/nonexistent/command'".to_owned(),
        ),
        ("directory", "command at '/tmp' is a directory".to_owned()),
        (
            "plain",
            format!("command at '{dir}/supervisord.conf' is not executable"),
        ),
        ("empty", "command is empty".to_owned()),
        (
            "quote",
            "can't parse command \"sh -c 'x\": No closing quotation".to_owned(),
        ),
    ];
    for (name, spawnerr) in rows {
        daemon.wait_state(name, "FATAL");
        assert_eq!(daemon.info(name)["spawnerr"], spawnerr, "{name}");
    }
}

#[test]
fn exit_codes_decide_between_expected_and_not() {
    let daemon = daemon(
        "[program:fine]\ncommand=sh -c 'exit 3'\nexitcodes=0,3\nstartsecs=0\nautorestart=unexpected\n\
         [program:bad]\ncommand=sh -c 'exit 3'\nstartsecs=0\nautorestart=false\n\
         [program:killed]\ncommand=sh -c 'kill -9 $$'\nstartsecs=0\nautorestart=false\nexitcodes=0,9,137\n",
    );
    for (name, expected, status, log) in [
        (
            "fine",
            "1",
            3,
            "INFO exited: fine (exit status 3; expected)",
        ),
        (
            "bad",
            "0",
            3,
            "WARN exited: bad (exit status 3; not expected)",
        ),
        (
            "killed",
            "0",
            -1,
            "WARN exited: killed (terminated by SIGKILL; not expected)",
        ),
    ] {
        daemon.wait_state(name, "EXITED");
        let exited = daemon.wait_event("events", "the exit", |event| {
            event.process() == name && event.name() == "PROCESS_STATE_EXITED"
        });
        assert_eq!(exited.field("expected"), Some(expected), "{name}");
        assert_eq!(daemon.info(name)["exitstatus"], status, "{name}");
        assert!(
            daemon.log().contains(log),
            "{log} is not in {}",
            daemon.log()
        );
    }
    assert_eq!(daemon.info("bad")["spawnerr"], "Bad exit code 3");
    assert_eq!(daemon.info("killed")["spawnerr"], "Bad exit code -1");
}

#[test]
fn autorestart_follows_its_setting() {
    // Each run appends a line; the third one stays.
    let body = "echo run >> %(here)s/%(program_name)s.runs; \
                if [ $(wc -l < %(here)s/%(program_name)s.runs) -ge 3 ]; then exec sleep 1000; fi; exit $CODE";
    let program = |name: &str, setting: &str, code: i32| {
        format!(
            "[program:{name}]\ncommand=sh -c '{body}'\nstartsecs=0\nautorestart={setting}\nenvironment=CODE={code}\n"
        )
    };
    let daemon = daemon(
        &[
            program("always", "true", 0),
            program("bad", "unexpected", 4),
            program("good", "unexpected", 0),
            program("never", "false", 4),
        ]
        .concat(),
    );
    for name in ["always", "bad"] {
        daemon.wait_file(&format!("{name}.runs"), "run\nrun\nrun\n");
        daemon.wait_state(name, "RUNNING");
    }
    for name in ["good", "never"] {
        daemon.wait_state(name, "EXITED");
        assert_eq!(daemon.read(&format!("{name}.runs")), "run\n", "{name}");
    }
}

#[test]
fn a_killed_program_comes_back_and_its_listener_is_told_exactly() {
    let mut daemon = daemon("[program:web]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("web", "RUNNING");
    daemon.wait_state("recorder", "RUNNING");
    let before = daemon.wait_event("events", "the listener running", |event| {
        event.process() == "recorder" && event.name() == "PROCESS_STATE_RUNNING"
    });
    let first = daemon.process_pid("web");
    kill(Pid::from_raw(first), Signal::SIGKILL).expect("the program lives");

    let told = |name: &'static str| {
        daemon.wait_event("events", name, |event| {
            event.process() == "web"
                && event.name() == name
                && event.number("serial") > before.number("serial")
        })
    };
    let (exited, starting, running) = (
        told("PROCESS_STATE_EXITED"),
        told("PROCESS_STATE_STARTING"),
        told("PROCESS_STATE_RUNNING"),
    );
    let second = daemon.process_pid("web");
    assert_ne!(first, second);
    let serial = before.number("serial");
    let expected = [
        (
            &exited,
            format!("processname:web groupname:web from_state:RUNNING expected:0 pid:{first}"),
        ),
        (
            &starting,
            "processname:web groupname:web from_state:EXITED tries:0".to_owned(),
        ),
        (
            &running,
            format!("processname:web groupname:web from_state:STARTING pid:{second}"),
        ),
    ];
    for (offset, (event, payload)) in (1..).zip(expected) {
        let number = serial + offset;
        assert_eq!(event.payload, payload);
        assert_eq!(
            event.header,
            format!(
                "ver:3.0 server:board serial:{number} pool:recorder poolserial:{number} eventname:{} len:{}",
                event.name(),
                payload.len()
            )
        );
    }
    assert!(procfs::is_alive(second) && !procfs::is_alive(first));
    daemon.shut_down();
}

#[test]
fn programs_see_the_documented_environment() {
    let daemon = daemon(
        "[supervisord]\nenvironment=SHARED=\"from, daemon\",BOTH=daemon\n\
         [program:a]\ncommand=sleep 1000\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs=1\n\
         environment=BOTH=program,NUM=\"%(process_num)d\"\n\
         [group:g]\nprograms=a\n",
    );
    daemon.wait_state("g:a_00", "RUNNING");
    let environment = procfs::environment(daemon.process_pid("g:a_00"));
    let url = format!("unix://{}/s.sock", daemon.dir().display());
    for (name, value) in [
        ("SUPERVISOR_ENABLED", "1"),
        ("SUPERVISOR_SERVER_URL", &url),
        ("SUPERVISOR_PROCESS_NAME", "a_00"),
        ("SUPERVISOR_GROUP_NAME", "g"),
        ("SHARED", "from, daemon"),
        ("BOTH", "program"),
        ("NUM", "0"),
    ] {
        assert_eq!(
            environment.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
}

#[test]
fn every_program_leads_a_process_group_and_holds_no_stray_descriptors() {
    let daemon = daemon("[program:a]\ncommand=sleep 1000\ndirectory=/\numask=077\n");
    daemon.wait_state("a", "RUNNING");
    let pid = daemon.process_pid("a");
    assert_eq!(procfs::row(pid).map(|row| row.group), Some(pid));
    assert_eq!(
        std::fs::read_link(format!("/proc/{pid}/cwd")).ok(),
        Some("/".into())
    );
    let mut descriptors: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("the process lives")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    descriptors.sort();
    assert_eq!(descriptors, ["0", "1", "2"]);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    assert!(status.contains("Umask:\t0077"), "{status}");
}

#[test]
fn a_failing_child_setup_is_explained_in_its_stderr_log() {
    let daemon = daemon(
        "[program:lost]\ncommand=sleep 1000\ndirectory=/nonexistent/directory\nstartretries=0\nstderr_logfile=%(here)s/lost.err\n",
    );
    daemon.wait_state("lost", "FATAL");
    daemon.wait_file(
        "lost.err",
        "supervisor: couldn't chdir to /nonexistent/directory: ENOENT\n",
    );
    daemon.wait_file("lost.err", "supervisor: child process was not spawned\n");
    daemon.wait_log("exited: lost (exit status 127; not expected)");
}
