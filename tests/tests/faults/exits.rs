//! Ten thousand processes end at the same moment.

use std::fs;
use std::time::{Duration, Instant};

use callboard_tests::{Daemon, Flavour, procfs, wait, workspace};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, Uid, mkfifo};
use serde_json::json;

use crate::support::{Before, assert_answers};

/// Orphans that have come to the daemon, which is the first process of its namespace.
const ORPHANS: usize = 10_000;

/// Programs of its own.
const PROGRAMS: usize = 50;

/// All wait for a line that never comes, in one process group.
const CROWD: &str = "\
count=0
while [ $count -lt $1 ]; do
    (read line <end) &
    count=$((count + 1))
done
touch ready
";

/// Nobody waits longer for an answer, not even on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn of_ten_thousand_exits_at_once_none_is_lost() {
    if Flavour::under_test() == Flavour::Original {
        return; // It takes more than a minute for them.
    }
    let config = format!(
        "[program:crowd]\ncommand=sh %(here)s/crowd.sh {ORPHANS}\ndirectory=%(here)s\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=NONE\nstderr_logfile=NONE\n\
         [program:own]\ncommand=sleep 1000\nprocess_name=%(process_num)02d\nnumprocs={PROGRAMS}\nstartsecs=0\n\
         autorestart=false\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
         [eventlistener:recorder]\ncommand=%(ENV_LISTENER)s %(here)s/events\nevents=PROCESS_STATE_EXITED\n\
         startsecs=0\nbuffer_size=1000\n\
         [supervisord]\nloglevel=info\nlogfile_maxbytes=0\n"
    );
    let mut daemon = Daemon::prepare(Flavour::under_test(), &config);
    fs::write(daemon.path("crowd.sh"), CROWD).expect("the directory is writable");
    mkfifo(&daemon.path("end"), Mode::S_IRWXU).expect("the directory is writable");
    daemon.launch_program(&workspace::fixtures().join("as-pid-1"), &[]);
    daemon.wait_until_up();
    let pid = first_process(&daemon);
    daemon.wait_state("recorder", "RUNNING");
    wait::until_true("the crowd", || (daemon.path("ready").exists(), ()));
    daemon.wait_state("crowd", "EXITED");
    let children = procfs::processes()
        .into_iter()
        .filter(|row| row.parent == pid);
    let (own, orphans): (Vec<_>, Vec<_>) = children
        .filter(|row| row.name == "sh" || row.name == "sleep")
        .partition(|row| row.name == "sleep");
    assert_eq!((own.len(), orphans.len()), (PROGRAMS, ORPHANS));
    let before = Before::of_pid(pid);
    let begun = Instant::now();
    kill(Pid::from_raw(-orphans[0].group), Signal::SIGKILL).expect("they live");
    for row in own {
        kill(Pid::from_raw(row.pid), Signal::SIGKILL).expect("it lives");
    }
    assert_answers(&daemon);
    let waited = begun.elapsed();
    assert!(waited < PATIENCE, "a client waited for {waited:?}");
    wait::until("all to be reaped", || {
        match daemon.log().matches("reaped unknown pid").count() {
            ORPHANS => Ok(()),
            count => Err(count),
        }
    });
    eprintln!(
        "{ORPHANS} were reaped within {:?}, the first answer came after {waited:?}",
        begun.elapsed()
    );
    wait::until("all ends to be told", || {
        let events = daemon.events("events");
        let told = events
            .iter()
            .filter(|event| event.field("groupname") == Some("own"));
        match told.count() {
            PROGRAMS => Ok(()),
            count => Err(count),
        }
    });
    let infos = daemon.call("getAllProcessInfo", json!([]));
    let own = infos.as_array().expect("an array").iter();
    let mut own = own.filter(|info| info["group"] == "own");
    assert!(own.all(|info| info["statename"] == "EXITED"), "{infos:?}");
    assert!(begun.elapsed() < PATIENCE * 3, "{:?}", begun.elapsed());
    before.wait();
    daemon.call("shutdown", json!([]));
    assert_eq!(daemon.wait_exit().code(), Some(0), "{}", daemon.log());
    assert!(!daemon.path("s.sock").exists());
}

/// The only child of unshare(1).
fn first_process(daemon: &Daemon) -> i32 {
    let unshare = daemon.pid();
    let rows = procfs::processes();
    let first = rows.iter().find(|row| row.parent == unshare);
    let missing = || {
        let standing = if Uid::effective().is_root() {
            "root"
        } else {
            "an ordinary user"
        };
        panic!("no namespace for {standing}: {}", daemon.read("stderr"))
    };
    first.map_or_else(missing, |row| row.pid)
}
