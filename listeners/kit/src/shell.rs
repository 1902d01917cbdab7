//! Commands run through the shell, with an end.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg};
use nix::unistd::Pid;

/// How long to wait before looking at a command again, first and at most.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(100);

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// It could not be run, or not be watched.
    #[error("cannot run {command}: {error}")]
    Run {
        /// The command.
        command: String,
        /// What the system says.
        error: io::Error,
    },
    /// It took too long and was killed, with everything it had started.
    #[error("{command} took longer than {} s", limit.as_secs())]
    TimedOut {
        /// The command.
        command: String,
        /// How long it was given.
        limit: Duration,
    },
    /// It said that it failed.
    #[error("{command} failed: {status}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
}

/// A command line for `sh`, and how long it may take.
///
/// What the command prints never reaches the listener's standard output, which belongs to the protocol.
#[derive(Debug, Clone, Copy)]
pub struct Shell<'a> {
    /// The command line.
    pub command: &'a str,
    /// How long it may take before it is killed.
    pub limit: Duration,
}

impl Shell<'_> {
    /// Runs the command with `input` as its standard input. What it prints goes to standard error.
    ///
    /// # Errors
    /// When it cannot be run, fails, or takes too long.
    pub fn feed(&self, input: Vec<u8>) -> Result<(), ShellError> {
        let mut child = self.spawn(Stdio::piped(), io::stderr().into())?;
        if let Some(stdin) = child.stdin.take() {
            write_aside(stdin, input).map_err(|error| self.failed_to_run(error))?;
        }
        let status = self.wait(&mut child, Instant::now() + self.limit)?;
        self.check(status)
    }

    /// Runs the command with no input and returns what it prints on standard output, whatever its exit status.
    ///
    /// # Errors
    /// When it cannot be run or takes too long.
    pub fn capture(&self) -> Result<Vec<u8>, ShellError> {
        let deadline = Instant::now() + self.limit;
        let mut child = self.spawn(Stdio::null(), Stdio::piped())?;
        let Some(stdout) = child.stdout.take() else {
            return Ok(Vec::new());
        };
        let output = read_aside(stdout).map_err(|error| self.failed_to_run(error))?;
        match output.recv_timeout(self.limit) {
            Ok(output) => {
                self.wait(&mut child, deadline)?;
                output.map_err(|error| self.failed_to_run(error))
            }
            Err(_) => Err(self.give_up(&mut child)),
        }
    }

    fn spawn(&self, stdin: Stdio, stdout: Stdio) -> Result<Child, ShellError> {
        // A command inherits which signals are blocked; a listener that waits for them in a thread blocks those it ends by.
        let blocked = SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK);
        let child = Command::new("/bin/sh")
            .arg("-c")
            .arg(self.command)
            .stdin(stdin)
            .stdout(stdout)
            .process_group(0)
            .spawn();
        if let Ok(blocked) = blocked {
            // It was allowed a moment ago.
            let _ = blocked.thread_set_mask();
        }
        child.map_err(|error| self.failed_to_run(error))
    }

    fn wait(&self, child: &mut Child, deadline: Instant) -> Result<ExitStatus, ShellError> {
        let mut pause = FIRST_LOOK;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if Instant::now() >= deadline => return Err(self.give_up(child)),
                Ok(None) => thread::sleep(pause),
                Err(error) => return Err(self.failed_to_run(error)),
            }
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Kills the command's whole process group and reaps the shell.
    fn give_up(&self, child: &mut Child) -> ShellError {
        let group = Pid::from_raw(child.id().cast_signed());
        // The shell is not reaped yet, so the number is still its own; an empty group is as good as a killed one.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = child.wait();
        ShellError::TimedOut {
            command: self.command.to_owned(),
            limit: self.limit,
        }
    }

    fn check(&self, status: ExitStatus) -> Result<(), ShellError> {
        if status.success() {
            return Ok(());
        }
        Err(ShellError::Failed {
            command: self.command.to_owned(),
            status,
        })
    }

    fn failed_to_run(&self, error: io::Error) -> ShellError {
        ShellError::Run {
            command: self.command.to_owned(),
            error,
        }
    }
}

/// Writes without keeping the caller: a command that reads nothing must not hold up its own time limit.
fn write_aside(mut stdin: ChildStdin, input: Vec<u8>) -> io::Result<()> {
    thread::Builder::new().spawn(move || {
        // A command may well end without reading; its exit status tells whether that was a failure.
        let _ = stdin.write_all(&input);
    })?;
    Ok(())
}

/// Reads to the end without keeping the caller.
fn read_aside(mut stdout: ChildStdout) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let mut output = Vec::new();
        let result = stdout.read_to_end(&mut output).map(|_| output);
        // The receiver is gone when the command took too long.
        let _ = sender.send(result);
    })?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(command: &str) -> Shell<'_> {
        Shell {
            command,
            limit: Duration::from_secs(30),
        }
    }

    #[test]
    fn the_command_gets_its_input() {
        assert!(
            shell("read word; test \"$word\" = hello")
                .feed(b"hello\n".to_vec())
                .is_ok()
        );
        let error = shell("exit 3")
            .feed(vec![b'x'; 1 << 20])
            .expect_err("it fails");
        assert_eq!(error.to_string(), "exit 3 failed: exit status: 3");
    }

    #[test]
    fn output_is_captured_whatever_the_status() {
        assert_eq!(
            shell("printf 'a\\nb'; exit 1").capture().expect("it runs"),
            b"a\nb"
        );
        assert_eq!(shell("cat").capture().expect("it has no input"), b"");
    }

    #[test]
    fn no_signal_is_blocked_in_a_command() {
        let blocked = SigSet::from_iter([Signal::SIGUSR1]);
        blocked.thread_block().expect("it can be blocked");
        let output = shell("kill -USR1 $$; echo alive").capture();
        assert_eq!(output.expect("it runs"), b"");
        let mask = SigSet::thread_get_mask().expect("a mask");
        assert!(mask.contains(Signal::SIGUSR1));
    }

    #[test]
    fn what_takes_too_long_is_killed_with_its_children() {
        let hang = Shell {
            command: "sleep 1000 | sleep 1000",
            limit: Duration::from_millis(50),
        };
        let text = "sleep 1000 | sleep 1000 took longer than 0 s";
        assert_eq!(
            hang.feed(Vec::new()).expect_err("it hangs").to_string(),
            text
        );
        assert_eq!(hang.capture().expect_err("it hangs").to_string(), text);
    }
}
