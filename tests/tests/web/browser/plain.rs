//! The pages without scripts: what the original's did, they do.

use callboard_tests::browser::{Browser, Look, Tab};

use super::{start, url};

/// Clicks on a link of the page as it is now and waits for the message of the page that it leads to.
fn follow(tab: &Tab<'_>, link: &str, message: &str) {
    tab.wait(
        "the page to be loaded",
        "document.readyState === 'complete'",
    );
    // A picture is taken of a page that has been painted; clicks before that are thrown away.
    tab.screenshot();
    tab.click(link);
    tab.wait_text(".status_msg", message);
}

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
        follow(&tab, "a[name=Stop]", "Process a stopped");
        assert_eq!(daemon.state("a"), "STOPPED");
        follow(&tab, "a[name=Start]", "Process a started");
        follow(&tab, "#buttons li:nth-child(2) a", "All restarted at");
        assert_eq!(daemon.state("a"), "RUNNING");
        follow(&tab, "#buttons li:nth-child(1) a", "Page refreshed at");
        tab.go(&url(&daemon, "tail.html?processname=a"));
        tab.wait_text("pre", "hello");
        let overflow = tab.value("document.scrollingElement.scrollWidth - innerWidth");
        assert_eq!(overflow, 0, "at {}", look.width);
        tab.go(&url(&daemon, ""));
        follow(&tab, "a[name='Clear Log']", "Log for a cleared");
    }
}
