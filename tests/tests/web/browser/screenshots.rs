//! Makes the pictures of docs/status-page.md: a made-up shop's programs, two of which are in trouble.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use callboard_tests::browser::{Browser, Look};
use callboard_tests::{Daemon, Flavour, workspace};

const DARK: Look = Look {
    is_dark: true,
    ..Look::DESKTOP
};

const DARK_PHONE: Look = Look {
    is_dark: true,
    ..Look::PHONE
};

/// A picture's name, how the page looks in it, which view it shows, and what has to be there.
const PICTURES: [(&str, Look, &str, &str); 8] = [
    ("programs-light", Look::DESKTOP, "programs", ".rows"),
    ("programs-dark", DARK, "programs", ".rows"),
    (
        "program-light",
        Look::DESKTOP,
        "process/web%3Aapi_1",
        ".figure",
    ),
    ("failure-dark", DARK, "process/jobs%3Areport", ".end pre"),
    ("log-dark", DARK, "process/web%3Aapi_0/stdout", ".line"),
    ("listeners-light", Look::DESKTOP, "listeners", ".card"),
    ("phone-light", Look::PHONE, "programs", ".rows"),
    ("phone-dark", DARK_PHONE, "process/web%3Aapi_2", ".figure"),
];

/// Long enough for the charts to have something to show.
const A_WHILE: Duration = Duration::from_secs(200);

/// Lets what moves come to rest.
const A_MOMENT: Duration = Duration::from_secs(2);

fn main() {
    let folder = workspace::root().join("docs/screenshots");
    fs::create_dir_all(&folder).expect("docs is writable");
    let config = workspace::fixtures().join("shop/supervisord.conf");
    let config = fs::read_to_string(config).expect("the shop's configuration");
    let daemon = Daemon::start(Flavour::Ours, &config);
    let browser = Browser::start();
    // One page for all pictures: the history of the figures is in the page.
    let tab = browser.tab(Look::DESKTOP);
    tab.go(&format!("http://127.0.0.1:{}/", daemon.port()));
    sleep(A_WHILE);
    for (name, look, view, ready) in PICTURES {
        tab.set_look(look);
        tab.value(&format!("location.hash = '#/{view}'"));
        tab.wait(ready, &format!("!!document.querySelector('{ready}')"));
        sleep(A_MOMENT);
        let path = folder.join(format!("{name}.png"));
        fs::write(&path, tab.screenshot()).expect("docs/screenshots is writable");
        println!("{}", path.display());
    }
}
