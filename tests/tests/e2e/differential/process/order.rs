//! In which order processes are started and stopped, and what the daemon makes of signals meanwhile.

use std::fs;
use std::thread;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::board;

/// Groups by (priority, name); in a program the order is that of names, in a `[group:x]` that of `programs`.
const CONFIG: &str = "\
[program:zeta]
command=sleep 1000
priority=10
startsecs=0
[program:alpha]
command=sleep 1000
priority=20
startsecs=0
[program:beta]
command=sleep 1000
priority=20
startsecs=0
[program:many]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=11
priority=15
startsecs=0
[program:one]
command=sleep 1000
priority=3
startsecs=0
[program:two]
command=sleep 1000
priority=2
startsecs=0
[program:three]
command=sleep 1000
priority=1
startsecs=0
[group:trio]
programs=two,one,three
priority=17
[program:idle]
command=sleep 1000
priority=18
autostart=false
[program:broken]
command=/nonexistent/command
priority=50
startretries=1000
[program:phoenix]
command=sleep 1000
priority=2
startsecs=0
autorestart=true
[program:last]
priority=0
command=sh -c 'trap \"while [ ! -e %(here)s/%(program_name)s.go ]; do sleep 0.1; done; exit\" TERM; echo armed; while :; do sleep 0.1; done'
startsecs=0
stdout_logfile=%(here)s/%(program_name)s.out
stopwaitsecs=1000
[program:late]
priority=100
command=sh -c 'trap \"while [ ! -e %(here)s/%(program_name)s.go ]; do sleep 0.1; done; exit\" TERM; echo armed; while :; do sleep 0.1; done'
startsecs=0
stdout_logfile=%(here)s/%(program_name)s.out
stopwaitsecs=1000
[eventlistener:recorder]
command=%(ENV_LISTENER)s %(here)s/events
events=PROCESS_STATE,SUPERVISOR_STATE_CHANGE
buffer_size=10000
";

/// A daemon and how much of its log has been noted.
struct Watched {
    daemon: Daemon,
    seen: usize,
    lines: Vec<String>,
}

impl Watched {
    /// Waits until the log holds a text once more since it was last noted.
    fn wait(&self, text: &str, times: usize) {
        wait::until(&format!("{text:?} {times} times in the log"), || {
            let log = self.daemon.log();
            let new = &log[self.seen..];
            if new.matches(text).count() >= times {
                Ok(())
            } else {
                Err(new.to_owned())
            }
        });
    }

    /// Notes the names which the new lines with `what` give, in order.
    fn note(&mut self, title: &str, what: &[&str]) {
        let log = self.daemon.log();
        self.lines.push(format!("== {title}"));
        for what in what {
            let names = log[self.seen..]
                .lines()
                .filter_map(|line| name_after(line, what));
            self.lines
                .push(format!("{what}{}", names.collect::<Vec<_>>().join(" ")));
        }
        self.seen = log.len();
    }

    /// Notes the new lines with one of some texts, each once; of reports about waiting the first.
    fn note_lines(&mut self, texts: &[&str]) {
        let run = board::run(&self.daemon);
        let log = self.daemon.log();
        let mut reported = false;
        let mut lines: Vec<String> = Vec::new();
        for line in log[self.seen..].lines().map(|line| run.log_line(line)) {
            let wanted = !line.starts_with("DEBG ") && texts.iter().any(|text| line.contains(text));
            let again = line.ends_with(" to die") && std::mem::replace(&mut reported, true);
            if wanted && !again && !lines.contains(&line) {
                lines.push(line);
            }
        }
        self.lines.extend(lines);
    }

    /// What the listener was told since the last shutdown began of those which nobody stops.
    fn last_events(&self) -> Vec<String> {
        let run = board::run(&self.daemon);
        let events = self.daemon.events("events");
        let begin = events
            .iter()
            .rposition(|event| event.name() == "SUPERVISOR_STATE_CHANGE_STOPPING")
            .unwrap_or_default();
        let last = events[begin..]
            .iter()
            .filter(|event| ["broken", "phoenix"].contains(&event.process()));
        let mut lines: Vec<_> = last.map(|event| run.text(&event.line())).collect();
        // Which is first is a race.
        lines.sort();
        lines
    }

    fn wait_all_running(&self, count: usize) {
        wait::until("all to run", || {
            let infos = self.daemon.call("getAllProcessInfo", json!([]));
            let running = infos.as_array().into_iter().flatten();
            match running
                .filter(|info| info["statename"] == "RUNNING")
                .count()
            {
                enough if enough >= count => Ok(()),
                _ => Err(infos),
            }
        });
        for name in HELD {
            self.daemon.wait_file(&format!("{name}.out"), "armed");
        }
    }
}

/// The name that follows `what` in a line.
fn name_after(line: &str, what: &str) -> Option<String> {
    let (_, rest) = line.split_once(what)?;
    let rest = rest.trim_start_matches('\'');
    Some(rest.split(['\'', ' ']).next()?.to_owned())
}

/// Every process but `idle` and `broken`, the listener included.
const UP: usize = 21;

fn order(flavour: Flavour) -> Vec<String> {
    let mut watched = Watched {
        daemon: Daemon::start(flavour, CONFIG),
        seen: 0,
        lines: Vec::new(),
    };
    watched.wait_all_running(UP);
    watched.note("autostart", &["spawned: "]);
    requests(&mut watched);
    restart(&mut watched);
    shutdown(&mut watched);
    watched.lines
}

/// `start` and `stop` go by ascending priority, of the group, then of the process.
fn requests(watched: &mut Watched) {
    for (method, params, what, count) in [
        ("stopProcessGroup", json!(["trio"]), "DEBG killing ", 3),
        ("startProcessGroup", json!(["trio"]), "spawned: ", 3),
        ("stopProcessGroup", json!(["many"]), "DEBG killing ", 11),
        ("startProcess", json!(["many:*"]), "spawned: ", 11),
    ] {
        watched.daemon.call(method, params);
        watched.wait(what, count);
        watched.note(method, &[what]);
    }
    waited_for(watched);
    // Of equals, the one added last is the last.
    watched.daemon.call("stopProcess", json!(["alpha"]));
    watched.daemon.call("removeProcessGroup", json!(["alpha"]));
    watched.daemon.call("addProcessGroup", json!(["alpha"]));
    watched.daemon.wait_state("alpha", "RUNNING");
    watched.note("alpha again", &[]);
    HELD.iter().for_each(|name| let_go(&watched.daemon, name));
    watched.daemon.call("stopAllProcesses", json!([]));
    watched.note("stopAllProcesses", &["DEBG killing "]);
    HELD.iter().for_each(|name| hold(&watched.daemon, name));
    watched.daemon.call("startAllProcesses", json!([false]));
    watched.wait_all_running(UP + 1);
    watched.note("startAllProcesses", &["spawned: "]);
}

/// A stop that somebody waits for is told in the log, again and again.
fn waited_for(watched: &mut Watched) {
    thread::scope(|scope| {
        scope.spawn(|| watched.daemon.call("stopProcess", json!(["late"])));
        watched.wait("INFO waiting for late to stop", 2);
        let_go(&watched.daemon, "late");
    });
    hold(&watched.daemon, "late");
    watched.note_lines(&["late"]);
    watched.daemon.call("startProcess", json!(["late"]));
    watched.daemon.wait_file("late.out", "armed");
    watched.note("late again", &["spawned: "]);
}

/// Programs that do not stop until they are let go: the first group to be stopped, and the last but the listener.
const HELD: [&str; 2] = ["late", "last"];

/// Lets one of them end; what it said is forgotten.
fn let_go(daemon: &Daemon, name: &str) {
    fs::write(daemon.path(&format!("{name}.go")), "").expect("the directory is writable");
    fs::remove_file(daemon.path(&format!("{name}.out"))).expect("it was started");
}

/// Makes it wait again.
fn hold(daemon: &Daemon, name: &str) {
    fs::remove_file(daemon.path(&format!("{name}.go"))).expect("it was let go");
}

/// HUP: by descending priority, one group after the other; then everything comes up again in the same process.
fn restart(watched: &mut Watched) {
    watched.daemon.signal(Signal::SIGPIPE);
    watched.daemon.signal(Signal::SIGUSR2);
    watched.wait("INFO supervisord logreopen", 1);
    watched.daemon.signal(Signal::SIGHUP);
    watched.wait(" to die", 1);
    watched.note_lines(&["received SIG", "logreopen", " to die"]);
    watched.wait("killing late", 1);
    watched.note(
        "restart, before the first group is down",
        &["DEBG killing "],
    );
    HELD.iter().for_each(|name| let_go(&watched.daemon, name));
    watched.wait("supervisord started with pid", 1);
    HELD.iter().for_each(|name| hold(&watched.daemon, name));
    watched.note("restart", &["DEBG killing "]);
}

/// TERM: nothing is started any more, what is in BACKOFF is given up without a word in the log; HUP is ignored,
/// and further requests to exit change nothing.
fn shutdown(watched: &mut Watched) {
    watched.daemon.wait_until_up();
    watched.wait_all_running(UP);
    watched.note("the second start", &["spawned: "]);
    watched.daemon.wait_state("broken", "BACKOFF");
    let phoenix = watched.daemon.process_pid("phoenix");
    watched.daemon.signal(Signal::SIGTERM);
    watched.wait("killing late", 1);
    kill(Pid::from_raw(phoenix), Signal::SIGKILL).expect("it lives");
    watched.wait("exited: phoenix", 1);
    watched.daemon.signal(Signal::SIGHUP);
    watched.wait("ignored SIGHUP", 1);
    watched.daemon.signal(Signal::SIGQUIT);
    watched.wait("received SIGQUIT", 1);
    watched.note_lines(&["received SIG", "ignored SIG", "exited: phoenix", " to die"]);
    watched.note(
        "shutdown, before the first group is down",
        &["DEBG killing "],
    );
    let_go(&watched.daemon, "late");
    wait::until("the listener to be told of both", || {
        let told = watched.last_events();
        let expected = [
            "PROCESS_STATE_EXITED processname:phoenix",
            "PROCESS_STATE_FATAL processname:broken",
        ];
        let all = expected
            .iter()
            .all(|start| told.iter().any(|line| line.starts_with(start)));
        if all { Ok(()) } else { Err(told) }
    });
    let_go(&watched.daemon, "last");
    let status = watched.daemon.wait_exit();
    watched.daemon.assert_nothing_left();
    watched.note_lines(&["gave up", "broken"]);
    watched.note("shutdown", &["DEBG killing ", "spawned: "]);
    watched
        .lines
        .push(format!("exit status {:?}", status.code()));
    watched.lines.extend(watched.last_events());
}

#[test]
fn the_order_of_starts_and_stops_agrees() {
    board::compare("order", order);
}

/// A request to exit turns a restart into a shutdown.
fn overtaken(flavour: Flavour) -> Vec<String> {
    let held = CONFIG.find("[program:last]").expect("it is there");
    let mut watched = Watched {
        daemon: Daemon::start(flavour, &CONFIG[held..]),
        seen: 0,
        lines: Vec::new(),
    };
    watched.wait_all_running(3);
    watched.daemon.signal(Signal::SIGHUP);
    watched.wait("killing late", 1);
    watched.daemon.signal(Signal::SIGINT);
    watched.wait("received SIGINT", 1);
    HELD.iter().for_each(|name| let_go(&watched.daemon, name));
    let status = watched.daemon.wait_exit();
    watched.daemon.assert_nothing_left();
    watched.note_lines(&["received SIG", " to die", "started with"]);
    watched
        .lines
        .push(format!("exit status {:?}", status.code()));
    watched.lines
}

#[test]
fn an_exit_request_during_a_restart_agrees() {
    board::compare("overtaken", overtaken);
}
