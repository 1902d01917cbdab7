//! The demo of the README, on ports of its own.

use std::fs;

use callboard_tests::{Daemon, Flavour, workspace};
use nix::sys::signal::Signal;

/// The demo in a temporary directory, its ports replaced, with a socket for the fixture.
fn demo() -> Daemon {
    let daemon = Daemon::prepare(Flavour::under_test(), "");
    for entry in fs::read_dir(workspace::root().join("examples/demo"))
        .expect("the demo is there")
        .flatten()
    {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::copy(entry.path(), daemon.dir().join(entry.file_name()))
                .expect("the directory is writable");
        }
    }
    let page = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a free port");
    let config = fs::read_to_string(daemon.config_path()).expect("the demo has a configuration");
    let config = config
        .replace("9001", &page.port().to_string())
        .replace("18080", &daemon.port().to_string());
    fs::write(
        daemon.config_path(),
        format!("{config}\n[unix_http_server]\nfile=%(here)s/s.sock\n"),
    )
    .expect("the directory is writable");
    fs::create_dir(daemon.path("var")).expect("the directory is writable");
    fs::write(daemon.path("var/mail"), "").expect("the directory is writable");
    daemon
}

#[test]
fn the_demo_shows_what_it_promises_and_ends_cleanly() {
    let mut daemon = demo();
    daemon.launch(&[]);
    daemon.wait_until_up();
    for name in [
        "worker:worker_00",
        "worker:worker_01",
        "worker:worker_02",
        "leak",
        "web",
        "mailbox",
    ] {
        daemon.wait_state(name, "RUNNING");
    }
    for text in [
        "*** web is running",
        "Process crash in group crash exited unexpectedly",
        "leak:leak restarted",
        "bad status returned",
    ] {
        daemon.wait_file("stdout", text);
    }
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.wait_exit().code(), Some(0));
    daemon.assert_nothing_left();
    assert!(!daemon.path("var/supervisord.pid").exists());
}
