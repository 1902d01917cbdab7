//! A supervisord of either flavour in a temporary directory.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::events::{self, Event};
use crate::flavour::Flavour;
use crate::http::Address;
use crate::xmlrpc::{self, Fault};
use crate::{originals, procfs, wait, workspace};

/// What every daemon under test is configured with; a scenario's own sections follow and may override it.
///
/// Children find `%(ENV_LISTENER)s` (the recording listener), `%(ENV_PYTHON)s` and `%(ENV_FIXTURES)s`.
const PREAMBLE: &str = "\
[unix_http_server]
file=%(here)s/s.sock
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s/logs
identifier=board
loglevel=debug
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
";

/// Marks every process of a test, however it got lost.
const MARK: &str = "CALLBOARD_TEST_DIR";

/// A supervisord and its directory. Dropping it kills all that was started in it.
pub struct Daemon {
    flavour: Flavour,
    dir: TempDir,
    port: u16,
    environment: Vec<(String, String)>,
    /// What comes first on the path, if not the flavour's commands.
    programs: Option<PathBuf>,
    child: Option<Child>,
}

/// The outcome of a supervisorctl run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtlOutput {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit status, -1 after a signal.
    pub code: i32,
}

impl Daemon {
    /// Prepares the directory and writes the configuration, without starting anything.
    pub fn prepare(flavour: Flavour, config: &str) -> Self {
        let dir = TempDir::with_prefix("callboard-").expect("a temporary directory");
        fs::create_dir(dir.path().join("logs")).expect("the directory is writable");
        let daemon = Self {
            flavour,
            dir,
            port: free_port(),
            environment: Vec::new(),
            programs: None,
            child: None,
        };
        daemon.write_config(config);
        daemon
    }

    /// Starts in the foreground and waits until it answers.
    pub fn start(flavour: Flavour, config: &str) -> Self {
        let mut daemon = Self::prepare(flavour, config);
        daemon.launch(&[]);
        daemon.wait_until_up();
        daemon
    }

    /// Starts the flavour under test.
    pub fn under_test(config: &str) -> Self {
        Self::start(Flavour::under_test(), config)
    }

    /// Adds to the environment of everything started from now on.
    pub fn add_environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        self.environment.extend(variables);
    }

    /// Has everything started from now on find its programs in a directory instead of the flavour's.
    pub fn find_programs_in(&mut self, directory: &Path) {
        self.programs = Some(directory.to_path_buf());
    }

    /// Starts the process with `-n` and further arguments.
    pub fn launch(&mut self, arguments: &[&str]) {
        self.launch_program(&self.flavour.command("supervisord"), arguments);
    }

    /// The same with another program than the flavour's.
    pub fn launch_program(&mut self, program: &Path, arguments: &[&str]) {
        let child = self
            .fixture_command(program)
            .args(["-n", "-c"])
            .arg(self.config_path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(self.create("stdout"))
            .stderr(self.create("stderr"))
            .spawn()
            .expect("supervisord starts");
        self.child = Some(child);
    }

    /// Waits for the answer to a first request; fails at once if the process ends.
    pub fn wait_until_up(&mut self) {
        let _answer = wait::until("the daemon to answer", || {
            if let Some(status) = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten())
            {
                panic!(
                    "supervisord ended with {status}: {}{}",
                    self.read("stderr"),
                    self.read("supervisord.log")
                );
            }
            self.try_call("supervisor.getState", &json!([]))
                .map_err(|error| format!("{error:?}"))
        });
    }

    /// A command of this flavour with the environment and directory of this fixture; its siblings come first
    /// on the path.
    pub fn command(&self, name: &str) -> Command {
        self.fixture_command(&self.flavour.command(name))
    }

    /// Starts any other program in the fixture's directory and environment.
    pub fn fixture_child(&self, program: &str, arguments: &[&str]) -> Child {
        let mut command = self.fixture_command(Path::new(program));
        command
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// A command of any other program with the environment and directory of this fixture.
    pub fn fixture_command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let python = originals::python();
        let listener = workspace::fixtures().join("listener.py");
        command
            .current_dir(self.dir())
            .env(MARK, self.dir())
            .env("PATH", self.search_path())
            .env("PYTHON", &python)
            .env("FIXTURES", workspace::fixtures())
            .env(
                "LISTENER",
                format!("\"{}\" \"{}\"", python.display(), listener.display()),
            )
            .env("TEST_PORT", self.port.to_string())
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("COLUMNS", "80")
            .env_remove("SUPERVISOR_SERVER_URL")
            .envs(self.environment.iter().cloned());
        command
    }

    fn search_path(&self) -> OsString {
        let directory = || {
            let mut path = self.flavour.command("supervisord");
            path.pop();
            path
        };
        let path = self.programs.clone().unwrap_or_else(directory);
        let mut path = path.into_os_string();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        path
    }

    /// Which implementation this is.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The directory, `%(here)s` of the configuration.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Leaves the directory where it is when the fixture goes.
    pub fn keep(&mut self) {
        self.dir.disable_cleanup(true);
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// A port nobody listens on, `%(ENV_TEST_PORT)s` of the configuration.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of a daemon started in the foreground.
    pub fn pid(&self) -> i32 {
        self.child
            .as_ref()
            .map(|child| child.id() as i32)
            .expect("the daemon was started")
    }

    /// The configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.path("supervisord.conf")
    }

    /// Replaces the configuration; the preamble stays.
    pub fn write_config(&self, config: &str) {
        fs::write(self.config_path(), format!("{PREAMBLE}{config}"))
            .expect("the directory is writable");
    }

    /// A file's content; empty if it is missing.
    pub fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// An empty file that several processes may append to.
    fn create(&self, name: &str) -> File {
        let path = self.path(name);
        // What an earlier run left goes away first.
        let _ = fs::remove_file(&path);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("the directory is writable")
    }

    /// The activity log.
    pub fn log(&self) -> String {
        self.read("supervisord.log")
    }

    /// Where the daemon's Unix socket is.
    pub fn address(&self) -> Address {
        Address::Unix(self.path("s.sock"))
    }

    /// Calls a method and expects a value.
    pub fn call(&self, method: &str, params: Value) -> Value {
        self.rpc(method, params.clone())
            .unwrap_or_else(|fault| panic!("{method}{params} failed: {fault:?}"))
    }

    /// Calls a method and expects a fault.
    pub fn fault(&self, method: &str, params: Value) -> Fault {
        match self.rpc(method, params.clone()) {
            Err(fault) => fault,
            Ok(value) => panic!("{method}{params} answered {value} instead of failing"),
        }
    }

    /// Calls a method of the `supervisor` namespace, or of another one if `method` names it.
    pub fn rpc(&self, method: &str, params: Value) -> Result<Value, Fault> {
        self.try_call(&full_name(method), &params)
            .unwrap_or_else(|error| panic!("{method}{params}: {error}"))
    }

    /// Calls a method by its whole name; the outer error is that of the transport, or an HTTP status.
    pub fn try_call(&self, method: &str, params: &Value) -> std::io::Result<Result<Value, Fault>> {
        let body = xmlrpc::encode_call(method, params);
        let reply = self.address().post("/RPC2", &[], body.as_bytes())?;
        if reply.status != 200 {
            return Err(std::io::Error::other(format!(
                "HTTP status {}",
                reply.status
            )));
        }
        Ok(xmlrpc::decode_answer(&reply.text()))
    }

    /// `getProcessInfo`.
    pub fn info(&self, name: &str) -> Value {
        self.call("getProcessInfo", json!([name]))
    }

    /// The name of a process's state.
    pub fn state(&self, name: &str) -> String {
        self.info(name)["statename"]
            .as_str()
            .expect("a state has a name")
            .to_owned()
    }

    /// The pid of a process, 0 if it has none.
    pub fn process_pid(&self, name: &str) -> i32 {
        self.info(name)["pid"].as_i64().expect("a pid is a number") as i32
    }

    /// Waits for a process to reach a state.
    pub fn wait_state(&self, name: &str, state: &str) {
        wait::until(&format!("{name} to be {state}"), || {
            let info = self.info(name);
            if info["statename"] == state {
                Ok(())
            } else {
                Err(info)
            }
        });
    }

    /// Waits until the activity log contains a text.
    pub fn wait_log(&self, text: &str) {
        wait::until(&format!("{text:?} in the log"), || {
            let log = self.log();
            if log.contains(text) { Ok(()) } else { Err(log) }
        });
    }

    /// Waits until a file contains a text.
    pub fn wait_file(&self, name: &str, text: &str) {
        wait::until(&format!("{text:?} in {name}"), || {
            let content = self.read(name);
            if content.contains(text) {
                Ok(())
            } else {
                Err(content)
            }
        });
    }

    /// What a recording listener received so far.
    pub fn events(&self, record: &str) -> Vec<Event> {
        events::read(&self.path(record))
    }

    /// Waits for a recorded event that satisfies the condition and answers the first.
    pub fn wait_event(&self, record: &str, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        wait::until(&format!("{what} in {record}"), || {
            let events = self.events(record);
            events
                .iter()
                .find(|event| wanted(event))
                .cloned()
                .ok_or(events)
        })
    }

    /// Runs this flavour's supervisorctl.
    pub fn ctl(&self, words: &[&str]) -> CtlOutput {
        self.ctl_of(self.flavour, words)
    }

    /// Runs a flavour's supervisorctl against this daemon.
    pub fn ctl_of(&self, flavour: Flavour, words: &[&str]) -> CtlOutput {
        self.run(&flavour.command("supervisorctl"), &self.with_config(words))
    }

    fn with_config<'a>(&self, words: &'a [&'a str]) -> Vec<OsString> {
        let mut arguments = vec!["-c".into(), self.config_path().into_os_string()];
        arguments.extend(words.iter().map(|word| word.into()));
        arguments
    }

    /// Runs a flavour's supervisorctl without a command, its input from a file.
    pub fn ctl_shell(&self, flavour: Flavour, input: &str) -> CtlOutput {
        fs::write(self.path("input"), input).expect("the directory is writable");
        let input = File::open(self.path("input")).expect("it was just written");
        self.run_with(
            &flavour.command("supervisorctl"),
            &self.with_config(&[]),
            Stdio::from(input),
        )
    }

    /// Runs any program in the fixture's directory and environment, without input.
    pub fn run<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> CtlOutput {
        self.run_with(program, arguments, Stdio::null())
    }

    fn run_with<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: &[S],
        input: Stdio,
    ) -> CtlOutput {
        let output = self
            .fixture_command(program)
            .args(arguments)
            .stdin(input)
            .output()
            .unwrap_or_else(|error| panic!("{program:?}: {error}"));
        CtlOutput {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Sends the daemon a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the daemon lives");
    }

    /// Waits for the process to end by itself.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let child = self.child.as_mut().expect("the daemon was started");
        wait::until("the daemon to end", || match child.try_wait() {
            Ok(Some(status)) => Ok(status),
            other => Err(format!("{other:?}")),
        })
    }

    /// Ends the daemon with SIGTERM and checks that it leaves nothing behind.
    pub fn shut_down(&mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.wait_exit();
        assert_eq!(status.code(), Some(0), "{}", self.log());
        self.assert_nothing_left();
    }

    /// Checks that no process, socket or pidfile is left.
    pub fn assert_nothing_left(&self) {
        wait::until("all processes to be gone", || match self.processes() {
            rows if rows.is_empty() => Ok(()),
            rows => Err(rows),
        });
        for name in ["s.sock", "supervisord.pid"] {
            assert!(!self.path(name).exists(), "{name} was left behind");
        }
    }

    /// Live processes of this fixture, the daemon and those it lost included.
    pub fn processes(&self) -> Vec<procfs::Row> {
        procfs::with_environment(&self.mark())
    }

    fn mark(&self) -> String {
        format!("{MARK}={}", self.dir().display())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        procfs::kill_with_environment(&self.mark());
        if let Some(child) = self.child.as_mut() {
            // Reaped, or never started: either way nothing is left.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A method's name with its namespace, `supervisor` unless it says another.
pub(crate) fn full_name(method: &str) -> String {
    match method.contains('.') {
        true => method.to_owned(),
        false => format!("supervisor.{method}"),
    }
}

/// A TCP port of the loopback interface that nobody listens on. It is given to nobody else in this
/// process, and lies below the range from which the kernel takes ports for outgoing connections, so
/// it stays free until it is used.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Test processes that run at the same time begin at places of their own.
    let begin = std::process::id().wrapping_mul(997);
    (0..COUNT)
        .map(|_| begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .filter_map(|place| u16::try_from(FIRST + place).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
