//! Logs in the page: they follow, and can be searched, paused, wrapped and cleared.

use callboard_tests::browser::{Browser, Look};
use serde_json::json;

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
