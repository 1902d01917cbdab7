//! What the user may not do is not offered.

use callboard_tests::browser::{Browser, Look, Tab};

use serde_json::json;

use super::{PORT, assert_content, row, start, wait_state};

const CONFIG: &str = "\
[user:reader]
role=read-only
password=secret
[user:operator]
role=operator
password=secret
programs=g:one
[group:g]
programs=one,two
[program:one]
command=sleep 1000
startsecs=0
[program:two]
command=sleep 1000
startsecs=0
";

fn is_offered(tab: &Tab<'_>, selector: &str) -> bool {
    let selector = serde_json::Value::from(selector);
    tab.value(&format!("!document.querySelector({selector}).disabled")) == true
}

fn open<'a>(
    browser: &'a Browser,
    daemon: &callboard_tests::Daemon,
    user: &str,
    look: Look,
) -> Tab<'a> {
    let tab = browser.tab(look);
    tab.go(&format!(
        "http://{user}:secret@127.0.0.1:{}/",
        daemon.port()
    ));
    tab
}

#[test]
fn buttons_that_are_not_allowed_are_disabled() {
    let daemon = start(CONFIG);
    daemon.wait_state("g:two", "RUNNING");
    for (user, one) in [("reader", false), ("operator", true)] {
        let browser = Browser::start();
        let tab = open(&browser, &daemon, user, Look::DESKTOP);
        wait_state(&tab, "g:two", "running");
        tab.wait_text(".about", user);
        let toggle = |key: &str| format!("{} [data-do=toggle]", row(key));
        assert_eq!(is_offered(&tab, &toggle("g:one")), one, "{user}");
        assert!(!is_offered(&tab, &toggle("g:two")), "{user}");
        assert!(!is_offered(&tab, ".group-do [data-do=stop]"), "{user}");
        assert!(!is_offered(&tab, ".all-do [data-do=stop]"), "{user}");
        if one {
            tab.click(&toggle("g:one"));
            tab.click("dialog button[value=yes]");
            wait_state(&tab, "g:one", "stopped");
        }
        assert_content(&tab);

        let plain = open(
            &browser,
            &daemon,
            user,
            Look {
                has_scripts: false,
                ..Look::DESKTOP
            },
        );
        let links = plain.value("document.querySelectorAll('td.action a[href*=action]').length");
        assert_eq!(links, if one { 2 } else { 0 }, "{user}");
    }
}

#[test]
fn programs_that_come_later_are_offered_to_those_who_may() {
    let daemon = start(CONFIG);
    let browser = Browser::start();
    let tab = open(&browser, &daemon, "operator", Look::DESKTOP);
    wait_state(&tab, "g:one", "running");
    let late = "[program:late]\ncommand=sleep 1000\nstartsecs=0\nnumprocs=2\nprocess_name=%(process_num)d\n";
    daemon.write_config(&format!("{PORT}{CONFIG}{late}"));
    daemon.call("reloadConfig", json!([]));
    daemon.call("addProcessGroup", json!(["late"]));
    wait_state(&tab, "late:0", "running");
    for button in [
        format!("{} [data-do=toggle]", row("late:0")),
        format!("{} [data-do=restart]", row("late:1")),
        ".group[data-group=late] .group-do [data-do=stop]".to_owned(),
    ] {
        assert!(!is_offered(&tab, &button), "{button}");
    }
    assert!(is_offered(
        &tab,
        &format!("{} [data-do=toggle]", row("g:one"))
    ));
    assert_content(&tab);
}
