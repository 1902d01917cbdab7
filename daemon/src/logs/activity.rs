//! The daemon's own log: `2026-11-21 11:19:25,374 INFO message`.
//!
//! Goes to a file that rotates or to the system log, in the foreground to standard output as well.
//! Messages from before the log is open are held and written when it opens, as Supervisor does.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Display, Write as _};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use config::model::{self, LogLevel};
use serde::{Deserialize, Serialize};

use super::changes::{Changes, Follower};
use super::rotate::{Outcome, RotatingFile, Rotation};
use super::syslog::Syslog;
use crate::upgrade::Blob;

/// How long the end of the log waits for slow readers.
const LAST_CHANCE: Duration = Duration::from_millis(100);

/// A handle to the daemon's log; clones share it.
#[derive(Clone)]
pub struct ActivityLog(Rc<Inner>);

struct Inner {
    level: Cell<LogLevel>,
    changes: Changes,
    output: RefCell<Output>,
}

struct Output {
    stamp: super::stamp::Stamp,
    line: String,
    /// The last line for the file may have been cut.
    is_cut: bool,
    sink: Sink,
    mirror: Option<RotatingFile>,
}

enum Sink {
    /// Not open yet: messages wait here.
    Held(Vec<(LogLevel, String)>),
    File(RotatingFile),
    Syslog(Syslog),
    Closed,
}

/// What slow readers of a log have not taken yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Unsent {
    mirror: Blob,
    file: Blob,
    syslog: Vec<String>,
}

/// Where to log and how.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// File or system log.
    pub target: &'a model::ActivityLog,
    /// When a file rotates.
    pub rotation: Rotation,
    /// Messages quieter than this are dropped.
    pub level: LogLevel,
    /// Write everything to standard output as well.
    pub mirror: bool,
}

impl ActivityLog {
    /// A log that is not open yet and holds what it is told.
    pub fn holding() -> Self {
        let output = Output {
            stamp: super::stamp::Stamp::new("%Y-%m-%d %H:%M:%S"),
            line: String::new(),
            is_cut: false,
            sink: Sink::Held(Vec::new()),
            mirror: None,
        };
        Self(Rc::new(Inner {
            level: Cell::new(LogLevel::Blather),
            changes: Changes::default(),
            output: RefCell::new(output),
        }))
    }

    /// Opens the log and writes what was held: critical messages first, then warnings, then the
    /// rest. Also used to change over to new settings; on an error everything stays as it was.
    pub fn open(&self, settings: &Settings<'_>) -> io::Result<()> {
        let sink = match settings.target {
            model::ActivityLog::File(path) => {
                let changes = self.0.changes.clone();
                let file = RotatingFile::open_with(path, settings.rotation, 0o666, changes)?;
                Sink::File(file)
            }
            model::ActivityLog::Syslog => Sink::Syslog(Syslog::default()),
        };
        let stdout = Path::new("/dev/stdout");
        let mirror = match settings.mirror {
            true => RotatingFile::open(stdout, Rotation::NEVER).ok(),
            false => None,
        };
        self.0.level.set(settings.level);
        let replaced = {
            let mut output = self.0.output.borrow_mut();
            output.mirror = mirror;
            std::mem::replace(&mut output.sink, sink)
        };
        if let Sink::Held(mut messages) = replaced {
            messages.sort_by_key(|(level, _)| *level);
            for (level, text) in messages {
                self.log(level, text);
            }
        }
        Ok(())
    }

    /// Whether a message of this level is written: ask before composing an expensive one.
    pub fn enabled(&self, level: LogLevel) -> bool {
        level <= self.0.level.get()
    }

    /// Writes a message if its level is enabled. It may span lines; only the first is stamped.
    pub fn log(&self, level: LogLevel, message: impl Display) {
        if self.enabled(level) {
            let mut output = self.0.output.borrow_mut();
            output.write(level, &message);
            if matches!(&output.sink, Sink::Syslog(syslog) if syslog.has_pending()) {
                self.0.changes.announce();
            }
        }
    }

    /// Writes at level `CRIT`.
    pub fn critical(&self, message: impl Display) {
        self.log(LogLevel::Critical, message);
    }

    /// Writes at level `ERRO`.
    pub fn error(&self, message: impl Display) {
        self.log(LogLevel::Error, message);
    }

    /// Writes at level `WARN`.
    pub fn warn(&self, message: impl Display) {
        self.log(LogLevel::Warn, message);
    }

    /// Writes at level `INFO`.
    pub fn info(&self, message: impl Display) {
        self.log(LogLevel::Info, message);
    }

    /// Writes at level `DEBG`.
    pub fn debug(&self, message: impl Display) {
        self.log(LogLevel::Debug, message);
    }

    /// Writes at level `TRAC`.
    pub fn trace(&self, message: impl Display) {
        self.log(LogLevel::Trace, message);
    }

    /// Writes at level `BLAT`.
    pub fn blather(&self, message: impl Display) {
        self.log(LogLevel::Blather, message);
    }

    /// Opens the file again, after a log rotation by others.
    pub fn reopen(&self) -> io::Result<()> {
        match &mut self.0.output.borrow_mut().sink {
            Sink::File(file) => file.reopen(),
            Sink::Held(_) | Sink::Syslog(_) | Sink::Closed => Ok(()),
        }
    }

    /// Removes the file and starts a new one; rotated files stay.
    pub fn clear(&self) -> io::Result<()> {
        match &mut self.0.output.borrow_mut().sink {
            Sink::File(file) => file.clear(),
            Sink::Held(_) | Sink::Syslog(_) | Sink::Closed => Ok(()),
        }
    }

    /// Delivers what slow readers of standard output or a busy system logger have left queued, without waiting; true if
    /// something is left still. To be called now and then.
    pub fn flush(&self) -> bool {
        let mut output = self.0.output.borrow_mut();
        let Output { sink, mirror, .. } = &mut *output;
        let mut pending = false;
        let file = match sink {
            Sink::File(file) => Some(file),
            Sink::Syslog(syslog) => {
                // There is nowhere to complain.
                let _ = syslog.flush();
                pending = syslog.has_pending();
                None
            }
            Sink::Held(_) | Sink::Closed => None,
        };
        for file in file.into_iter().chain(mirror) {
            let outcome = file.flush();
            report(file.path(), outcome);
            pending |= file.has_pending();
        }
        pending
    }

    /// What slow readers have not taken yet.
    pub fn unsent(&self) -> Unsent {
        let output = self.0.output.borrow();
        let mirror = output.mirror.as_ref();
        let mut unsent = Unsent {
            mirror: Blob(mirror.map(RotatingFile::pending).unwrap_or_default()),
            ..Unsent::default()
        };
        match &output.sink {
            Sink::File(file) => unsent.file = Blob(file.pending()),
            Sink::Syslog(syslog) => unsent.syslog = syslog.pending(),
            Sink::Held(_) | Sink::Closed => {}
        }
        unsent
    }

    /// Queues what another daemon could not deliver.
    pub fn resume(&self, unsent: Unsent) {
        let mut output = self.0.output.borrow_mut();
        if let Some(mirror) = &mut output.mirror {
            mirror.resume(&unsent.mirror.0);
        }
        match &mut output.sink {
            Sink::File(file) => file.resume(&unsent.file.0),
            Sink::Syslog(syslog) => syslog.resume(unsent.syslog),
            Sink::Held(_) | Sink::Closed => {}
        }
    }

    /// Stops mirroring to standard output, which is about to be given up.
    pub fn close_mirror(&self) {
        self.0.output.borrow_mut().mirror = None;
    }

    /// Closes the log; what comes later is dropped. Slow readers get a moment for the end of it.
    pub fn close(&self) {
        let deadline = Instant::now() + LAST_CHANCE;
        let mut output = self.0.output.borrow_mut();
        if let Sink::File(mut file) = std::mem::replace(&mut output.sink, Sink::Closed) {
            file.linger(deadline);
        }
        if let Some(mut mirror) = output.mirror.take() {
            mirror.linger(deadline);
        }
    }

    /// Follows the changes of the file.
    pub fn subscribe(&self) -> Follower {
        self.0.changes.subscribe()
    }
}

impl fmt::Debug for ActivityLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivityLog")
            .field("level", &self.0.level)
            .finish_non_exhaustive()
    }
}

impl Output {
    fn write(&mut self, level: LogLevel, message: &dyn Display) {
        if let Sink::Held(messages) = &mut self.sink {
            return messages.push((level, message.to_string()));
        }
        let (second, millis) = self.stamp.now();
        self.line.clear();
        // Writing to a string fails only if the message's own Display does; then it is cut.
        let _ = write!(self.line, "{second},{millis:03} {} ", name(level));
        let prefix = self.line.len();
        let _ = write!(self.line, "{message}");
        if let Sink::Syslog(syslog) = &mut self.sink {
            let (prefix, message) = self.line.split_at(prefix);
            // Supervisor's lines keep their newline there. There is nowhere left to complain.
            let _ = syslog.send(prefix, message, "\n");
        }
        self.line.push('\n');
        self.deliver();
    }

    fn deliver(&mut self) {
        if let Some(mirror) = &mut self.mirror {
            // Neither for the mirror: its reader has gone, or is slow.
            let _ = mirror.write(self.line.as_bytes());
        }
        let Sink::File(file) = &mut self.sink else {
            return;
        };
        if self.is_cut {
            self.line.insert(0, '\n');
        }
        let outcome = file.write(self.line.as_bytes());
        self.is_cut = matches!(outcome, Outcome::Failed(_) | Outcome::StillFailing);
        let note = note(&outcome);
        report(file.path(), outcome);
        if let Some(note) = note {
            let (second, millis) = self.stamp.now();
            let line = format!("{second},{millis:03} {} {note}\n", name(LogLevel::Critical));
            let noted = file.write(line.as_bytes());
            report(file.path(), noted);
        }
    }
}

/// What the log itself says of what has become of it: a daemon's standard error is read by nobody.
fn note(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Written | Outcome::StillFailing | Outcome::Failed(_) => None,
        Outcome::Resumed { lost } => Some(format!(
            "writing this log works again; {lost} bytes were lost"
        )),
        Outcome::Unrotated(error) => Some(format!(
            "cannot rotate this log: {error}; it grows until that works"
        )),
        Outcome::Reopened => {
            Some("this log is written again, after it could not be reopened".to_owned())
        }
        Outcome::Rotates => Some("rotating this log works again".to_owned()),
    }
}

/// Tells on standard error what has become of the log: while it cannot be written there is no other place. Like
/// everything here without waiting: what standard error does not take is dropped.
fn report(path: &Path, outcome: Outcome) {
    let path = path.display();
    let text = match outcome {
        Outcome::Written | Outcome::StillFailing => return,
        Outcome::Failed(error) => format!("supervisord: cannot write log {path}: {error}\n"),
        Outcome::Resumed { lost } => {
            format!("supervisord: log {path} works again, {lost} bytes are lost\n")
        }
        Outcome::Unrotated(error) => {
            format!("supervisord: cannot rotate log {path}, it grows: {error}\n")
        }
        Outcome::Reopened => format!("supervisord: log {path} is written again\n"),
        Outcome::Rotates => format!("supervisord: log {path} is rotated again\n"),
    };
    if let Ok(mut stderr) = RotatingFile::open(Path::new("/dev/stderr"), Rotation::NEVER) {
        let _ = stderr.write(text.as_bytes());
    }
}

fn name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Critical => "CRIT",
        LogLevel::Error => "ERRO",
        LogLevel::Warn => "WARN",
        LogLevel::Info => "INFO",
        LogLevel::Debug => "DEBG",
        LogLevel::Trace => "TRAC",
        LogLevel::Blather => "BLAT",
    }
}

#[cfg(test)]
mod tests;
