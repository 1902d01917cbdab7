//! A supervisord of either kind, in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use callboard_tests::{originals, procfs, workspace};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::error::{About, Error};
use crate::leftovers;
use crate::meter;
use crate::rpc::{self, Connection};

/// Marks all that a measurement starts, however it got lost.
const MARK: &str = "CALLBOARD_BENCH_DIR";

/// How long anything may take before the row is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

const SHORT: Duration = Duration::from_micros(300);

/// An installed implementation.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    /// Its name in tables.
    pub(crate) label: &'static str,
    bin: PathBuf,
}

impl Install {
    /// Supervisor and superlance, installed first if need be.
    pub(crate) fn original() -> Self {
        let mut bin = originals::command("supervisord");
        bin.pop();
        let label = "original";
        Self { label, bin }
    }

    /// Ours: from a directory that is given, or built now.
    pub(crate) fn ours(bin: Option<PathBuf>) -> Result<Self, Error> {
        let label = "ours";
        if let Some(bin) = bin {
            return Ok(Self { label, bin });
        }
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--release", "--quiet", "--target-dir"]);
        build.arg(workspace::target_dir());
        for bin in ["supervisord", "supervisorctl", "memmon"] {
            build.args(["--bin", bin]);
        }
        let status = build.current_dir(workspace::root()).status();
        if !status.about("run cargo")?.success() {
            return Err(Error::Answer("the commands do not build".to_owned()));
        }
        let bin = workspace::target_dir().join("release");
        Ok(Self { label, bin })
    }

    /// One of its commands.
    pub(crate) fn command(&self, name: &str) -> Command {
        Command::new(self.bin.join(name))
    }
}

/// A running daemon. Dropping it kills whatever is left of it.
#[derive(Debug)]
pub(crate) struct Server {
    dir: TempDir,
    child: Child,
    started: Instant,
}

impl Server {
    /// Starts in the foreground with these sections and room for descriptors; does not wait.
    pub(crate) fn start(install: &Install, sections: &str, minfds: usize) -> Result<Self, Error> {
        let dir = TempDir::with_prefix("callboard-bench-").about("make a directory")?;
        write_config(dir.path(), sections, minfds)?;
        let mut command = install.command("supervisord");
        command
            .args(["-n", "-s", "-c"])
            .arg(dir.path().join("supervisord.conf"))
            .current_dir(dir.path())
            .env(MARK, dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = Instant::now();
        let child = command.spawn().about("start supervisord")?;
        Ok(Self {
            dir,
            child,
            started,
        })
    }

    /// When the process was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The daemon's pid.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A path in its directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces the sections of the configuration file.
    pub(crate) fn rewrite(&self, sections: &str, minfds: usize) -> Result<(), Error> {
        write_config(self.dir.path(), sections, minfds)
    }

    /// The URL for clients.
    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.path("s.sock").display())
    }

    /// Opens a connection, waiting for the socket to be there.
    pub(crate) fn connect(&self) -> Result<Connection, Error> {
        let socket = self.path("s.sock");
        let open = || Connection::open(&socket).ok();
        meter::wait("socket to connect to", PATIENCE, SHORT, open)
    }

    /// Waits until the process `last` is RUNNING, and `count` are; answers when.
    pub(crate) fn wait_running(
        &self,
        last: &str,
        count: usize,
    ) -> Result<(Connection, Instant), Error> {
        let mut connection = self.connect()?;
        let one = rpc::request("supervisor.getProcessInfo", &json!([last]));
        let all = rpc::request("supervisor.getAllProcessInfo", &json!([]));
        let what = format!("{count} programs to run");
        // To ask about all is dear, so what that takes is not counted if the answer is as expected at once.
        meter::wait(&what, PATIENCE, SHORT, || {
            let last = running(connection.exchange(&one).ok()?) == 1;
            let now = Instant::now();
            (last && running(connection.exchange(&all).ok()?) >= count).then_some(now)
        })
        .map(|when| (connection, when))
    }

    /// Starts a program that is not started by itself.
    pub(crate) fn start_program(&self, name: &str) -> Result<(), Error> {
        let answer = self
            .connect()?
            .call("startProcess", &json!([name, false]))?;
        match answer {
            Value::Bool(true) => Ok(()),
            other => Err(Error::Answer(format!("startProcess answered {other}"))),
        }
    }

    /// Ends it by SIGTERM; answers how many seconds that took.
    pub(crate) fn stop(mut self) -> Result<f64, Error> {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let start = Instant::now();
        kill(pid, Signal::SIGTERM).about("signal supervisord")?;
        let ended = || self.child.try_wait().ok().flatten();
        meter::wait("end of supervisord", PATIENCE, SHORT, ended)?;
        Ok(start.elapsed().as_secs_f64())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        procfs::kill_with_environment(&format!("{MARK}={}", self.dir.path().display()));
        // It has ended before, or just now.
        let _ = self.child.wait();
        leftovers::keep_crowded(&mut self.dir);
    }
}

/// How many processes an answer shows as RUNNING.
fn running(body: &[u8]) -> usize {
    let text = String::from_utf8_lossy(body);
    text.matches("<string>RUNNING</string>").count()
}

fn write_config(dir: &Path, sections: &str, minfds: usize) -> Result<(), Error> {
    let text = format!(
        "[supervisord]\nlogfile=%(here)s/supervisord.log\npidfile=%(here)s/supervisord.pid\n\
         childlogdir=%(here)s\nminfds={minfds}\n\
         [unix_http_server]\nfile=%(here)s/s.sock\n\
         [supervisorctl]\nserverurl=unix://%(here)s/s.sock\n\
         [rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n{sections}"
    );
    fs::write(dir.join("supervisord.conf"), text).about("write the configuration")
}
