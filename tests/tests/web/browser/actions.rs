//! Every action, on one program, a group and all of them.

use std::fs;

use callboard_tests::browser::{Browser, Look, Tab};
use callboard_tests::{Daemon, wait};

use super::{assert_content, live, row, start, wait_state};

const CONFIG: &str = "\
[group:g]
programs=one,two
[program:one]
command=sh -c 'trap \"echo usr1\" USR1; echo begun; while :; do sleep 0.05; done'
startsecs=0
stopasgroup=true
stdout_logfile=%(here)s/one.out
[program:two]
command=sh -c 'trap \"echo usr1\" USR1; echo begun; while :; do sleep 0.05; done'
startsecs=0
stopasgroup=true
stdout_logfile=%(here)s/two.out
[program:lost]
command=/nowhere/at/all
autostart=false
";

const BOTH: [&str; 2] = ["g:one", "g:two"];

const FILES: [&str; 2] = ["one.out", "two.out"];

const YES: &str = "dialog button[value=yes]";

fn wait_empty(daemon: &Daemon, file: &str) {
    wait::until(&format!("{file} to be empty"), || match daemon.read(file) {
        text if text.is_empty() => Ok(()),
        text => Err(text),
    });
}

/// Chooses USR1 in the dialog about signals and sends it.
fn send_usr1(tab: &Tab<'_>) {
    tab.click("dialog input[value=USR1]");
    tab.click(YES);
}

#[test]
fn one_program_is_acted_upon() {
    let daemon = start(CONFIG);
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "g:one", "running");
    daemon.wait_file("one.out", "begun");
    let in_row = |what: &str| format!("{} [data-do={what}]", row("g:one"));

    tab.click(&in_row("toggle"));
    tab.wait_text("dialog", "stays stopped until somebody starts it");
    tab.click("dialog button[value='']");
    assert_eq!(daemon.state("g:one"), "RUNNING", "it was only asked about");
    tab.click(&in_row("toggle"));
    tab.click(YES);
    wait_state(&tab, "g:one", "stopped");
    daemon.wait_state("g:one", "STOPPED");
    tab.wait(
        "Start to be where Stop was",
        "!!document.querySelector('[aria-label=\"Start g:one\"]')",
    );
    tab.wait_text(".messages", "g:one: stopped.");
    tab.click(".message button:not(.quiet)");
    daemon.wait_state("g:one", "RUNNING");
    wait_state(&tab, "g:one", "running");

    let pid = daemon.process_pid("g:one");
    tab.click(&in_row("restart"));
    tab.click(YES);
    tab.wait_text(".messages", "g:one: restarted.");
    assert_ne!(daemon.process_pid("g:one"), pid);

    tab.click(&format!("{} .open", row("g:one")));
    tab.click(".detail [data-do=signal]");
    send_usr1(&tab);
    daemon.wait_file("one.out", "usr1");
    tab.wait_text(".messages", "g:one: signalled with SIGUSR1.");
    tab.click(".detail [data-do=clear-logs]");
    tab.wait_text("dialog", "gone for good");
    tab.click(YES);
    tab.wait_text(".messages", "g:one: logs cleared.");
    wait_empty(&daemon, "one.out");
    tab.click(".detail [data-do=toggle]");
    tab.click(YES);
    daemon.wait_state("g:one", "STOPPED");
    tab.click(".detail [data-do=toggle]");
    daemon.wait_state("g:one", "RUNNING");
    assert_content(&tab);
}

#[test]
fn refusals_are_told() {
    let daemon = start(CONFIG);
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    tab.click(&format!("{} [data-do=toggle]", row("lost:lost")));
    tab.wait_text(".message.bad", "lost could not be started: ");
    tab.click(".message.bad button.quiet");
    tab.wait("it to be put away", "!document.querySelector('.message')");
    assert_content(&tab);
}

/// Each action, begun with a button in `place`, on both programs of the group.
fn act_on_several(daemon: &Daemon, tab: &Tab<'_>, place: &str) {
    let button = |what: &str| format!("{place} [data-do={what}]");
    let both = |state: &str| BOTH.iter().for_each(|name| daemon.wait_state(name, state));
    let in_logs = |text: &str| FILES.iter().for_each(|file| daemon.wait_file(file, text));
    both("RUNNING");
    in_logs("begun");
    tab.click(&button("signal"));
    send_usr1(tab);
    in_logs("usr1");
    tab.click(&button("clear-logs"));
    tab.click(YES);
    FILES.iter().for_each(|file| wait_empty(daemon, file));
    tab.click(&button("stop"));
    tab.wait_text("dialog .names", "g:two");
    tab.click(YES);
    both("STOPPED");
    wait_state(tab, "g:two", "stopped");
    tab.click(&button("start"));
    tab.click(YES);
    both("RUNNING");
    wait_state(tab, "g:two", "running");
    let pids = BOTH.map(|name| daemon.process_pid(name));
    tab.click(&button("restart"));
    tab.click(YES);
    wait::until("both to be others", || {
        let now = BOTH.map(|name| daemon.process_pid(name));
        let is_done = now
            .iter()
            .zip(&pids)
            .all(|(now, before)| now != before && *now > 0);
        if is_done { Ok(()) } else { Err(now) }
    });
}

#[test]
fn groups_are_acted_upon() {
    let daemon = start(CONFIG);
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    act_on_several(&daemon, &tab, ".group[data-group=g] .group-do");
    tab.click(".group[data-group=g] .fold");
    tab.wait(
        "it to be folded",
        "document.querySelector('.group[data-group=g] .rows').hidden",
    );
    assert_content(&tab);
}

#[test]
fn all_are_acted_upon() {
    let daemon = start(CONFIG);
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    act_on_several(&daemon, &tab, ".all-do");
    tab.wait_text(".message.bad", "lost:lost");
    assert_content(&tab);
}

/// Starts again what the last message says was stopped.
fn start_again(tab: &Tab<'_>, whom: &str) {
    tab.wait_text(".messages", &format!("{whom}: stopped."));
    tab.click(".message button:not(.quiet)");
    tab.wait_text(".messages", &format!("{whom}: started."));
}

#[test]
fn only_what_was_stopped_is_started_again() {
    let daemon = start(
        "[group:g]\nprograms=run,manual\n\
         [program:run]\ncommand=sleep 1000\nstartsecs=0\n\
         [program:manual]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n\
         [program:once]\ncommand=sh -c 'echo ran >> %(here)s/runs'\nstartsecs=0\nautorestart=false\n",
    );
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "once:once", "exited");
    for (place, whom) in [
        (".group[data-group=g] .group-do", "Group g"),
        (".all-do", "All programs"),
    ] {
        wait_state(&tab, "g:run", "running");
        tab.click(&format!("{place} [data-do=stop]"));
        tab.click(YES);
        daemon.wait_state("g:run", "STOPPED");
        start_again(&tab, whom);
        daemon.wait_state("g:run", "RUNNING");
        assert_eq!(daemon.state("g:manual"), "STOPPED", "{whom}");
        assert_eq!(daemon.state("once"), "EXITED", "{whom}");
        assert_eq!(daemon.read("runs"), "ran\n", "{whom}");
    }
    assert_content(&tab);
}

#[test]
fn a_program_with_a_star_is_one_program() {
    let daemon = start("[program:star*]\ncommand=sleep 1000\nstartsecs=0\n");
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "star*:star*", "running");
    tab.click(&format!("{} [data-do=toggle]", row("star*:star*")));
    tab.wait_text("dialog h2", "Stop star*?");
    tab.wait_text("dialog", "It is sent its stop signal");
    tab.click(YES);
    start_again(&tab, "star*");
    daemon.wait_state("star*:star*", "RUNNING");
    assert_content(&tab);
}

#[test]
fn logs_that_cannot_be_cleared_are_told_of() {
    let daemon = start(CONFIG);
    daemon.wait_file("one.out", "begun");
    daemon.wait_file("two.out", "begun");
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    let log = daemon.path("one.out");
    fs::remove_file(&log).expect("the log is there");
    fs::create_dir_all(log.join("not empty")).expect("a folder in its place");
    tab.click(&format!("{} .open", row("g:one")));
    tab.click(".detail [data-do=clear-logs]");
    tab.click(YES);
    tab.wait_text(".message.bad", "The logs of g:one could not be cleared: ");
    // One that cannot does not keep the others from it.
    tab.click(".group[data-group=g] [data-do=clear-logs]");
    tab.click(YES);
    wait_empty(&daemon, "two.out");
    tab.wait_text(".messages", "Group g: 1 program failed: g:one");
    assert_content(&tab);
}
