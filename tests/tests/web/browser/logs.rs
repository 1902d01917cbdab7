//! Logs in the page: they follow, and can be searched, paused, wrapped and cleared.

use std::fs;

use callboard_tests::browser::{Browser, Look, Tab};
use callboard_tests::{Daemon, wait};
use serde_json::json;

use crate::client::post;

use super::{assert_content, live, row, start, wait_state};

const CONFIG: &str = "\
[program:talk]
command=sh -c 'while read -r line; do echo \"$line\"; echo \"err $line\" >&2; done'
startsecs=0
";

#[test]
fn a_log_is_followed() {
    let daemon = start(CONFIG);
    daemon.wait_state("talk", "RUNNING");
    let say = |text: &str| daemon.call("sendProcessStdin", json!(["talk", format!("{text}\n")]));
    say("early");
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "talk:talk", "running");
    tab.click(&format!("{} [data-do=log]", row("talk:talk")));
    let lines = ".detail .lines";
    tab.wait_text(lines, "early");
    say("late");
    tab.wait_text(lines, "late");

    // Numbers and coloured text are text.
    say("4711");
    say("\u{1b}[31mred\u{1b}[0m");
    tab.wait_text(lines, "4711\nred");

    tab.click(".log-bar button[aria-pressed=false]");
    tab.wait_text(".log-note", "Paused");
    say("meanwhile");
    tab.wait_text(".log-note", "1 new line");
    assert!(!tab.text(lines).contains("meanwhile"));
    tab.click(".log-bar button[aria-pressed=true]");
    tab.wait_text(lines, "meanwhile");

    tab.click(".log-bar input");
    tab.type_text("AT");
    tab.wait_text(".log-note", "1 of 5 lines");
    assert_eq!(tab.text(lines), "late");
    assert_eq!(tab.text(&format!("{lines} mark")), "at");
    say("bath");
    tab.wait_text(lines, "late\nbath");
    tab.press("Escape");
    tab.wait_text(lines, "meanwhile");

    daemon.call("clearProcessLogs", json!(["talk"]));
    tab.wait_text(lines, "the file was emptied");
    tab.value("[...document.querySelectorAll('.log-bar button')].find((node) => node.textContent === 'Clear view').id = 'clear'");
    tab.click("#clear");
    tab.wait(
        "nothing",
        "document.querySelectorAll('.detail .line').length === 0",
    );
    say("again");
    tab.wait_text(lines, "again");
    tab.click(".detail a[data-tab=stderr]");
    tab.wait_text(lines, "err again");
    assert_content(&tab);
}

#[test]
fn long_logs_stay_at_their_end_and_wrap_as_wished() {
    let daemon = start(
        "[program:talk]\ncommand=sh -c 'seq 5000; head -c 3000 /dev/zero | tr \"\\\\0\" x; echo; echo last; exec sleep 1000'\nstartsecs=0\n",
    );
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "talk:talk", "running");
    tab.click(&format!("{} [data-do=log]", row("talk:talk")));
    tab.wait(
        "the end to be in sight",
        "(() => {
            const lines = document.querySelector('.detail .lines');
            return lines?.lastElementChild?.textContent === 'last'
                && lines.scrollHeight - lines.scrollTop - lines.clientHeight < 2;
        })()",
    );
    let kept = tab.value("document.querySelectorAll('.detail .line').length");
    assert!(kept.as_u64().is_some_and(|count| count <= 3000), "{kept}");
    let is_wide = "(() => {
        const lines = document.querySelector('.detail .lines');
        return lines.scrollWidth > lines.clientWidth;
    })()";
    assert_eq!(tab.value(is_wide), false);
    tab.value("[...document.querySelectorAll('.log-bar button')].find((node) => node.textContent === 'Wrap').id = 'wrap'");
    tab.click("#wrap");
    tab.wait("lines as long as they are", is_wide);
    assert_content(&tab);
}

/// A page that shows the log of a `cat`, which says what it is told.
fn listen<'a>(browser: &'a Browser, daemon: &Daemon) -> Tab<'a> {
    daemon.wait_state("talk", "RUNNING");
    let tab = live(browser, daemon, Look::DESKTOP);
    wait_state(&tab, "talk:talk", "running");
    tab.click(&format!("{} [data-do=log]", row("talk:talk")));
    tab
}

fn lines(tab: &Tab<'_>) -> Vec<String> {
    let lines = tab
        .value("[...document.querySelectorAll('.detail .line')].map((line) => line.textContent)");
    serde_json::from_value(lines).expect("they are texts")
}

fn wait_lines(tab: &Tab<'_>, expected: &[&str]) {
    wait::until(&format!("{expected:?}"), || match lines(tab) {
        seen if seen == expected => Ok(()),
        seen => Err(seen),
    });
}

#[test]
fn lines_are_shown_as_a_terminal_would() {
    let daemon = start("[program:talk]\ncommand=cat\nstartsecs=0\n");
    // XML would make newlines of carriage returns.
    let say = |text: &str| {
        let answer = post(
            &daemon,
            "/api/v1/processes/talk/stdin",
            &json!({"chars": text}),
        );
        assert_eq!(answer.0, 200);
    };
    let browser = Browser::start();
    let tab = listen(&browser, &daemon);
    say("line one\nName? ");
    wait_lines(&tab, &["line one", "Name? "]);
    say("Zo");
    wait_lines(&tab, &["line one", "Name? Zo"]);
    say("\u{eb}\n 10 %\r");
    wait_lines(&tab, &["line one", "Name? Zo\u{eb}", " 10 %"]);
    for percent in (15..100).step_by(5) {
        say(&format!(" {percent} %\r"));
    }
    wait_lines(&tab, &["line one", "Name? Zo\u{eb}", " 95 %"]);
    say("\u{1b}[2Kdone\n");
    say(
        "\u{1b}]8;;http://example.org/\u{1b}\\link\u{1b}]8;;\u{1b}\\ \u{1b}(B\u{1b}[1;31mred\u{1b}[m\u{1b}=\u{7}\n",
    );
    say("\u{1b}]0;title\u{7}ab\u{8}c\n");
    let all = ["line one", "Name? Zo\u{eb}", "done", "link red", "ac"];
    wait_lines(&tab, &all);

    // What is there of a line is there for those who come later as well, and can be found.
    say("half");
    tab.click(".detail a[data-tab=overview]");
    tab.click(".detail a[data-tab=stdout]");
    wait_lines(&tab, &[&all[..], &["half"]].concat());
    tab.click(".log-bar input");
    tab.type_text("alf");
    tab.wait_text(".log-note", "1 of 6 lines");
    daemon.call("clearProcessLogs", json!(["talk"]));
    tab.wait_text(".log-note", "0 of 6 lines");
    assert_content(&tab);
}

#[test]
fn what_is_paused_stays() {
    let daemon = start("[program:talk]\ncommand=cat\nstartsecs=0\n");
    let say = |text: &str| daemon.call("sendProcessStdin", json!(["talk", text]));
    let browser = Browser::start();
    let tab = listen(&browser, &daemon);
    say("one\ntwo\n");
    wait_lines(&tab, &["one", "two"]);
    tab.click(".log-bar button[aria-pressed=false]");
    tab.wait_text(".log-note", "Paused");

    // Out of sight for so long that it lets go of its connection.
    tab.value(
        "{
            const real = setTimeout;
            window.setTimeout = (job, pause, ...rest) => real(job, pause === 5000 ? 0 : pause, ...rest);
            window.see = (state) => {
                Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
            };
        }
        see('hidden')",
    );
    tab.wait(
        "it to sleep",
        "!!document.querySelector('.link[data-link=asleep]')",
    );
    say("three\n");
    tab.value("see('visible')");
    tab.wait_text(".log-note", "Paused; the connection was another one");
    assert_eq!(lines(&tab), ["one", "two"]);
    tab.click(".log-bar button[aria-pressed=true]");
    wait_lines(&tab, &["one", "two", "three"]);
    say("four\n");
    wait_lines(&tab, &["one", "two", "three", "four"]);
    assert_content(&tab);
}

#[test]
fn logs_that_are_not_there_are_told_of() {
    let daemon = start(
        "[program:talk]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/talk.out\nstderr_logfile=NONE\n",
    );
    let browser = Browser::start();
    let file = daemon.path("talk.out");
    daemon.wait_state("talk", "RUNNING");
    fs::remove_file(&file).expect("the log is there");
    let tab = listen(&browser, &daemon);
    tab.wait_text(".log-note", "This log cannot be read: NO_FILE");
    tab.wait(
        "events all the same",
        "!!document.querySelector('.link[data-link=open]')",
    );
    fs::write(&file, "back\n").expect("it can be made");
    wait_lines(&tab, &["back"]);
    tab.wait(
        "nothing to complain about",
        "document.querySelector('.log-note').textContent === ''",
    );
    tab.click(".detail a[data-tab=stderr]");
    tab.wait_text(".detail-content", "stderr_logfile is NONE");
    assert_content(&tab);
}

/// Counts what is drawn at once.
const COUNT_BATCHES: &str = "
    window.largest = 0;
    new MutationObserver((records) => {
        const added = records.reduce((sum, record) => sum + record.addedNodes.length, 0);
        window.largest = Math.max(window.largest, added);
    }).observe(document.querySelector('.detail .lines'), { childList: true });
    0";

#[test]
fn floods_are_drawn_bit_by_bit_and_what_is_left_out_is_told() {
    let daemon = start(
        "[program:talk]\ncommand=sh -c 'read -r go; seq 60000; exec sleep 1000'\nstartsecs=0\nstdout_logfile_maxbytes=0\n",
    );
    let browser = Browser::start();
    let tab = listen(&browser, &daemon);
    tab.wait("the log", "!!document.querySelector('.detail .lines')");
    tab.value(COUNT_BATCHES);
    tab.click(".log-bar button[aria-pressed=false]");
    daemon.call("sendProcessStdin", json!(["talk", "go\n"]));
    tab.wait_text(".log-note", "Paused; 60,000 new lines");
    tab.click(".log-bar button[aria-pressed=true]");
    wait::until_true("the last line", || {
        let last = lines(&tab).last().cloned();
        (last.as_deref() == Some("60000"), last)
    });
    let lines = lines(&tab);
    let left_out = "――― 57,002 lines left out here ―――";
    assert_eq!((lines.len(), lines[0].as_str()), (2999, left_out));
    assert!(
        lines[1..]
            .iter()
            .zip(57_003..)
            .all(|(line, number)| *line == number.to_string())
    );
    let largest = tab.value("window.largest");
    assert!(
        largest.as_u64().is_some_and(|count| count <= 302),
        "{largest}"
    );
    assert_content(&tab);
}
