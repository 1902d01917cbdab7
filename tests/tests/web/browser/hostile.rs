//! Names, lines and messages that try to become markup or script.

use callboard_tests::browser::{Browser, Look};
use serde_json::json;

use super::{assert_content, live, row, start, url, wait_state};

/// As far as the configuration lets names go.
const NAME: &str = "<b>\"'&lt;<script>${1}";

const LINE: &str =
    "</div><script>document.title=`taken`</script><img src=x onerror=document.title=`taken`>";

#[test]
fn what_programs_say_stays_text() {
    let daemon = start(&format!(
        "[program:evil]\nprocess_name={NAME}\ncommand=cat\nstartsecs=0\n[program:gone]\ncommand=/<b>no</b>\nstartsecs=0\nstartretries=0\n"
    ));
    let browser = Browser::start();
    // Once as it comes, once alive; in both the message is a stranger's.
    let plain = browser.tab(Look {
        has_scripts: false,
        ..Look::DESKTOP
    });
    let message = format!(
        "?message={}",
        LINE.replace('<', "%3C")
            .replace('>', "%3E")
            .replace(' ', "%20")
    );
    plain.go(&url(&daemon, &message));
    assert!(plain.text(".status_msg").contains("<script>"));
    assert!(plain.text("table").contains(NAME));

    let tab = browser.tab(Look::DESKTOP);
    tab.go(&url(&daemon, &message));
    tab.wait_text(".message", "<script>");
    assert_eq!(tab.value("location.search"), "", "it is shown once");
    let key = format!("evil:{NAME}");
    let selector = row(&key.replace('"', "\\\""));
    tab.wait_text(&selector, NAME);
    daemon.call("sendProcessStdin", json!([key, format!("{LINE}\n")]));
    tab.click(&format!("{selector} [data-do=log]"));
    tab.wait_text(".detail .lines", LINE);
    tab.click(".log-bar input");
    tab.type_text("<script>");
    tab.wait_text(".detail .lines mark", "<script>");
    tab.click(".detail a[data-tab=overview]");
    tab.wait_text(".detail h2", NAME);
    daemon.call("sendRemoteCommEvent", json!(["<i>", LINE]));
    tab.value("location.hash = '#/activity'");
    tab.wait_text(".activity", "<script>");
    tab.value("location.hash = '#/process/gone%3Agone'");
    tab.wait_text(".detail .end", "/<b>no</b>");
    tab.click(".detail [data-do=toggle]");
    tab.wait_text(".message.bad", "gone");
    assert_eq!(
        tab.value(
            "document.querySelectorAll('#app :is(img, script, i), #app b:not(.chip b)').length"
        ),
        0
    );
    assert_ne!(tab.value("document.title"), "taken");
    assert_content(&tab);
}

#[test]
fn strange_names_can_be_acted_upon() {
    let daemon = start(&format!(
        "[program:evil]\nprocess_name={NAME}\ncommand=cat\nstartsecs=0\n"
    ));
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    let key = format!("evil:{NAME}");
    let selector = row(&key.replace('"', "\\\""));
    tab.click(&format!("{selector} [data-do=toggle]"));
    tab.wait_text("dialog h2", NAME);
    tab.click("dialog button[value=yes]");
    daemon.wait_state(&key, "STOPPED");
    wait_state(&tab, &key.replace('"', "\\\""), "stopped");
    assert_content(&tab);
}
