//! Many windows at once: browsers have six connections for all of them.

use callboard_tests::browser::{Browser, Look, Tab};
use serde_json::json;

use super::{assert_content, row, start, url, wait_state};

const CONFIG: &str = "[program:talk]\ncommand=sh -c 'echo hello; exec sleep 1000'\nstartsecs=0\n";

/// How long windows listen to each other, in milliseconds.
const HEARING: u32 = 150;

fn wait_link(tab: &Tab<'_>, state: &str) {
    let link = format!("!!document.querySelector('.link[data-link={state}]')");
    tab.wait(&format!("the link to be {state}"), &link);
}

fn turn_to(tab: &Tab<'_>) {
    tab.call("Page.bringToFront", json!({}));
    // Windows that nobody sees have no focus to be lost and won.
    tab.value("window.dispatchEvent(new Event('focus'))");
}

/// More than there are connections, each with a log. Those used last are told what happens as it happens.
#[test]
fn six_windows_that_follow_logs_leave_connections_for_requests() {
    let daemon = start(CONFIG);
    daemon.wait_state("talk", "RUNNING");
    let browser = Browser::start();
    let tabs: Vec<Tab<'_>> = (0..6)
        .map(|_| {
            let tab = browser.tab(Look::DESKTOP);
            tab.go(&url(&daemon, "#/process/talk%3Atalk/stdout"));
            wait_link(&tab, "open");
            tab.wait_text(".detail .lines", "hello");
            tab
        })
        .collect();
    let [first, second, third, .., last] = tabs.as_slice() else {
        panic!("there are six");
    };
    for tab in [first, second] {
        wait_link(tab, "crowded");
        tab.wait_text(".log-note", "4 other windows");
    }
    last.click(&format!("{} [data-do=toggle]", row("talk:talk")));
    last.click("dialog button[value=yes]");
    last.wait_text(".messages", "talk: stopped.");
    for tab in &tabs {
        wait_state(tab, "talk:talk", "stopped");
    }

    // Who turns to a window has it told again, also if the others are too busy to answer in time; who goes away leaves
    // a place.
    shorten(first, HEARING, 0);
    turn_to(first);
    wait_link(first, "open");
    wait_link(third, "crowded");
    last.go(&url(&daemon, "ok.html"));
    turn_to(second);
    wait_link(second, "open");
    second.wait_text(".detail .lines", "hello");
    tabs[..5].iter().for_each(assert_content);
}

/// Makes a time that the page would wait for, in milliseconds, another one, so that nobody has to.
fn shorten(tab: &Tab<'_>, time: u32, short: u32) {
    tab.value(&format!(
        "{{
            const real = setTimeout;
            window.setTimeout = (job, pause, ...rest) => real(job, pause === {time} ? {short} : pause, ...rest);
        }}"
    ));
}

/// Requests of this kind are never answered.
fn silence(tab: &Tab<'_>, which: &str) {
    tab.value(&format!(
        "{{
            const real = fetch;
            window.fetch = (url, options) => ({which} ? new Promise((_, reject) => {{
                options.signal.addEventListener('abort', () => reject(options.signal.reason));
            }}) : real(url, options));
        }}"
    ));
}

#[test]
fn actions_without_an_answer_are_told_of() {
    let daemon = start(CONFIG);
    let browser = Browser::start();
    let tab = super::live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "talk:talk", "running");
    let restart = format!("{} [data-do=restart]", row("talk:talk"));
    shorten(&tab, 15_000, 50);
    silence(&tab, "options.method === 'POST'");
    tab.click(&restart);
    tab.click("dialog button[value=yes]");
    tab.wait_text(".messages", "talk: restarting … This takes long");
    shorten(&tab, 8_000, 50);
    silence(&tab, "true");
    tab.click(&restart);
    tab.click("dialog button[value=yes]");
    tab.wait_text(
        ".message.bad",
        "talk could not be restarted: the daemon has not answered in time",
    );
    assert_content(&tab);
}
