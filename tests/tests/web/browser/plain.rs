//! The pages without scripts: what the original's did, they do.

use callboard_tests::browser::{Browser, Look};

use super::{start, url};

#[test]
fn links_and_forms_are_enough() {
    let daemon = start("[program:a]\ncommand=sh -c 'echo hello; exec sleep 1000'\nstartsecs=0\n");
    daemon.wait_state("a", "RUNNING");
    let browser = Browser::start();
    for look in [Look::DESKTOP, Look::PHONE] {
        let tab = browser.tab(Look {
            has_scripts: false,
            ..look
        });
        tab.go(&url(&daemon, ""));
        tab.click("a[name=Stop]");
        tab.wait_text(".status_msg", "Process a stopped");
        assert_eq!(daemon.state("a"), "STOPPED");
        tab.click("a[name=Start]");
        tab.wait_text(".status_msg", "Process a started");
        tab.click("#buttons li:nth-child(2) a");
        tab.wait_text(".status_msg", "All restarted at");
        assert_eq!(daemon.state("a"), "RUNNING");
        tab.click("#buttons li:nth-child(1) a");
        tab.wait_text(".status_msg", "Page refreshed at");
        tab.go(&url(&daemon, "tail.html?processname=a"));
        tab.wait_text("pre", "hello");
        let overflow = tab.value("document.scrollingElement.scrollWidth - innerWidth");
        assert_eq!(overflow, 0, "at {}", look.width);
        tab.go(&url(&daemon, ""));
        tab.click("a[name='Clear Log']");
        tab.wait_text(".status_msg", "Log for a cleared");
    }
}
