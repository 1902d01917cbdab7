//! A daemon whose program can be replaced: it is called by a link.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// The link's name in the fixture's directory.
const LINK: &str = "bin-supervisord";

/// A daemon that is called by a link, up and answering.
pub(crate) fn start(config: &str) -> Daemon {
    launch(Daemon::prepare(Flavour::Ours, config))
}

/// The same with a daemon that has been prepared.
pub(crate) fn launch(mut daemon: Daemon) -> Daemon {
    install(&daemon, &Flavour::Ours.command("supervisord"));
    let program = link(&daemon);
    daemon.launch_program(&program, &[]);
    daemon.wait_until_up();
    daemon
}

/// Where the link is.
pub(crate) fn link(daemon: &Daemon) -> PathBuf {
    daemon.path(LINK)
}

/// Has the link lead to this program from now on.
pub(crate) fn install(daemon: &Daemon, program: &std::path::Path) {
    let new = daemon.path("bin-new");
    symlink(program, &new).expect("the directory is writable");
    fs::rename(new, link(daemon)).expect("the directory is writable");
}

/// Has the link lead to a script.
pub(crate) fn install_script(daemon: &Daemon, text: &str) {
    let path = daemon.path("script");
    fs::write(&path, text).expect("the directory is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    install(daemon, &path);
}

/// What became of the last upgrade.
pub(crate) fn last(daemon: &Daemon) -> Value {
    daemon.call("callboard.getLastUpgrade", json!([]))
}

/// Upgrades by a signal and waits for the outcome.
pub(crate) fn upgrade(daemon: &Daemon) -> Value {
    let before = last(daemon)["number"].clone();
    daemon.signal(Signal::SIGUSR1);
    wait::until("the outcome of the upgrade", || {
        // Meanwhile nobody may answer.
        let answer = daemon.try_call("callboard.getLastUpgrade", &json!([]));
        match answer {
            Ok(Ok(last)) if last["number"] != before => Ok(last),
            other => Err(format!("{other:?}")),
        }
    })
}

/// Upgrades and expects that to work.
pub(crate) fn upgrade_well(daemon: &Daemon) {
    let last = upgrade(daemon);
    assert_eq!(last["failure"], "", "{}", daemon.log());
}
