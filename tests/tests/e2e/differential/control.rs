//! supervisorctl: every command, in all four pairings of daemon and tool.

use callboard_tests::Flavour;
use callboard_tests::scenario::{Scenario, Session, compare_with};

use super::settle;

const CONFIG: &str = "\
[program:run]
command=sh -c 'echo hello; exec sleep 1000'
startsecs=0
stdout_logfile=%(here)s/run.out
[program:idle]
command=sleep 1000
autostart=false
startsecs=0
[program:gone]
command=/nonexistent/command
autostart=false
startretries=0
[program:crash]
command=sh -c 'sleep 0.3; exit 1'
autostart=false
startretries=0
[program:pair]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
autostart=false
";

const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["status", "run"],
    &["status", "idle", "run", "nobody"],
    &["status", "pair:*"],
    &["status", "zz:*"],
    &["start"],
    &["start", "run"],
    &["start", "idle"],
    &["start", "gone"],
    &["start", "crash"],
    &["start", "nobody"],
    &["start", "pair:*"],
    &["start", "zz:*"],
    &["stop"],
    &["stop", "idle"],
    &["stop", "idle"],
    &["stop", "nobody"],
    &["stop", "pair:*"],
    &["stop", "pair:*"],
    &["stop", "zz:*"],
    &["restart"],
    &["restart", "idle"],
    &["restart", "run", "nobody"],
    &["signal"],
    &["signal", "HUP"],
    &["signal", "WINCH", "run"],
    &["signal", "WAT", "run"],
    &["signal", "WINCH", "nobody"],
    &["signal", "WINCH", "gone"],
    &["signal", "WINCH", "pair:*"],
    &["signal", "WINCH", "all"],
    &["tail", "run"],
    &["tail", "-3", "run"],
    &["tail", "run", "stderr"],
    &["tail", "run", "STDOUT"],
    &["tail", "run", "foo"],
    &["tail", "nobody"],
    &["tail", "-x", "run"],
    &["tail"],
    &["tail", "a", "b", "c", "d"],
    &["maintail", "-x"],
    &["maintail", "a", "b"],
    &["pid", "nobody"],
    &["pid", "gone"],
    &["clear"],
    &["clear", "run"],
    &["clear", "nobody"],
    &["clear", "all"],
    &["avail"],
    &["avail", "extra"],
    &["reread"],
    &["reread", "extra"],
    &["update"],
    &["update", "nobody"],
    &["add"],
    &["add", "run"],
    &["add", "nobody"],
    &["remove", "run"],
    &["remove", "nobody"],
    &["fg"],
    &["fg", "a", "b"],
    &["fg", "nobody"],
    &["fg", "gone"],
    &["shutdown", "extra"],
    &["reload", "extra"],
    &["open", "ftp://x"],
    &["help"],
    &["help", "nothing"],
    &["nothing"],
    &["status run"],
    &["-z"],
    &["-s", "foo", "status"],
    &["-s", "unix:///nonexistent/s.sock", "status"],
    &["-s", "unix:///nonexistent/s.sock", "start", "run"],
    &["-s", "http://127.0.0.1:1", "status"],
    &["-s", "http://127.0.0.1:1", "stop", "run"],
    &["-s", "http://127.0.0.1:1", "shutdown"],
    &["-s", "unix:///nonexistent/s.sock", "shutdown"],
    &["start", "all"],
    &["stop", "all"],
    &["restart", "pair:*", "idle"],
    &["shutdown"],
];

fn every_command(session: &mut Session) {
    settle(session, &[("run", "RUNNING")]);
    session.daemon.wait_file("run.out", "hello\n");
    for words in COMMANDS {
        if words.ends_with(&["stop", "all"]) {
            // Until its back-off is over it counts as running.
            session.daemon.wait_state("crash", "FATAL");
        }
        session.ctl(words);
    }
    let status = session.daemon.wait_exit();
    session.note(&format!("daemon: {:?}", status.code()));
}

const fn control(name: &'static str) -> Scenario {
    Scenario {
        name,
        config: CONFIG,
        steps: every_command,
    }
}

#[test]
fn the_original_tool_works_with_our_daemon() {
    compare_with(
        &control("control: our daemon, original tool"),
        Flavour::under_test(),
        Flavour::Original,
    );
}

#[test]
fn our_tool_works_with_the_original_daemon() {
    compare_with(
        &control("control: original daemon, our tool"),
        Flavour::Original,
        Flavour::under_test(),
    );
}

#[test]
fn our_tool_works_with_our_daemon() {
    compare_with(
        &control("control: our daemon and tool"),
        Flavour::under_test(),
        Flavour::under_test(),
    );
}

const SHELL: &str = "\
version
avail
foo
help
start idle
stop run
status run
restart
tail run
signal WINCH idle
shutdown
n
quit
status
";

/// The shell with its input from a pipe.
fn shell(session: &mut Session) {
    settle(session, &[("run", "RUNNING")]);
    session.daemon.wait_file("run.out", "hello\n");
    session.shell(SHELL);
    session.shell("status run");
    session.shell("shutdown\ny\n");
    session.daemon.wait_exit();
}

const fn shell_scenario(name: &'static str) -> Scenario {
    Scenario {
        name,
        config: CONFIG,
        steps: shell,
    }
}

#[test]
fn the_shell_agrees() {
    let scenario = shell_scenario("shell: original daemon, our tool");
    compare_with(&scenario, Flavour::Original, Flavour::under_test());
    let scenario = shell_scenario("shell: our daemon and tool");
    compare_with(&scenario, Flavour::under_test(), Flavour::under_test());
}
