//! `programs_on_death=keep`: programs do not notice that their daemon has died.

use std::fs;
use std::thread;

use callboard_tests::{Daemon, procfs, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{begin_gap, kill_daemon, send, start, supervisord, wait_end};

fn count(daemon: &Daemon, text: &str) -> usize {
    daemon.log().matches(text).count()
}

/// All there is to know of all processes but what changes by itself.
fn infos(daemon: &Daemon) -> Value {
    let mut infos = daemon.call("getAllProcessInfo", json!([]));
    for info in infos.as_array_mut().expect("an array") {
        for changing in ["now", "description"] {
            info[changing] = json!(null);
        }
    }
    infos
}

#[test]
fn programs_stay_what_they_are() {
    let daemon = start(
        "keep",
        "[program:a]\ncommand=sleep 1000\nstartsecs=0\n\
         [program:never]\ncommand=sleep 1000\nautostart=false\n\
         [program:ended]\ncommand=sh -c 'exit 3'\nstartsecs=0\nautorestart=false\n\
         [program:fatal]\ncommand=/no/such\nstartretries=0\n\
         [program:stopped]\ncommand=sleep 1000\nstartsecs=0\n\
         [group:g]\nprograms=x,y\n[program:x]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=AUTO\n\
         [program:y]\ncommand=cat\nstartsecs=0\n",
    );
    daemon.wait_state("a", "RUNNING");
    daemon.wait_state("g:y", "RUNNING");
    daemon.wait_state("ended", "EXITED");
    daemon.wait_state("fatal", "FATAL");
    daemon.wait_state("stopped", "RUNNING");
    daemon.call("stopProcess", json!(["stopped"]));
    let before = infos(&daemon);
    let configs = daemon.call("getAllConfigInfo", json!([]));
    for _ in 0..2 {
        let pid = kill_daemon(&daemon);
        assert_eq!(infos(&daemon), before);
        assert_eq!(daemon.call("getAllConfigInfo", json!([])), configs);
        assert_eq!(daemon.read("supervisord.pid"), format!("{pid}\n"));
        assert_eq!(procfs::row(pid).map(|row| row.parent), Some(daemon.pid()));
    }
    let told = "was killed (terminated by SIGKILL): 3 programs go on, 0 have ended meanwhile";
    assert_eq!(count(&daemon, told), 2, "{}", daemon.log());
    // Everything that can be done with programs can be done with these.
    daemon.call("sendProcessStdin", json!(["g:y", "hello\n"]));
    wait::until_true("the answer", || {
        let text = daemon.call("readProcessStdoutLog", json!(["g:y", 0, 0]));
        (text == "hello\n", text)
    });
    assert_eq!(daemon.call("startProcess", json!(["never"])), true);
    assert_eq!(daemon.call("startProcess", json!(["stopped"])), true);
    assert_eq!(daemon.call("stopProcess", json!(["a"])), true);
    let environment = procfs::environment(daemon.process_pid("never"));
    let ours = environment
        .keys()
        .find(|name| name.starts_with("CALLBOARD_K"));
    assert_eq!(ours, None);
}

#[test]
fn an_end_in_the_absence_of_the_daemon_is_noticed() {
    let daemon = start(
        "keep",
        "[program:seven]\ncommand=sh -c 'read line; exit 7'\nstartsecs=0\nautorestart=false\n\
         [program:killed]\ncommand=sleep 1000\nstartsecs=0\nautorestart=false\n\
         [program:again]\ncommand=sleep 1000\nstartsecs=0\nautorestart=true\n\
         [program:quick]\ncommand=sleep 1000\nstartsecs=2\nstartretries=0\nautostart=false\n",
    );
    for name in ["seven", "killed", "again"] {
        daemon.wait_state(name, "RUNNING");
    }
    daemon.call("startProcess", json!(["quick", false]));
    let pids = ["seven", "killed", "again", "quick"].map(|name| daemon.process_pid(name));
    let gap = begin_gap(&daemon);
    let line = fs::read_link(format!("/proc/{}/fd/0", pids[0]));
    assert!(line.is_ok(), "its input is open");
    send(pids[0], Signal::SIGTERM);
    send(pids[1], Signal::SIGKILL);
    send(pids[2], Signal::SIGTERM);
    send(pids[3], Signal::SIGTERM);
    pids.into_iter().for_each(wait_end);
    gap.end(&daemon);
    daemon.wait_log("0 programs go on, 4 have ended meanwhile");
    daemon.wait_state("seven", "EXITED");
    daemon.wait_state("killed", "EXITED");
    daemon.wait_state("again", "RUNNING");
    daemon.wait_state("quick", "FATAL");
    daemon.wait_log("exited: killed (terminated by SIGKILL; not expected)");
    daemon.wait_log("exited: seven (terminated by SIGTERM; not expected)");
    daemon.wait_log("exited: quick (terminated by SIGTERM; not expected)");
    assert_ne!(daemon.process_pid("again"), pids[2]);
    assert_eq!(procfs::zombies_of(daemon.pid()), []);
    assert_eq!(procfs::zombies_of(supervisord(&daemon)), []);
    // And those that end later, of a daemon that is not their parent.
    let pid = kill_daemon(&daemon);
    let again = daemon.process_pid("again");
    send(again, Signal::SIGTERM);
    wait::until_true("another one", || {
        let now = daemon.process_pid("again");
        (now != again && now != 0, now)
    });
    let parent = procfs::row(daemon.process_pid("again")).map(|row| row.parent);
    assert_eq!(parent, Some(pid));
}

#[test]
fn timers_go_on() {
    let daemon = start(
        "keep",
        "[program:slow]\ncommand=sleep 1000\nstartsecs=3\n\
         [program:deaf]\ncommand=sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.1; done'\nstartsecs=0\n\
         stopwaitsecs=2\n\
         [program:failing]\ncommand=false\nstartretries=2\n",
    );
    wait::until_true("the deaf program to be up", || {
        let text = daemon.call("readProcessStdoutLog", json!(["deaf", 0, 0]));
        (text == "up\n", text)
    });
    daemon.call("stopProcess", json!(["deaf", false]));
    daemon.wait_state("failing", "BACKOFF");
    kill_daemon(&daemon);
    assert_eq!(daemon.state("slow"), "STARTING");
    assert_eq!(daemon.state("deaf"), "STOPPING");
    daemon.wait_state("deaf", "STOPPED");
    daemon.wait_log("killing 'deaf'");
    daemon.wait_state("slow", "RUNNING");
    daemon.wait_state("failing", "FATAL");
    assert_eq!(count(&daemon, "spawned: 'failing'"), 3, "{}", daemon.log());
    assert_eq!(count(&daemon, "spawned: 'slow'"), 1);
}

#[test]
fn clients_wait_while_there_is_no_daemon() {
    let daemon = start("keep", "[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    let gap = begin_gap(&daemon);
    thread::scope(|scope| {
        let client = scope.spawn(|| daemon.ctl(&["status"]));
        wait::until_true("the client to be started", || {
            let rows = daemon.processes();
            (rows.iter().any(|row| row.name == "supervisorctl"), rows)
        });
        gap.end(&daemon);
        let output = client.join().expect("it does not panic");
        assert_eq!(output.code, 0, "{output:?}");
        assert!(output.stdout.starts_with("a "), "{output:?}");
    });
}

#[test]
fn groups_are_known_that_came_changed_and_went() {
    let section =
        |name: &str, command: &str| format!("[program:{name}]\ncommand={command}\nstartsecs=0\n");
    let mode = "[supervisord]\nprograms_on_death=keep\n";
    let daemon = start(
        "keep",
        &(section("a", "sleep 1000") + &section("gone", "sleep 1000")),
    );
    daemon.wait_state("gone", "RUNNING");
    daemon.write_config(&(section("a", "sleep 2000") + &section("new", "sleep 1000") + mode));
    let changes = json!([[["new"], ["a"], ["gone"]]]);
    assert_eq!(daemon.call("reloadConfig", json!([])), changes);
    daemon.call("stopProcess", json!(["gone"]));
    daemon.call("removeProcessGroup", json!(["gone"]));
    daemon.call("addProcessGroup", json!(["new"]));
    daemon.wait_state("new", "RUNNING");
    kill_daemon(&daemon);
    let infos = daemon.call("getAllProcessInfo", json!([]));
    let names: Vec<_> = infos
        .as_array()
        .into_iter()
        .flatten()
        .map(|info| &info["name"])
        .collect();
    assert_eq!(names, ["a", "new"]);
    // As it was before the configuration was read again.
    daemon.call("stopProcess", json!(["a"]));
    daemon.call("startProcess", json!(["a"]));
    let pid = daemon.process_pid("a");
    wait::until_true("the program to be executed", || {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        (command == "sleep\x001000\x00", command)
    });
    assert_eq!(
        daemon.call("reloadConfig", json!([])),
        json!([[[], ["a"], []]])
    );
}

#[test]
fn programs_that_had_not_had_their_turn_have_it() {
    let many = "[program:p]\ncommand=sleep 1000\nstartsecs=0\nnumprocs=60\nprocess_name=p%(process_num)d\n";
    let mut daemon = Daemon::prepare(
        callboard_tests::Flavour::Ours,
        &crate::support::with_mode("keep", many),
    );
    daemon.launch(&[]);
    daemon.wait_until_up();
    kill_daemon(&daemon);
    wait::until_true("all to run", || {
        let infos = daemon.call("getAllProcessInfo", json!([]));
        let running = infos.as_array().into_iter().flatten();
        let running = running
            .filter(|info| info["statename"] == "RUNNING")
            .count();
        (running == 60, running)
    });
    let sleepers = daemon
        .processes()
        .into_iter()
        .filter(|row| row.name == "sleep")
        .count();
    assert_eq!(sleepers, 60, "no second copies");
}
