//! Our reading of a case: by the library, and by the real daemon.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use callboard_tests::http::Address;
use callboard_tests::{wait, workspace, xmlrpc};
use config::check::Severity;
use config::cli::Invocation;
use config::model::Config;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::case::Case;

/// What the library makes of a case.
#[derive(Debug)]
pub(crate) enum Reading {
    /// The configuration it means.
    Accepted(Box<Config>),
    /// Something is printed instead.
    Printed,
    /// What follows `Error: `.
    Refused(String),
}

/// The errors that a check of a case tells of, but for those that are supervisorctl's. `None`: the command line
/// asks for something else.
pub(crate) fn check(case: &Case) -> Option<Vec<String>> {
    let environment = case.environment.iter().cloned().collect();
    let Ok(Invocation::Run(mut command_line)) = config::cli::parse(&case.argv) else {
        return None;
    };
    command_line.start_dir.clone_from(&case.dir);
    let found = config::check(&command_line, &environment).diagnostics;
    let is_clients = |section: &Option<String>| {
        let section = section.as_deref().unwrap_or_default();
        section.starts_with("supervisorctl") || section.starts_with("ctlplugin:")
    };
    let errors = found
        .into_iter()
        .filter(|found| found.severity == Severity::Error && !is_clients(&found.section));
    Some(errors.map(|error| error.message).collect())
}

/// Reads a case without starting anything.
pub(crate) fn read(case: &Case) -> Reading {
    let environment = case.environment.iter().cloned().collect();
    match config::cli::parse(&case.argv) {
        Err(error) => Reading::Refused(error.to_string()),
        Ok(Invocation::Run(mut command_line)) => {
            command_line.start_dir.clone_from(&case.dir);
            match config::load(&command_line, &environment) {
                Ok(config) => Reading::Accepted(Box::new(config)),
                Err(error) => Reading::Refused(error.to_string()),
            }
        }
        Ok(Invocation::Help(_) | Invocation::Version | Invocation::Check { .. }) => {
            Reading::Printed
        }
    }
}

/// A supervisord in the foreground; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    case: &'a Case,
    child: Child,
}

impl<'a> Running<'a> {
    /// Starts it with `words` before those of the case.
    pub(crate) fn start(case: &'a Case, words: &[&str]) -> Self {
        let stderr = File::create(case.dir.join("stderr")).expect("the directory is writable");
        let child = Command::new(workspace::binary("supervisord"))
            .args(words)
            .args(&case.argv[1..])
            .current_dir(&case.dir)
            .env_clear()
            .envs(case.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("supervisord starts");
        Self { case, child }
    }

    /// Waits for its end: exit code and standard error.
    pub(crate) fn end(mut self) -> (i32, String) {
        let what = format!("supervisord to end ({})", self.case.name);
        let status = wait::until(&what, || match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            other => Err(format!("{other:?}")),
        });
        (status.code().unwrap_or(-1), self.stderr())
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(self) -> (i32, String) {
        let pid = i32::try_from(self.child.id()).expect("a pid is an i32");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it runs");
        self.end()
    }

    fn stderr(&self) -> String {
        let bytes = std::fs::read(self.case.dir.join("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Calls a method, waiting for the server to come up; the error is what it wrote when it ended instead.
    pub(crate) fn ask(&mut self, method: &str) -> Result<Value, String> {
        let address = Address::Unix(self.case.dir.join("s.sock"));
        let call = xmlrpc::encode_call(&format!("supervisor.{method}"), &json!([]));
        let what = format!("an answer of supervisord ({})", self.case.name);
        wait::until(&what, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Ok(Err(format!("ended with {status}: {}", self.stderr())));
            }
            match address.post("/RPC2", &[], call.as_bytes()) {
                Ok(reply) if reply.status == 200 => {
                    Ok(xmlrpc::decode_answer(&reply.text()).map_err(|fault| format!("{fault:?}")))
                }
                other => Err(format!("{other:?}")),
            }
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Already ended, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
