//! The page by keyboard alone.

use callboard_tests::browser::{Browser, Look};

use super::{assert_content, live, start, wait_state};

const CONFIG: &str = "\
[program:apple]
command=sleep 1000
startsecs=0
[program:pear]
command=sleep 1000
startsecs=0
[program:plum]
command=sleep 1000
startsecs=0
autostart=false
";

#[test]
fn keys_do_what_the_help_says() {
    let daemon = start(CONFIG);
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "pear:pear", "running");
    let current = || tab.value("document.querySelector('.row.current')?.dataset.key ?? null");

    tab.press("?");
    tab.wait_text("dialog", "restart");
    tab.press("Escape");
    tab.wait("the help to close", "!document.querySelector('dialog')");

    for (key, expected) in [
        ("j", "apple:apple"),
        ("j", "pear:pear"),
        ("k", "apple:apple"),
        ("k", "apple:apple"),
    ] {
        tab.press(key);
        assert_eq!(current(), expected, "{key}");
    }
    assert_eq!(
        tab.value("document.activeElement.dataset.key"),
        "apple:apple"
    );

    tab.press("x");
    tab.wait_text("dialog h2", "Stop apple?");
    tab.press("Enter");
    daemon.wait_state("apple", "STOPPED");
    wait_state(&tab, "apple:apple", "stopped");
    tab.press("s");
    daemon.wait_state("apple", "RUNNING");
    wait_state(&tab, "apple:apple", "running");
    let pid = daemon.process_pid("apple");
    tab.press("r");
    tab.wait_text("dialog h2", "Restart apple?");
    tab.press("Enter");
    tab.wait_text(".messages", "apple: restarted.");
    assert_ne!(daemon.process_pid("apple"), pid);

    tab.press("/");
    tab.type_text("p stopped");
    tab.wait(
        "one row",
        "[...document.querySelectorAll('.rows > .row')].filter((row) => !row.hidden).length === 1",
    );
    tab.press("Escape");
    tab.wait(
        "all rows",
        "[...document.querySelectorAll('.rows > .row')].every((row) => !row.hidden)",
    );
    tab.press("Escape");
    tab.press("j");
    tab.press("Enter");
    tab.wait_text(".detail h2", "pear");
    tab.press("Escape");
    tab.wait(
        "the panel to close",
        "document.querySelector('.detail').hidden",
    );
    tab.press("l");
    tab.wait(
        "its log",
        "location.hash === '#/process/pear%3Apear/stdout'",
    );
    assert_content(&tab);
}
