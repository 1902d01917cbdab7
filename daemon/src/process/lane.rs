//! What becomes of a child's output: stripping and capture, then the log, the bus, the pool.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use actix::Recipient;
use bytes::Bytes;
use config::model::{LogLevel, OutputConfig, ProcessConfig};
use protocol::events::{Channel, Event, EventType};
use serde::{Deserialize, Serialize};

use super::actor::Services;
use super::messages::{FromListener, Notice};
use crate::logs::capture::{OutputScanner, Piece, ScannerState};
use crate::logs::rotate::{Outcome, RotatingFile};
use crate::logs::syslog::Syslog;
use crate::logs::text::{self, TextDecoder};
use crate::upgrade::Blob;

/// What a lane remembers between one chunk and the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct LaneState {
    scanner: ScannerState,
    /// The beginning of a character.
    character: Blob,
    /// What slow readers have not taken yet.
    file: Blob,
    syslog: Vec<String>,
    finished: bool,
}

/// What happens to the bytes of one channel.
pub(super) struct Lane {
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
    /// For a channel of a new child; `pool` understands the standard output of a listener.
    pub(super) fn new(
        process: &Arc<ProcessConfig>,
        services: &Rc<Services>,
        channel: Channel,
        pid: i32,
        file: Option<RotatingFile>,
        pool: Option<(Recipient<FromListener>, usize)>,
    ) -> Self {
        let config: &OutputConfig = match channel {
            Channel::Stdout => &process.stdout,
            Channel::Stderr => &process.stderr,
        };
        // What a listener says is for its pool alone: no capture, no events, no syslog.
        let plain = pool.is_none();
        let capture_maxbytes = if plain { config.capture_maxbytes } else { 0 };
        let sinks = Sinks {
            process: Arc::clone(process),
            services: Rc::clone(services),
            channel,
            pid,
            file,
            syslog: (config.syslog && plain).then(Syslog::default),
            events_enabled: config.events_enabled && plain,
            decoder: TextDecoder::default(),
        };
        Self {
            scanner: OutputScanner::new(capture_maxbytes, services.strip_ansi.get()),
            sinks,
            pool,
            finished: false,
        }
    }

    /// Deals with the next chunk.
    pub(super) fn take(&mut self, chunk: &[u8]) {
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
    pub(super) fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.scanner.finish(|piece| self.sinks.take(piece));
        if let Some(text) = self.sinks.decoder.finish() {
            self.sinks.raise_log_event(text);
        }
    }

    /// Its pool does not understand any more what is said here.
    pub(super) fn mute(&mut self) {
        self.pool = None;
    }

    /// Whether a pool understands it.
    pub(super) fn is_listeners(&self) -> bool {
        self.pool.is_some()
    }

    /// Which channel it is for.
    pub(super) fn channel(&self) -> Channel {
        self.sinks.channel
    }

    /// What it remembers.
    pub(super) fn state(&self) -> LaneState {
        let Sinks {
            file,
            syslog,
            decoder,
            ..
        } = &self.sinks;
        LaneState {
            scanner: self.scanner.state(),
            character: Blob(decoder.held().to_vec()),
            file: Blob(file.as_ref().map(RotatingFile::pending).unwrap_or_default()),
            syslog: syslog.as_ref().map(Syslog::pending).unwrap_or_default(),
            finished: self.finished,
        }
    }

    /// Goes on where another one has stopped.
    pub(super) fn resume(&mut self, state: LaneState) {
        self.scanner.resume(state.scanner);
        self.finished = state.finished;
        self.sinks.decoder = TextDecoder::after(&state.character.0);
        if let Some(file) = &mut self.sinks.file {
            file.resume(&state.file.0);
        }
        if let Some(syslog) = &mut self.sinks.syslog {
            syslog.resume(state.syslog);
        }
    }

    /// A slow reader of the log has not taken everything yet.
    pub(super) fn has_pending(&self) -> bool {
        let (file, syslog) = (&self.sinks.file, &self.sinks.syslog);
        file.as_ref().is_some_and(RotatingFile::has_pending)
            || syslog.as_ref().is_some_and(Syslog::has_pending)
    }

    /// Offers a slow reader again what it has not taken.
    pub(super) fn flush(&mut self) {
        if let Some(outcome) = self.sinks.file.as_mut().map(RotatingFile::flush) {
            self.sinks.report(outcome);
        }
        self.sinks.flush_syslog();
    }

    /// Opens the log anew, after something outside has renamed it.
    pub(super) fn reopen(&mut self) {
        let Some(file) = &mut self.sinks.file else {
            return;
        };
        if let Err(error) = file.reopen() {
            let path = file.path().display();
            let log = &self.sinks.services.log;
            log.critical(format_args!("cannot reopen {path}: {error}"));
        }
    }

    /// Empties the log.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.sinks.file.as_mut().map_or(Ok(()), RotatingFile::clear)
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
            Outcome::Unrotated(error) => log.critical(format_args!(
                "cannot rotate {path}, the log of {channel} of '{name}': {error}; it grows until \
                 that works"
            )),
            Outcome::Reopened => log.critical(format_args!(
                "{channel} of '{name}' is written to {path} again"
            )),
            Outcome::Rotates => log.critical(format_args!(
                "rotating {path}, the log of {channel} of '{name}', works again"
            )),
        }
    }

    fn write(&mut self, data: &[u8]) {
        if let Some(outcome) = self.file.as_mut().map(|file| file.write(data)) {
            self.report(outcome);
        }
        let name = &self.process.name;
        let sent = self
            .syslog
            .as_mut()
            .map(|syslog| syslog.send_output(name, data));
        self.report_syslog(sent);
    }

    fn flush_syslog(&mut self) {
        let flushed = self.syslog.as_mut().map(Syslog::flush);
        self.report_syslog(flushed);
    }

    /// The system log is somebody else's; that it is down is no reason to be loud.
    fn report_syslog(&self, outcome: Option<io::Result<()>>) {
        if let Some(Err(error)) = outcome {
            let (name, channel) = (&self.process.name, self.channel);
            self.services.log.debug(format_args!(
                "cannot send {channel} of '{name}' to syslog: {error}"
            ));
        }
    }

    /// Output as others see it: the debug copy in the activity log and PROCESS_LOG events.
    fn tell(&mut self, data: &[u8]) {
        let wanted = self.events_enabled && self.services.bus.wants(self.log_event_type());
        let debug = self.services.log.enabled(LogLevel::Debug);
        if !wanted && !debug {
            return;
        }
        if debug {
            let (name, channel) = (&self.process.name, self.channel);
            // Supervisor 4.3.0 shows what a listener says as the bytes it is.
            let text = match self.process.is_listener && self.channel == Channel::Stdout {
                true => text::bytes_repr(data).into(),
                false => text::decode_whole(data),
            };
            self.services
                .log
                .debug(format_args!("'{name}' {channel} output:\n{text}"));
        }
        if wanted {
            let text = self.decoder.decode(data).into_owned();
            // Nothing yet of a character that has been cut; an empty chunk is an event.
            if !text.is_empty() || data.is_empty() {
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
