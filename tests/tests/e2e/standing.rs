//! The same small life whoever we are: root or an ordinary user, in the foreground, as a daemon, as the first process
//! of a PID namespace.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use callboard_tests::{Daemon, Flavour, wait};
use nix::unistd::Uid;
use serde_json::json;

/// The user that owns nothing.
const NOBODY: u32 = 65534;

const AS_NOBODY: [&str; 4] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
];

const AS_PID_1: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

const CONFIG: &str = "\
[program:sleeper]
command=sleep 1000
startsecs=0
[program:teller]
command=sh -c 'id -u; exec sleep 1000'
startsecs=0
stdout_logfile=%(here)s/teller.out
[supervisord]
loglevel=info
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    /// Whoever runs the tests.
    Tester,
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Foreground,
    Background,
    Init,
}

/// A daemon of one standing.
struct Standing {
    daemon: Daemon,
    user: User,
    mode: Mode,
    /// Where its commands are: an ordinary user may not be able to reach the target directory.
    bin: PathBuf,
    child: Option<Child>,
}

impl Standing {
    fn start(user: User, mode: Mode) -> Self {
        let daemon = Daemon::prepare(Flavour::under_test(), CONFIG);
        let mut bin = daemon.flavour().command("supervisord");
        bin.pop();
        if user == User::Nobody && daemon.flavour() == Flavour::Ours {
            bin = hand_over(&daemon);
        }
        let child = None;
        let mut standing = Self {
            daemon,
            user,
            mode,
            bin,
            child,
        };
        standing.launch();
        standing
    }

    fn launch(&mut self) {
        let in_front = self.mode != Mode::Background;
        let mut command = self.command("supervisord", self.mode == Mode::Init);
        let child = command.args(in_front.then_some("-n")).spawn();
        let mut child = child.expect("supervisord starts");
        if in_front {
            self.child = Some(child);
        } else {
            assert!(child.wait().expect("it detaches").success());
        }
    }

    /// One of the commands with the configuration, as the user, and as PID 1 of a namespace if asked for.
    fn command(&self, name: &str, init: bool) -> Command {
        let mut words: Vec<PathBuf> = Vec::new();
        if init {
            words.extend(AS_PID_1.iter().map(PathBuf::from));
        }
        if self.user == User::Nobody {
            words.extend(AS_NOBODY.iter().map(PathBuf::from));
        }
        words.push(self.bin.join(name));
        let mut command = self.daemon.command("supervisord");
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .arg("-c")
            .arg(self.daemon.config_path())
            .envs(environment)
            .current_dir(self.daemon.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn status(&self) -> String {
        let mut command = self.command("supervisorctl", false);
        let output = command.arg("status").stdout(Stdio::piped()).output();
        String::from_utf8_lossy(&output.expect("supervisorctl runs").stdout).into_owned()
    }

    /// Start, status, log, crash, restart, stop, shutdown.
    fn live(mut self) {
        let daemon = &self.daemon;
        wait::until("an answer", || match daemon.address().connect() {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        });
        for program in ["sleeper", "teller"] {
            daemon.wait_state(program, "RUNNING");
        }
        let status = self.status();
        assert_eq!(status.matches("RUNNING").count(), 2, "{status}");
        daemon.wait_file("teller.out", &format!("{}\n", self.uid()));
        let own = daemon.call("getPID", json!([]));
        assert_eq!(own == json!(1), self.mode == Mode::Init, "pid {own}");

        let first = daemon.process_pid("sleeper");
        daemon.call("signalProcess", json!(["sleeper", "KILL"]));
        daemon.wait_log("exited: sleeper (terminated by SIGKILL; not expected)");
        daemon.wait_state("sleeper", "RUNNING");
        assert_ne!(daemon.process_pid("sleeper"), first);
        daemon.call("stopProcess", json!(["teller"]));
        assert_eq!(daemon.state("teller"), "STOPPED");

        assert_eq!(daemon.call("shutdown", json!([])), json!(true));
        if let Some(child) = &mut self.child {
            let status = wait::until("the end", || match child.try_wait() {
                Ok(Some(status)) => Ok(status),
                other => Err(format!("{other:?}")),
            });
            assert_eq!(status.code(), Some(0), "{}", self.daemon.log());
        }
        self.daemon.assert_nothing_left();
    }

    fn uid(&self) -> u32 {
        match self.user {
            User::Tester => Uid::effective().as_raw(),
            User::Nobody => NOBODY,
        }
    }
}

/// Gives the directory to nobody, with commands in it; answers where those are.
fn hand_over(daemon: &Daemon) -> PathBuf {
    let bin = daemon.path("bin");
    fs::create_dir(&bin).expect("the directory is writable");
    for name in ["supervisord", "supervisorctl"] {
        fs::copy(daemon.flavour().command(name), bin.join(name)).expect("it can be copied");
    }
    fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).expect("it is ours");
    for path in [daemon.dir(), &daemon.path("logs")] {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("we are root");
    }
    bin
}

#[test]
fn the_same_life_in_every_standing() {
    let rows = [
        (User::Tester, Mode::Foreground),
        (User::Tester, Mode::Background),
        (User::Tester, Mode::Init),
        (User::Nobody, Mode::Foreground),
        (User::Nobody, Mode::Background),
        (User::Nobody, Mode::Init),
    ];
    for (user, mode) in rows {
        // To become somebody else and to make a namespace takes root.
        let ordinary = user == User::Tester && mode != Mode::Init;
        if ordinary || Uid::effective().is_root() {
            eprintln!("{user:?}, {mode:?}");
            Standing::start(user, mode).live();
        }
    }
}
