//! The listener's process: its three streams and its end.

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How much of standard error is kept, in bytes.
const KEPT_ERRORS: usize = 2000;

/// How long to wait before looking for the end of a process again, first and at most.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(20);

/// What came from standard output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// This.
    Bytes(Vec<u8>),
    /// Nothing, within the time.
    Silence,
    /// It was closed.
    End,
}

/// A listener that runs. Dropping it kills it, with all it started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: Option<Sender<Vec<u8>>>,
    output: Receiver<Vec<u8>>,
    errors: Arc<Mutex<Vec<u8>>>,
}

impl Process {
    /// Starts a listener as supervisord would: in a process group of its own, with its streams on pipes.
    ///
    /// # Errors
    /// When there is no such command, or no resources.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (input, pieces) = mpsc::channel();
        let (chunks, output) = mpsc::channel();
        let errors = Arc::default();
        if let Some(stdin) = child.stdin.take() {
            thread::Builder::new().spawn(move || write_all(stdin, &pieces))?;
        }
        if let Some(stdout) = child.stdout.take() {
            // Whoever is not listening any more has heard enough.
            read_all(stdout, move |chunk| chunks.send(chunk.to_vec()).is_ok())?;
        }
        if let Some(stderr) = child.stderr.take() {
            let errors = Arc::clone(&errors);
            read_all(stderr, move |chunk| {
                keep_tail(&errors, chunk);
                true
            })?;
        }
        Ok(Self {
            child,
            input: Some(input),
            output,
            errors,
        })
    }

    /// Sends bytes to its standard input, without waiting for it to read them.
    pub(crate) fn write(&self, bytes: &[u8]) {
        if let Some(input) = &self.input {
            // A listener that closed its input shows in its answers.
            let _ = input.send(bytes.to_vec());
        }
    }

    /// Closes its standard input, once all is written.
    pub(crate) fn close(&mut self) {
        self.input = None;
    }

    /// What comes next on its standard output.
    pub(crate) fn read(&self, deadline: Instant) -> Output {
        match self
            .output
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(bytes) => Output::Bytes(bytes),
            Err(RecvTimeoutError::Timeout) => Output::Silence,
            Err(RecvTimeoutError::Disconnected) => Output::End,
        }
    }

    /// Sends SIGTERM, as supervisord does to stop it.
    pub(crate) fn terminate(&self) {
        // It may have ended.
        let _ = kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGTERM,
        );
    }

    /// Waits for its end; `None`: it does not end.
    pub(crate) fn wait(&mut self, deadline: Instant) -> Option<ExitStatus> {
        let mut pause = FIRST_LOOK;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(pause),
                _ => return None,
            }
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// The last it wrote on standard error.
    pub(crate) fn errors(&self) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&errors).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its group may live on without it, or be gone altogether.
        let _ = killpg(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGKILL,
        );
        let _ = self.child.wait();
    }
}

fn write_all(mut stdin: ChildStdin, pieces: &Receiver<Vec<u8>>) {
    for piece in pieces {
        if stdin.write_all(&piece).is_err() {
            return;
        }
    }
}

/// Hands on what a stream brings, until it ends or is not wanted any more.
fn read_all(
    mut stream: impl Read + Send + 'static,
    mut take: impl FnMut(&[u8]) -> bool + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new().spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if !take(&buffer[..length]) {
                return;
            }
        }
    })?;
    Ok(())
}

fn keep_tail(errors: &Mutex<Vec<u8>>, chunk: &[u8]) {
    let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
    errors.extend_from_slice(chunk);
    let surplus = errors.len().saturating_sub(KEPT_ERRORS);
    errors.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn sh(script: &str) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        Process::start(command).expect("a shell")
    }

    #[test]
    fn streams_are_connected() {
        let mut process = sh("read word; printf %s \"$word\"; echo late >&2");
        process.write(b"hello\n");
        assert_eq!(process.read(soon()), Output::Bytes(b"hello".to_vec()));
        assert_eq!(process.read(soon()), Output::End);
        let status = process.wait(soon()).expect("it ends");
        assert!(status.success());
    }

    #[test]
    fn the_end_of_input_is_seen() {
        let mut process = sh("cat");
        assert_eq!(process.read(Instant::now()), Output::Silence);
        process.close();
        assert_eq!(process.read(soon()), Output::End);
    }

    #[test]
    fn only_the_last_errors_are_kept() {
        let errors = Mutex::new(Vec::new());
        keep_tail(&errors, &[b'a'; KEPT_ERRORS]);
        keep_tail(&errors, b"b");
        let errors = errors.into_inner().expect("nobody panicked");
        assert_eq!((errors.len(), errors.last()), (KEPT_ERRORS, Some(&b'b')));
    }
}
