//! The live page as a whole: it keeps up, it fits, everything on it has a name.

mod actions;
mod contrast;
mod hostile;
mod keys;
mod logs;
mod plain;
mod rights;
mod scale;
mod windows;

use callboard_tests::browser::{Browser, Look, Tab};
use callboard_tests::{Daemon, Flavour};
use serde_json::json;

/// Listens on the test's port.
const PORT: &str = "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n";

const VIEWS: [&str; 6] = [
    "#/programs",
    "#/process/g%3Aone",
    "#/process/g%3Aone/stdout",
    "#/listeners",
    "#/activity",
    "#/log",
];

/// Our daemon: the original has no live page.
fn start(config: &str) -> Daemon {
    Daemon::start(Flavour::Ours, &format!("{PORT}{config}"))
}

/// The address of its status page.
fn url(daemon: &Daemon, rest: &str) -> String {
    format!("http://127.0.0.1:{}/{rest}", daemon.port())
}

/// Opens the status page and waits until it lives.
fn live<'a>(browser: &'a Browser, daemon: &Daemon, look: Look) -> Tab<'a> {
    let tab = browser.tab(look);
    tab.go(&url(daemon, ""));
    tab.wait(
        "the page to live",
        "!!document.querySelector('.link[data-link=open]')",
    );
    tab
}

/// The selector of a process's row.
fn row(key: &str) -> String {
    format!(".row[data-key=\"{key}\"]")
}

/// Waits until the page says that a process is in a state.
fn wait_state(tab: &Tab<'_>, key: &str, state: &str) {
    let badge = serde_json::Value::from(format!("{} .state", row(key)));
    let is = format!("document.querySelector({badge})?.textContent === '{state}'");
    tab.wait(&format!("{key} to be {state} on the page"), &is);
}

fn assert_content(tab: &Tab<'_>) {
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

fn config() -> String {
    "[group:g]\nprograms=one,two\n\
     [program:one]\ncommand=sh -c 'echo hello; exec sleep 1000'\nstartsecs=0\n\
     [program:two]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n\
     [program:dies]\ncommand=sh -c 'echo the last word >&2; kill -SEGV $$'\nstartsecs=0\nautorestart=false\n\
     [program:lost]\ncommand=/nowhere/at/all\n\
     [eventlistener:ears]\ncommand=%(ENV_LISTENER)s %(here)s/events\nevents=PROCESS_STATE\n"
        .to_owned()
}

#[test]
fn it_keeps_up_without_being_loaded_again() {
    let daemon = start(&config());
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    tab.value("window.untouched = true");
    wait_state(&tab, "g:one", "running");
    wait_state(&tab, "g:two", "stopped");
    daemon.call("startProcess", json!(["g:two"]));
    wait_state(&tab, "g:two", "running");
    daemon.call("stopProcessGroup", json!(["g"]));
    wait_state(&tab, "g:one", "stopped");
    tab.wait_text(".group[data-group=g] .counts", "2 stopped");

    // Figures and groups that come and go.
    daemon.call("startProcess", json!(["g:one"]));
    tab.wait_text(&format!("{} .c-memory", row("g:one")), "B");
    tab.wait("a chart", "document.querySelector('.row[data-key=\"g:one\"] .memory .line').getAttribute('d')?.length > 8");
    daemon.write_config(&format!(
        "{PORT}{}[program:late]\ncommand=sleep 1000\nstartsecs=0\n",
        config()
    ));
    daemon.call("reloadConfig", json!([]));
    daemon.call("addProcessGroup", json!(["late"]));
    wait_state(&tab, "late:late", "running");
    daemon.call("stopProcess", json!(["late"]));
    daemon.call("removeProcessGroup", json!(["late"]));
    tab.wait(
        "the row to go",
        "!document.querySelector('[data-key=\"late:late\"]')",
    );
    assert_eq!(tab.value("window.untouched"), true);
    assert_content(&tab);
}

#[test]
fn it_tells_why_a_program_died_and_who_listens() {
    let daemon = start(&config());
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    wait_state(&tab, "dies:dies", "exited");
    tab.click(&format!("{} .open", row("dies:dies")));
    tab.wait_text(".detail .end .verdict", "Killed by SIGSEGV");
    tab.wait_text(".detail .end", "nobody had asked it to");
    tab.wait_text(".detail .end pre", "the last word");
    tab.click(&format!("{} .open", row("lost:lost")));
    tab.wait_text(".detail h2", "lost");
    tab.wait_text(".detail .end .verdict", "/nowhere/at/all");

    tab.press("2");
    tab.wait_text(".card[aria-label='Listeners ears']", "ready");
    tab.press("3");
    daemon.call("startProcess", json!(["g:two"]));
    tab.wait_text(".activity", "g:two");
    tab.press("4");
    tab.wait_text(".main-log .lines", "success: two entered RUNNING state");
    assert_content(&tab);
}

#[test]
fn it_notices_that_the_daemon_is_gone_and_back() {
    let mut daemon = start(&config());
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    daemon.shut_down();
    tab.wait(
        "it to notice",
        "!!document.querySelector('.link[data-link=lost]')",
    );
    daemon.launch(&[]);
    daemon.wait_until_up();
    tab.wait(
        "it to be back",
        "!!document.querySelector('.link[data-link=open]')",
    );
    daemon.call("startProcess", json!(["g:two"]));
    wait_state(&tab, "g:two", "running");

    // Out of sight it asks for nothing.
    let see = |state: &str| {
        tab.value(&format!(
            "Object.defineProperty(document, 'visibilityState', {{ value: '{state}', configurable: true }});
             document.dispatchEvent(new Event('visibilitychange'))"
        ));
    };
    see("hidden");
    tab.wait(
        "it to sleep",
        "!!document.querySelector('.link[data-link=asleep]')",
    );
    daemon.call("stopProcess", json!(["g:two"]));
    see("visible");
    wait_state(&tab, "g:two", "stopped");
    assert_content(&tab);
}

#[test]
fn it_says_so_when_it_fails_itself() {
    let daemon = start(&config());
    let browser = Browser::start();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    tab.value(
        "window.real = window.fetch;
         window.fetch = (url, options) => (url.includes('usage') ? Promise.resolve(new Response('[null]')) : real(url, options));
         0",
    );
    tab.wait_text(".message.bad", "This page has failed: ");
    tab.value("window.fetch = real; 0");
    daemon.call("startProcess", json!(["g:two"]));
    wait_state(&tab, "g:two", "running");
    let complaints = tab.complaints();
    assert!(
        complaints.iter().all(|text| text.contains("TypeError")) && !complaints.is_empty(),
        "{complaints:?}"
    );
}

#[test]
fn it_fits_phones_and_everything_has_a_name() {
    let daemon = start(&config());
    let browser = Browser::start();
    for look in [Look::PHONE, Look::DESKTOP] {
        let tab = live(&browser, &daemon, look);
        for view in VIEWS {
            tab.value(&format!("location.hash = '{view}'"));
            tab.wait(
                "the view",
                "document.querySelector('main > div:not([hidden])') !== null",
            );
            let overflow = tab.value("document.scrollingElement.scrollWidth - innerWidth");
            assert_eq!(overflow, 0, "{view} at {}", look.width);
            let nameless = tab.value(
                "[...document.querySelectorAll('button, a, input, [role=log]')]
                    .filter((node) => node.offsetParent !== null)
                    .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim()))
                    .map((node) => node.outerHTML)",
            );
            assert_eq!(nameless, json!([]), "{view}");
        }
        assert_content(&tab);
    }
}

#[test]
fn colours_follow_the_system_until_somebody_chooses() {
    let daemon = start(&config());
    let browser = Browser::start();
    let dark = Look {
        is_dark: true,
        ..Look::DESKTOP
    };
    let tab = live(&browser, &daemon, dark);
    let paper = || tab.value("getComputedStyle(document.body).backgroundColor");
    let by_system = paper();
    tab.click(".theme");
    let light = paper();
    assert_ne!(by_system, light);
    tab.go(&url(&daemon, ""));
    assert_eq!(paper(), light, "the choice is remembered");
    tab.wait(
        "the page to live",
        "!!document.querySelector('.link[data-link=open]')",
    );
    tab.click(".theme");
    assert_eq!(paper(), by_system);
}
