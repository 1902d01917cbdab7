//! Makes the pictures of docs/status-page.md: a made-up shop's programs, two of which are in trouble.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use callboard_tests::browser::{Browser, Look, Tab};
use callboard_tests::{Daemon, Flavour, workspace};

const DARK: Look = Look {
    is_dark: true,
    ..Look::DESKTOP
};

/// Where each picture is taken, and what has to be there first.
const PICTURES: [(&str, Look, &str, &str); 8] = [
    ("programs-light", Look::DESKTOP, "", ".rows"),
    ("programs-dark", DARK, "", ".rows"),
    (
        "program-light",
        Look::DESKTOP,
        "#/process/web%3Aapi_1",
        ".figure",
    ),
    ("failure-dark", DARK, "#/process/jobs%3Areport", ".end pre"),
    ("log-dark", DARK, "#/process/web%3Aapi_0/stdout", ".line"),
    ("listeners-light", Look::DESKTOP, "#/listeners", ".card"),
    ("phone-light", Look::PHONE, "", ".rows"),
    (
        "phone-dark",
        Look {
            is_dark: true,
            ..Look::PHONE
        },
        "#/process/web%3Aapi_2",
        ".figure",
    ),
];

/// Long enough for the charts to have something to show.
const A_WHILE: Duration = Duration::from_secs(150);

fn main() {
    let folder = workspace::root().join("docs/screenshots");
    fs::create_dir_all(&folder).expect("docs is writable");
    let config = workspace::fixtures().join("shop/supervisord.conf");
    let config = fs::read_to_string(config).expect("the shop's configuration");
    let daemon = Daemon::start(Flavour::Ours, &config);
    let browser = Browser::start();
    let open = |(_, look, place, ready): (_, Look, &str, &str)| {
        let tab = browser.tab(look);
        tab.go(&format!("http://127.0.0.1:{}/{place}", daemon.port()));
        tab.wait(ready, &format!("!!document.querySelector('{ready}')"));
        tab
    };
    let tabs: Vec<Tab<'_>> = PICTURES.map(open).into_iter().collect();
    // The history of a page is in the page: it has to be open for a while.
    sleep(A_WHILE);
    for (tab, (name, ..)) in tabs.iter().zip(PICTURES) {
        take(tab, &folder.join(format!("{name}.png")));
    }
}

fn take(tab: &Tab<'_>, path: &Path) {
    tab.call("Page.bringToFront", serde_json::json!({}));
    tab.wait(
        "it to live",
        "!!document.querySelector('.link[data-link=open]')",
    );
    sleep(Duration::from_secs(3));
    fs::write(path, tab.screenshot()).expect("docs/screenshots is writable");
    println!("{}", path.display());
}
