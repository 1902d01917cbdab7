//! A thousand programs on one page.

use std::time::{Duration, Instant};

use callboard_tests::browser::{Browser, Look};
use serde_json::json;

use super::{assert_content, live, start, wait_state};

/// Far more than it takes on an idle machine, where it is less than a second.
const PATIENCE: Duration = Duration::from_secs(20);

fn config() -> String {
    let programs = (0..20).map(|group| {
        format!(
            "[program:p{group:02}]\ncommand=sleep 1000\nnumprocs=50\nprocess_name=%(program_name)s_%(process_num)02d\n\
             autostart=false\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
        )
    });
    programs.collect()
}

#[test]
fn a_thousand_programs_are_shown_and_kept_up_with() {
    let daemon = start(&config());
    let browser = Browser::start();
    let begun = Instant::now();
    let tab = live(&browser, &daemon, Look::DESKTOP);
    assert_eq!(
        tab.value("document.querySelectorAll('.rows > .row').length"),
        1000
    );
    assert!(
        begun.elapsed() < PATIENCE,
        "the page took {:?}",
        begun.elapsed()
    );

    tab.wait_text(".chips", "1,000");
    let begun = Instant::now();
    daemon.call("startProcess", json!(["p07:p07_13"]));
    wait_state(&tab, "p07:p07_13", "running");
    assert!(
        begun.elapsed() < PATIENCE,
        "the update took {:?}",
        begun.elapsed()
    );

    // What is not touched is not drawn again.
    tab.value(
        "window.changes = 0;
         new MutationObserver((records) => { window.changes += records.length; })
            .observe(document.querySelector('.group[data-group=p03]'), { subtree: true, childList: true, attributes: true, characterData: true });",
    );
    daemon.call("startProcessGroup", json!(["p19"]));
    tab.wait(
        "the group's counts",
        "document.querySelector('.group[data-group=p19] .counts').textContent === '50 running'",
    );
    assert_eq!(tab.value("window.changes"), 0);
    tab.press("/");
    tab.type_text("p07_13");
    tab.wait(
        "one row",
        "[...document.querySelectorAll('.rows > .row')].filter((row) => !row.hidden).length === 1",
    );
    assert_content(&tab);
}
