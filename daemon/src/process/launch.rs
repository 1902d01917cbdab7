//! From a process's configuration to a child: the command line, the environment, the pipes.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use config::model::ProcessConfig;
use config::shlex::{self, ShlexError};
use nix::errno::Errno;
use nix::unistd::Pid;
use protocol::faults::{Fault, FaultCode};
use thiserror::Error;

use super::fcgi::Listening;
use crate::sys::command::{self, CommandError};
use crate::sys::fds::{self, ChildPipe};
use crate::sys::identity::Identity;
use crate::sys::kernel::Kernel;
use crate::sys::limits;
use crate::sys::spawn::{LaunchPlan, SpawnError};
use crate::sys::{errno_name, io_error_name};

/// Why there is no child. The texts are Supervisor's `spawnerr`.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// Unbalanced quotes.
    #[error("can't parse command {}: {reason}", config::python_repr(.command))]
    Parse {
        /// The command line.
        command: String,
        /// What is wrong with it.
        reason: ShlexError,
    },
    /// Nothing to run.
    #[error("command is empty")]
    Empty,
    /// No such program, or not one that can be run.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A NUL byte where the kernel takes none.
    #[error("command or environment of '{0}' contains a NUL byte")]
    Nul(String),
    /// Out of descriptors.
    #[error("too many open files to spawn '{0}'")]
    TooManyFiles(String),
    /// Another failure to make pipes or open logs.
    #[error("unknown error making dispatchers for '{process}': {cause}")]
    Dispatchers {
        /// The process.
        process: String,
        /// Symbolic errno.
        cause: String,
    },
    /// The socket of an `[fcgi-program:x]`.
    #[error("Could not create FastCGI socket {url}: {error}")]
    Socket {
        /// The socket as configured.
        url: String,
        /// Why.
        error: std::io::Error,
    },
    /// The kernel gave no process.
    #[error("{}", .error.describe(.process))]
    Spawn {
        /// The process.
        process: String,
        /// Why.
        error: SpawnError,
    },
}

impl LaunchError {
    /// Failing to make pipes.
    pub fn pipes(process: &str, errno: Errno) -> Self {
        match errno {
            Errno::EMFILE => Self::TooManyFiles(process.to_owned()),
            errno => Self::Dispatchers {
                process: process.to_owned(),
                cause: errno_name(errno),
            },
        }
    }

    /// Failing to open a log.
    pub fn log(process: &str, error: &std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EMFILE) => Self::TooManyFiles(process.to_owned()),
            _ => Self::Dispatchers {
                process: process.to_owned(),
                cause: io_error_name(error),
            },
        }
    }

    /// How a start request is refused over this.
    pub fn refusal(&self) -> Fault {
        let code = match self {
            Self::Command(CommandError::NotFound(_)) => FaultCode::NoFile,
            _ => FaultCode::NotExecutable,
        };
        code.about(self.to_string())
    }
}

/// A command line taken apart, its program found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file to execute.
    pub file: PathBuf,
    /// Arguments, the name as written first.
    pub argv: Vec<String>,
}

/// Takes the command line apart and finds its program.
///
/// # Errors
/// [`LaunchError::Parse`], [`LaunchError::Empty`] or [`LaunchError::Command`].
pub fn resolve(config: &ProcessConfig) -> Result<Program, LaunchError> {
    let argv = shlex::split(&config.command).map_err(|reason| LaunchError::Parse {
        command: config.command.clone(),
        reason,
    })?;
    let word = argv.first().ok_or(LaunchError::Empty)?;
    let path = config.environment.get("PATH").map(String::as_str);
    let file = command::resolve(word, path)?;
    Ok(Program { file, argv })
}

/// The environment that every child starts from: the daemon's own.
#[derive(Debug, Clone)]
pub struct BaseEnvironment(Vec<(Vec<u8>, CString)>);

impl BaseEnvironment {
    /// The environment of this process.
    pub fn of_this_process() -> Self {
        let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            let name = name.as_bytes().to_vec();
            let text = [name.as_slice(), b"=", value.as_bytes()].concat();
            Some((name, CString::new(text).ok()?))
        };
        Self(std::env::vars_os().filter_map(entry).collect())
    }

    /// Everything a child of `config` gets: the daemon's variables, then `SUPERVISOR_*`, then what
    /// is configured; the later wins.
    fn overlay(
        &self,
        config: &ProcessConfig,
        server_url: Option<&str>,
    ) -> Result<Vec<CString>, std::ffi::NulError> {
        let mut own: BTreeMap<&str, &str> = BTreeMap::from([
            ("SUPERVISOR_ENABLED", "1"),
            ("SUPERVISOR_PROCESS_NAME", config.name.as_str()),
            ("SUPERVISOR_GROUP_NAME", config.group.as_str()),
        ]);
        let url = config.serverurl.as_deref().or(server_url);
        own.extend(url.map(|url| ("SUPERVISOR_SERVER_URL", url)));
        let configured = &config.environment;
        own.extend(configured.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        let replaced =
            |name: &[u8]| std::str::from_utf8(name).is_ok_and(|name| own.contains_key(name));
        let inherited = self.0.iter().filter(|(name, _)| !replaced(name));
        let mut all: Vec<CString> = inherited.map(|(_, entry)| entry.clone()).collect();
        for (name, value) in own {
            all.push(CString::new(format!("{name}={value}"))?);
        }
        Ok(all)
    }
}

/// What a child has as its standard input.
pub enum Input {
    /// A pipe that we write to.
    Pipe(ChildPipe),
    /// The listening socket of its section.
    Socket(Rc<Listening>),
}

impl Input {
    fn theirs(&self) -> BorrowedFd<'_> {
        match self {
            Self::Pipe(pipe) => pipe.theirs.as_fd(),
            Self::Socket(socket) => socket.as_fd(),
        }
    }
}

/// The pipes between the daemon and a child.
pub struct Pipes {
    stdin: Input,
    stdout: ChildPipe,
    /// `None` with `redirect_stderr`.
    stderr: Option<ChildPipe>,
}

/// Our ends of the pipes.
pub struct OurEnds {
    /// The child's standard input, if it is a pipe.
    pub stdin: Option<OwnedFd>,
    /// Its share of the section's socket, if it has that instead.
    pub socket: Option<Rc<Listening>>,
    /// The child's standard output.
    pub stdout: OwnedFd,
    /// The child's standard error, unless it is its standard output.
    pub stderr: Option<OwnedFd>,
}

impl Pipes {
    /// Makes them; a child that gets a socket gets no pipe to its standard input.
    ///
    /// # Errors
    /// The errno of pipe2(2), and EMFILE already when the last descriptors would go; nothing is left open then.
    pub fn open(redirect_stderr: bool, socket: Option<Rc<Listening>>) -> nix::Result<Self> {
        let pipes = Self {
            stdin: match socket {
                Some(socket) => Input::Socket(socket),
                None => Input::Pipe(fds::input_pipe()?),
            },
            stdout: fds::output_pipe()?,
            stderr: (!redirect_stderr).then(fds::output_pipe).transpose()?,
        };
        let last = pipes.stderr.as_ref().unwrap_or(&pipes.stdout);
        match limits::leaves_some(last.theirs.as_fd()) {
            true => Ok(pipes),
            false => Err(Errno::EMFILE),
        }
    }

    /// Closes the child's ends.
    pub fn into_ours(self) -> OurEnds {
        let (stdin, socket) = match self.stdin {
            Input::Pipe(pipe) => (Some(pipe.ours), None),
            Input::Socket(socket) => (None, Some(socket)),
        };
        OurEnds {
            stdin,
            socket,
            stdout: self.stdout.ours,
            stderr: self.stderr.map(|pipe| pipe.ours),
        }
    }
}

/// Creates the child.
///
/// # Errors
/// [`LaunchError::Nul`] or [`LaunchError::Spawn`]. What goes wrong after the child exists (user,
/// directory, exec) is written to its standard error, and it exits with 127.
pub fn launch(
    config: &ProcessConfig,
    program: &Program,
    pipes: &Pipes,
    identity: Option<&Identity>,
    base: &BaseEnvironment,
    server_url: Option<&str>,
    kernel: &dyn Kernel,
) -> Result<Pid, LaunchError> {
    let nul = |_| LaunchError::Nul(config.name.clone());
    let executable = c_path(&program.file).map_err(nul)?;
    let argv: Result<Vec<CString>, _> = program
        .argv
        .iter()
        .map(|word| CString::new(word.as_str()))
        .collect();
    let directory = config
        .directory
        .as_deref()
        .map(CString::new)
        .transpose()
        .map_err(nul)?;
    let stderr = pipes.stderr.as_ref().unwrap_or(&pipes.stdout);
    let plan = LaunchPlan {
        executable: &executable,
        argv: &argv.map_err(nul)?,
        envp: &base.overlay(config, server_url).map_err(nul)?,
        stdin: pipes.stdin.theirs(),
        stdout: pipes.stdout.theirs.as_fd(),
        stderr: stderr.theirs.as_fd(),
        identity,
        directory: directory.as_deref(),
        umask: config.umask,
    };
    kernel.spawn(&plan).map_err(|error| LaunchError::Spawn {
        process: config.name.clone(),
        error,
    })
}

fn c_path(path: &Path) -> Result<CString, std::ffi::NulError> {
    CString::new(AsRef::<OsStr>::as_ref(path).as_bytes())
}
