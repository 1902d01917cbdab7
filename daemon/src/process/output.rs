//! What a child writes: from the pipe through stripping and capture to the log, the bus, the
//! pool.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Recipient;
use bytes::Bytes;
use config::model::{ChildLog, LogLevel, OutputConfig, ProcessConfig};
use nix::errno::Errno;
use nix::unistd::read;
use protocol::events::{Channel, Event, EventType};
use tokio::io::unix::AsyncFd;
use tokio::task::JoinHandle;

use super::actor::{LogPaths, Process, Services};
use super::messages::{FromListener, Notice};
use crate::logs::capture::{OutputScanner, Piece};
use crate::logs::rotate::{Outcome, RotatingFile, Rotation};
use crate::logs::syslog::Syslog;
use crate::logs::text::{self, TextDecoder};
use crate::sys::readiness::readable;

/// How often a slow log is offered what it has not taken yet.
const FLUSH: Duration = Duration::from_millis(100);

/// Bytes read at once, as in Supervisor 4.3.0.
const READ_SIZE: usize = 128 * 1024;

thread_local! {
    /// One buffer for all pipes: a chunk is dealt with before the next is read.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

/// Where the two channels of a process are logged.
pub(super) struct Logs {
    stdout: LogTarget,
    stderr: LogTarget,
}

struct LogTarget {
    path: Option<Arc<PathBuf>>,
    rotation: Rotation,
    mode: u32,
    changes: crate::logs::changes::Changes,
}

/// The opened logs of a child.
pub(super) struct LogFiles {
    stdout: Option<RotatingFile>,
    stderr: Option<RotatingFile>,
}

impl Logs {
    pub(super) fn new(config: &ProcessConfig, paths: LogPaths) -> Self {
        let target = |output: &OutputConfig, path, changes| LogTarget {
            path,
            rotation: Rotation::new(output.maxbytes, output.backups),
            // AUTO logs are as private as the temporary files they are.
            mode: if output.logfile == ChildLog::Auto {
                0o600
            } else {
                0o666
            },
            changes,
        };
        Self {
            stdout: target(&config.stdout, paths.stdout, paths.stdout_changes),
            stderr: target(&config.stderr, paths.stderr, paths.stderr_changes),
        }
    }

    /// Opens both for a new child.
    pub(super) fn open(&self) -> io::Result<LogFiles> {
        Ok(LogFiles {
            stdout: self.stdout.open()?,
            stderr: self.stderr.open()?,
        })
    }
}

impl LogTarget {
    fn open(&self) -> io::Result<Option<RotatingFile>> {
        let open = |path: &Arc<PathBuf>| {
            RotatingFile::open_with(path, self.rotation, self.mode, self.changes.clone())
        };
        self.path.as_ref().map(open).transpose()
    }

    /// Empties the log of a process that is not running.
    fn clear(&self) -> io::Result<()> {
        match &self.path {
            Some(path) => {
                let cleared = crate::logs::rotate::clear_path(path);
                self.changes.announce();
                cleared
            }
            None => Ok(()),
        }
    }
}

/// One output channel of a live child.
pub(super) struct Output {
    reader: AsyncFd<OwnedFd>,
    lane: RefCell<Lane>,
    pump: Cell<Option<JoinHandle<()>>>,
    /// Somebody is offering what a slow log has not taken.
    flushing: Cell<bool>,
}

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A full buffer; there may be more.
    More,
    /// Everything there was.
    All,
    /// The end.
    End,
}

impl Output {
    /// Reads from now on, whenever there is something.
    fn start(pipe: OwnedFd, lane: Lane) -> io::Result<Rc<Self>> {
        let output = Rc::new(Self {
            reader: readable(pipe)?,
            lane: RefCell::new(lane),
            pump: Cell::new(None),
            flushing: Cell::new(false),
        });
        let pump = actix::spawn(Rc::clone(&output).pump());
        output.pump.set(Some(pump));
        Ok(output)
    }

    async fn pump(self: Rc<Self>) {
        while let Ok(mut guard) = self.reader.readable().await {
            match self.read_once() {
                // One loud child must not starve the rest.
                Found::More => tokio::task::yield_now().await,
                Found::All => guard.clear_ready(),
                Found::End => break,
            }
            self.flush_later();
        }
        self.lane.borrow_mut().finish();
    }

    /// A log that is a pipe or terminal may have a slow reader: what it has not taken yet is
    /// offered again, as long as there is something.
    fn flush_later(self: &Rc<Self>) {
        let pending = |output: &Self| output.lane.borrow().sinks.has_pending();
        if !pending(self) || self.flushing.replace(true) {
            return;
        }
        let output = Rc::downgrade(self);
        actix::spawn(async move {
            loop {
                tokio::time::sleep(FLUSH).await;
                let Some(output) = output.upgrade() else {
                    return;
                };
                output.lane.borrow_mut().sinks.flush();
                if !pending(&output) {
                    return output.flushing.set(false);
                }
            }
        });
    }

    /// Reads once and deals with what there was.
    fn read_once(&self) -> Found {
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                match read(self.reader.as_fd(), buffer) {
                    Ok(0) => return Found::End,
                    Ok(count) => {
                        self.lane.borrow_mut().take(&buffer[..count]);
                        return if count == buffer.len() {
                            Found::More
                        } else {
                            Found::All
                        };
                    }
                    Err(Errno::EINTR) => {}
                    Err(Errno::EAGAIN) => return Found::All,
                    Err(_) => return Found::End,
                }
            }
        })
    }

    /// Reads until the pipe is empty, for a child that has ended. Does not wait for others that
    /// hold the pipe open, and gives up on one that writes faster than we read.
    pub(super) fn drain(&self) {
        const ENOUGH: usize = 64;
        for _ in 0..ENOUGH {
            match self.read_until_short() {
                Found::More => {}
                Found::All | Found::End => break,
            }
        }
        self.lane.borrow_mut().finish();
    }

    /// A short read may have been cut by the ring of the pipe; only EAGAIN or the end is certain.
    fn read_until_short(&self) -> Found {
        BUFFER.with_borrow_mut(|buffer| match read(self.reader.as_fd(), buffer) {
            Ok(0) => Found::End,
            Ok(count) => {
                self.lane.borrow_mut().take(&buffer[..count]);
                Found::More
            }
            Err(Errno::EINTR) => Found::More,
            Err(_) => Found::All,
        })
    }

    /// Reads no more.
    pub(super) fn close(self: &Rc<Self>) {
        if let Some(pump) = self.pump.take() {
            pump.abort();
        }
    }
}

/// What happens to the bytes of one channel.
struct Lane {
    scanner: OutputScanner,
    sinks: Sinks,
    /// Standard output of a listener: the pool that understands it.
    pool: Option<(Recipient<FromListener>, usize)>,
    finished: bool,
}

/// Where the pieces of a channel's output go.
struct Sinks {
    process: Arc<ProcessConfig>,
    services: Rc<Services>,
    channel: Channel,
    pid: i32,
    file: Option<RotatingFile>,
    syslog: Option<Syslog>,
    events_enabled: bool,
    decoder: TextDecoder,
}

impl Lane {
    fn take(&mut self, chunk: &[u8]) {
        if let Some((pool, member)) = &self.pool {
            let notice = Notice::Output(Bytes::copy_from_slice(chunk));
            pool.do_send(FromListener {
                member: *member,
                notice,
            });
        }
        self.scanner.feed(chunk, |piece| self.sinks.take(piece));
    }

    /// Nothing more will come: lets go of what was held back.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.scanner.finish(|piece| self.sinks.take(piece));
        if let Some(text) = self.sinks.decoder.finish() {
            self.sinks.raise_log_event(text);
        }
    }
}

impl Sinks {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Log(data) => {
                self.write(data);
                self.tell(data);
            }
            Piece::Inside(data) => self.tell(data),
            Piece::Captured(message) => self.raise_communication(message),
        }
    }

    fn has_pending(&self) -> bool {
        self.file.as_ref().is_some_and(RotatingFile::has_pending)
    }

    fn flush(&mut self) {
        if let Some(outcome) = self.file.as_mut().map(RotatingFile::flush) {
            self.report(outcome);
        }
    }

    fn report(&self, outcome: Outcome) {
        let Some(file) = &self.file else { return };
        let (name, channel, path) = (&self.process.name, self.channel, file.path().display());
        let log = &self.services.log;
        match outcome {
            Outcome::Written | Outcome::StillFailing => {}
            Outcome::Failed(error) => log.critical(format_args!(
                "cannot write {channel} of '{name}' to {path}: {error}; what it writes is lost \
                 until writing works again"
            )),
            Outcome::Resumed { lost } => log.critical(format_args!(
                "writing {channel} of '{name}' to {path} works again; {lost} bytes were lost"
            )),
        }
    }

    fn write(&mut self, data: &[u8]) {
        if let Some(outcome) = self.file.as_mut().map(|file| file.write(data)) {
            self.report(outcome);
        }
        let log = &self.services.log;
        let (name, channel) = (&self.process.name, self.channel);
        if let Some(syslog) = &mut self.syslog {
            // The system log is somebody else's; that it is down is no reason to be loud.
            if let Err(error) = syslog.send_output(name, data) {
                log.debug(format_args!(
                    "cannot send {channel} of '{name}' to syslog: {error}"
                ));
            }
        }
    }

    /// Output as others see it: the debug copy in the activity log and PROCESS_LOG events.
    fn tell(&mut self, data: &[u8]) {
        let wanted = self.events_enabled && self.services.bus.wants(self.log_event_type());
        let debug = self.services.log.enabled(LogLevel::Debug);
        if !wanted && !debug || data.is_empty() {
            return;
        }
        if debug {
            let (name, channel) = (&self.process.name, self.channel);
            let text = text::decode_whole(data);
            self.services
                .log
                .debug(format_args!("'{name}' {channel} output:\n{text}"));
        }
        if wanted {
            let text = self.decoder.decode(data).into_owned();
            if !text.is_empty() {
                self.raise_log_event(text);
            }
        }
    }

    fn log_event_type(&self) -> EventType {
        match self.channel {
            Channel::Stdout => EventType::ProcessLogStdout,
            Channel::Stderr => EventType::ProcessLogStderr,
        }
    }

    fn raise_log_event(&self, data: String) {
        self.services.bus.notify(Event::ProcessLog {
            process: self.process.name.clone(),
            group: self.process.group.clone(),
            pid: self.pid,
            channel: self.channel,
            data,
        });
    }

    fn raise_communication(&self, message: &[u8]) {
        self.services.bus.notify(Event::ProcessCommunication {
            process: self.process.name.clone(),
            group: self.process.group.clone(),
            pid: self.pid,
            channel: self.channel,
            data: text::decode_whole(message).into_owned(),
        });
        let (name, channel) = (&self.process.name, self.channel);
        self.services
            .log
            .debug(format_args!("'{name}' {channel} emitted a comm event"));
    }
}

impl Process {
    /// Starts to read from a new child.
    pub(super) fn connect_outputs(
        &self,
        pid: i32,
        stdout: OwnedFd,
        stderr: Option<OwnedFd>,
        files: LogFiles,
    ) -> Vec<Rc<Output>> {
        let stdout = (stdout, self.lane(Channel::Stdout, pid, files.stdout));
        let stderr = stderr.map(|pipe| (pipe, self.lane(Channel::Stderr, pid, files.stderr)));
        let mut outputs = Vec::with_capacity(2);
        for (pipe, lane) in std::iter::once(stdout).chain(stderr) {
            match Output::start(pipe, lane) {
                Ok(output) => outputs.push(output),
                Err(error) => self.services.log.critical(format_args!(
                    "cannot read the output of '{}': {error}",
                    self.config.name
                )),
            }
        }
        outputs
    }

    fn lane(&self, channel: Channel, pid: i32, file: Option<RotatingFile>) -> Lane {
        let config = match channel {
            Channel::Stdout => &self.config.stdout,
            Channel::Stderr => &self.config.stderr,
        };
        let pool = match channel {
            Channel::Stdout => self.listener.clone(),
            Channel::Stderr => None,
        };
        let capture_maxbytes = match pool {
            Some(_) => 0,
            None => config.capture_maxbytes,
        };
        let sinks = Sinks {
            process: Arc::clone(&self.config),
            services: Rc::clone(&self.services),
            channel,
            pid,
            file,
            syslog: (config.syslog && pool.is_none()).then(Syslog::default),
            events_enabled: config.events_enabled && pool.is_none(),
            decoder: TextDecoder::default(),
        };
        Lane {
            scanner: OutputScanner::new(capture_maxbytes, self.services.strip_ansi.get()),
            sinks,
            pool,
            finished: false,
        }
    }

    /// Reopens the logs of the live child; those of a stopped process are not open.
    pub(super) fn reopen_logs(&self) {
        for output in self.live.iter().flat_map(|live| &live.outputs) {
            if let Some(file) = &mut output.lane.borrow_mut().sinks.file
                && let Err(error) = file.reopen()
            {
                let path = file.path().display();
                let log = &self.services.log;
                log.critical(format_args!("cannot reopen {path}: {error}"));
            }
        }
    }

    /// Removes and reopens the logs; those of a stopped process are emptied as well.
    pub(super) fn clear_logs(&self) -> io::Result<()> {
        match &self.live {
            None => self.logs.stdout.clear().and(self.logs.stderr.clear()),
            Some(live) => {
                for output in &live.outputs {
                    if let Some(file) = &mut output.lane.borrow_mut().sinks.file {
                        file.clear()?;
                    }
                }
                Ok(())
            }
        }
    }
}
