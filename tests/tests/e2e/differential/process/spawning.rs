//! What keeps a process from being spawned, and what one that is inherits.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

use callboard_tests::{Daemon, Flavour, procfs};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};

use super::board::{self, Row, START, STOP, Step, row, send, signal};
use Step::{Info, Is, Logged, Probe, Told, Wrote};

/// A program that never comes to RUNNING.
const FATAL: &[Step] = &[Told("FATAL", 1)];
/// Such a one, asked to start once more.
const REFUSED: &[Step] = &[Told("FATAL", 1), START];
/// A program to be looked at.
const PROBE: &[Step] = &[Told("RUNNING", 1), Probe("sleep")];

/// Without a fork: BACKOFF with a `spawnerr`, FATAL in the end; requests are refused with a fault of their own.
#[rustfmt::skip]
const UNSPAWNABLE: &[Row] = &[
    row("unclosed", "command=sh -c 'x\nstartretries=0", REFUSED),
    row("nothing", "command=\nstartretries=0", REFUSED),
    row("emptyword", "command=\"\" x\nstartretries=0\nenvironment=PATH=\"%(here)s/good\"", REFUSED),
    row("absent", "command=/nonexistent/command x\nstartretries=0", REFUSED),
    row("unfindable", "command=unfindable-tool x\nstartretries=0", REFUSED),
    row("isdir", "command=%(here)s/folder\nstartretries=0", REFUSED),
    row("inexec", "command=%(here)s/inert.sh\nstartretries=0", REFUSED),
    // The first entry of the program's own PATH wins, even if it cannot be executed.
    row("firstpath", "command=tool\nstartretries=0\nenvironment=PATH=\"%(here)s/bad:%(here)s/good\"", REFUSED),
    row("dirpath", "command=folder\nstartretries=0\nenvironment=PATH=\"%(here)s:%(here)s/good\"", FATAL),
    row("emptypath", "command=sleep 1000\nstartretries=0\nenvironment=PATH=\"\"", FATAL),
    // With a slash the command is looked for from the daemon's directory.
    row("elsewhere", "command=./tool\ndirectory=%(here)s/good\nstartretries=0", REFUSED),
    // Logs that cannot be opened.
    row("outlog", "command=sleep 1000\nstartretries=0\nstdout_logfile=%(here)s/folder", REFUSED),
    row("errlog", "command=sleep 1000\nstartretries=1\nstderr_logfile=%(here)s/folder", FATAL),
    row("lostlog", "command=sleep 1000\nstartretries=0\nautostart=false\nstdout_logfile=%(here)s/vanishing/log", &[
        START, Told("FATAL", 1),
    ]),
];

/// After the fork: the child says why on its standard error and exits with 127.
#[rustfmt::skip]
const EXIT_127: &[Row] = &[
    row("lost", "command=sleep 1000\ndirectory=/nonexistent/directory\nstartretries=0\nstartsecs=20", FATAL),
    row("nodir", "command=sleep 1000\ndirectory=%(here)s/inert.sh\nstartretries=0\nstartsecs=20", FATAL),
    row("moved", "command=good/tool\ndirectory=%(here)s/logs\nstartretries=0\nstartsecs=20", FATAL),
    row("noshebang", "command=%(here)s/plaintext.sh\nstartretries=0\nstartsecs=20", FATAL),
    row("nointerp", "command=%(here)s/interpreter.sh\nstartretries=0\nstartsecs=20", FATAL),
    row("merged", "command=%(here)s/plaintext.sh\nstartretries=0\nstartsecs=20\nredirect_stderr=true", FATAL),
];

/// Programs that run, and what they run with.
#[rustfmt::skip]
const INHERITED: &[Row] = &[
    row("bare", "command=sleep 1000", PROBE),
    row("dressed", "command=sleep 1000\ndirectory=/usr\numask=027\nredirect_stderr=true\n\
                    serverurl=http://example.org:1\n\
                    environment=A=\"1,2\",B='x y',SHARED=program,SUPERVISOR_GROUP_NAME=\"mine\"", PROBE),
    row("auto", "command=sleep 1000\nserverurl=AUTO\nstdout_logfile=NONE\nstderr_logfile=NONE\numask=0", PROBE),
    row("pathed", "command=tool\nenvironment=PATH=\"%(here)s/nowhere:%(here)s/good\",HOME=\"/h\"", &[
        Told("RUNNING", 1), Probe("sleep"),
    ]),
    row("argv", "command=sh -c 'for word; do echo \"[$word]\"; done; exec sleep 1000' sh \"a b\" 'c\"d' e\\ f \
                 \"\\g\\\"\" $HOME *.sh #x \"\" ~\n\t'next line' a'b'\"c\" \\\\", PROBE),
    // Its standard input never ends.
    row("reader", "command=cat", &[
        Told("RUNNING", 1), send("text\n"), Wrote("text\n"), STOP, Told("STOPPED", 1),
    ]),
];

/// With a daemon of the superuser.
#[rustfmt::skip]
const AS_ROOT: &[Row] = &[
    row("asnobody", "command=sleep 1000\nuser=nobody", PROBE),
    row("asroot", "command=sleep 1000\nuser=root", PROBE),
    row("asuid", "command=sleep 1000\nuser=65534", PROBE),
    // All the groups of the user.
    row("asmember", "command=sleep 1000\nuser=%(ENV_MEMBER)s", PROBE),
    // The user changes before the directory does, and before the command is looked at again.
    row("locked", "command=sleep 1000\nuser=nobody\ndirectory=%(here)s/locked\nstartretries=0\nstartsecs=20", FATAL),
    row("forbidden", "command=%(here)s/locked/tool\nuser=nobody\nstartretries=0\nstartsecs=20", FATAL),
];

/// Started when the daemon has few descriptors left.
const CROWDED: &[Row] = &[row(
    "crowded",
    "command=sleep 1000\nautostart=false\nstartretries=0",
    &[START, Told("FATAL", 1)],
)];

/// The daemon's own section; it raises its limit of open files where the system lets it.
fn supervisord() -> String {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let mut files = files
        .into_iter()
        .flat_map(str::split_whitespace)
        .map_while(|word| word.parse::<u32>().ok());
    // With a high limit the original takes long to start a process: it closes as many descriptors.
    let minfds = match (files.next(), files.next()) {
        (Some(soft), Some(hard)) if soft < hard && soft < 30_000 => soft + 1,
        _ => 1024,
    };
    format!(
        "[supervisord]\nminfds={minfds}\n\
         environment=SHARED=daemon,ONLY=\"d,e\",SUPERVISOR_ENABLED=\"2\"\n"
    )
}

fn write_script(daemon: &Daemon, name: &str, text: &str, mode: u32) {
    let path = daemon.path(name);
    fs::create_dir_all(path.parent().expect("it has one")).expect("the directory is writable");
    fs::write(&path, text).expect("the directory is writable");
    set_mode(daemon, name, mode);
}

fn set_mode(daemon: &Daemon, name: &str, mode: u32) {
    fs::set_permissions(daemon.path(name), fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn prepare(flavour: Flavour, config: &str) -> Daemon {
    let daemon = Daemon::prepare(flavour, config);
    for directory in ["folder", "vanishing"] {
        fs::create_dir(daemon.path(directory)).expect("the directory is writable");
    }
    let tool = "#!/bin/sh\nexec /bin/sleep 1000\n";
    write_script(&daemon, "inert.sh", tool, 0o644);
    write_script(&daemon, "bad/tool", tool, 0o644);
    write_script(&daemon, "good/tool", tool, 0o755);
    write_script(&daemon, "good/folder", tool, 0o755);
    write_script(&daemon, "locked/tool", tool, 0o700);
    write_script(&daemon, "plaintext.sh", "exec sleep 1000\n", 0o755);
    write_script(
        &daemon,
        "interpreter.sh",
        "#!/nonexistent/interpreter\n",
        0o755,
    );
    set_mode(&daemon, "locked", 0o700);
    daemon
}

/// A user listed by a group that is not the primary one, if this system has such a one.
fn member() -> String {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let members = groups.lines().filter_map(|line| line.rsplit_once(':'));
    members
        .flat_map(|(_, members)| members.split(','))
        .find(|name| *name != "root" && User::from_name(name).is_ok_and(|user| user.is_some()))
        .unwrap_or("nobody")
        .to_owned()
}

/// Leaves the daemon three descriptors to open, less than a process takes, and one for the asking.
fn limit_descriptors(daemon: &Daemon) {
    const FREE: usize = 4;
    let open: BTreeSet<usize> = fs::read_dir(format!("/proc/{}/fd", daemon.pid()))
        .expect("the daemon lives")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let limit = (0..).filter(|number| !open.contains(number)).nth(FREE);
    let limit = limit.expect("numbers do not end");
    limit_resource(daemon, None, &format!("--nofile={limit}:"));
}

/// Lowers a limit of the daemon, as that user if it has become one.
fn limit_resource(daemon: &Daemon, user: Option<u32>, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &daemon.pid().to_string(), limit]);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    assert!(
        command.status().is_ok_and(|status| status.success()),
        "prlimit {limit}"
    );
}

fn spawning(flavour: Flavour) -> Vec<String> {
    let mut rows = [UNSPAWNABLE, EXIT_127, INHERITED].concat();
    if Uid::effective().is_root() {
        rows.extend(AS_ROOT);
    }
    // One argument longer than the system takes.
    let huge = format!(
        "command=true {}\nstartretries=0\nstartsecs=20",
        "x".repeat(140_000)
    );
    let huge = [row("huge", huge.leak(), FATAL)];
    let all = [&rows[..], CROWDED, &huge].concat();
    let config = board::config(&all).replace("%(ENV_MEMBER)s", &member());
    let mut daemon = prepare(flavour, &(supervisord() + &config));
    daemon.launch(&[]);
    daemon.wait_until_up();
    fs::remove_dir(daemon.path("vanishing")).expect("it is empty");
    let log = daemon.log();
    let log = log.lines().map(|line| board::run(&daemon).log_line(line));
    let mut lines: Vec<_> = log.filter(|line| line.contains("RLIMIT")).collect();
    lines.extend(board::play(&daemon, &rows));
    lines.extend(board::play(&daemon, &huge));
    limit_descriptors(&daemon);
    lines.extend(board::play(&daemon, CROWDED));
    lines.extend(abandon(&mut daemon));
    lines
}

/// A signal the daemon does not handle ends it at once; children, socket and pidfile stay.
fn abandon(daemon: &mut Daemon) -> Vec<String> {
    let child = daemon.process_pid("bare");
    daemon.signal(Signal::SIGVTALRM);
    let status = daemon.wait_exit();
    vec![
        format!("ended by signal {:?}", status.signal()),
        format!("child alive: {}", procfs::is_alive(child)),
        format!("socket: {}", daemon.path("s.sock").exists()),
        format!("pidfile: {}", daemon.path("supervisord.pid").exists()),
    ]
}

#[test]
fn spawn_errors_and_inheritance_agree() {
    board::compare("spawning", spawning);
}

/// The user with the name nobody, and its group.
const NOBODY: u32 = 65534;

/// With a daemon that is nobody. It has no listener: the fixtures may lie where nobody may not go.
#[rustfmt::skip]
const AS_NOBODY: &[Row] = &[
    // Only root may become somebody else; to stay the same nothing is done.
    row("toroot", "command=sleep 1000\nuser=root\nstartretries=0\nstartsecs=20", &[Is("FATAL")]),
    row("tonobody", "command=sleep 1000\nuser=nobody", &[Is("RUNNING"), Probe("sleep")]),
    row("stays", "command=sleep 1000", &[Is("RUNNING"), Probe("sleep")]),
    row("denied", "command=%(here)s/private.sh\nstartretries=0", &[Is("FATAL"), START]),
    row("shut", "command=sleep 1000\ndirectory=%(here)s/locked\nstartretries=0\nstartsecs=20", &[Is("FATAL")]),
    row("hidden", "command=%(here)s/locked/tool\nstartretries=0", &[Is("FATAL")]),
    row("readonly", "command=sleep 1000\nstdout_logfile=%(here)s/inert.sh\nstartretries=0", &[Is("FATAL")]),
];

/// Programs that became somebody else, whom their daemon may not signal: UNKNOWN.
#[rustfmt::skip]
const FOREIGN: &[Row] = &[
    row("foreign", "command=%(here)s/setpriv --reuid=1 --clear-groups sleep 1000", &[
        Is("RUNNING"), Probe("sleep"), STOP, Is("UNKNOWN"), Info, START, STOP, signal("HUP"),
    ]),
    row("alien", "command=%(here)s/setpriv --reuid=1 --clear-groups sleep 1000", &[
        Is("RUNNING"), Probe("sleep"), signal("HUP"), Is("UNKNOWN"), Info, START, STOP, signal("HUP"),
    ]),
];

/// Started when the user may have no more processes.
const TABLE_FULL: &[Row] = &[row(
    "excess",
    "command=sleep 1000\nautostart=false\nstartretries=0",
    &[START, Logged("gave up: @", 1)],
)];

/// A copy of setpriv that may do what root may; `false` where the file system forbids such.
fn install_setpriv(daemon: &Daemon) -> bool {
    fs::copy("/usr/bin/setpriv", daemon.path("setpriv")).expect("setpriv is part of every system");
    set_mode(daemon, "setpriv", 0o4755);
    Command::new(daemon.path("setpriv"))
        .args(["--reuid=1", "--clear-groups", "true"])
        .uid(NOBODY)
        .status()
        .is_ok_and(|status| status.success())
}

fn unprivileged(flavour: Flavour) -> Vec<String> {
    let rows = [AS_NOBODY, FOREIGN, TABLE_FULL].concat();
    let supervisord = "[supervisord]\nuser=nobody\nminfds=512\n";
    let mut daemon = prepare(flavour, &(supervisord.to_owned() + &board::programs(&rows)));
    write_script(&daemon, "private.sh", "#!/bin/sh\n", 0o700);
    set_mode(&daemon, "", 0o755);
    for path in ["", "logs"] {
        chown(daemon.path(path), Some(NOBODY), Some(NOBODY)).expect("root may");
    }
    let foreign = if install_setpriv(&daemon) {
        FOREIGN
    } else {
        &[]
    };
    daemon.launch(&[]);
    daemon.wait_until_up();
    let mut lines = board::play(&daemon, &[AS_NOBODY, foreign].concat());
    limit_resource(&daemon, Some(NOBODY), "--nproc=1:");
    lines.extend(board::play(&daemon, TABLE_FULL));
    lines
}

#[test]
fn a_daemon_without_privileges_agrees() {
    // Nobody else may become nobody.
    if Uid::effective().is_root() {
        board::compare("unprivileged", unprivileged);
    }
}
